import type { Bench } from '../run/bench.ts';
import { viewFacts } from '../run/setting.ts';
import type { Share } from '../share/share.ts';
import type { Sides } from './sides.ts';

/** The bench of one share: its two views, bound to the probes that are running. */
export function benchFor(share: Share, sides: Sides, usedIndex?: Bench['usedIndex']): Bench {
  const { guest, host } = sides;
  return {
    share,
    views: {
      guest: { session: guest.session, facts: viewFacts(share.guestDir, guest.session.hello) },
      host: { session: host.session, facts: viewFacts(share.hostDir, host.session.hello) },
    },
    versions: sides.versions,
    lab: sides.lab?.name,
    ...(usedIndex === undefined ? {} : { usedIndex }),
  };
}
