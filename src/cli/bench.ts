import { harmlessVerbs } from '../lab/verbs.ts';
import type { Bench, BoundView } from '../run/bench.ts';
import { viewFacts } from '../run/setting.ts';
import type { Share } from '../share/share.ts';
import type { ReachedSide, Sides } from './sides.ts';

/** The bench of one share: its views, bound to the probes that are running. */
export function benchFor(share: Share, sides: Sides, usedIndex?: Bench['usedIndex']): Bench {
  const { guest, host, guest2 } = sides;
  const { elsewhere } = share;
  return {
    share,
    views: {
      guest: viewOf(guest, share.guestDir),
      host: viewOf(host, share.hostDir),
      ...(elsewhere?.['guest-other-tag'] === undefined
        ? {}
        : { 'guest-other-tag': viewOf(guest, elsewhere['guest-other-tag']) }),
      ...(elsewhere?.['guest-without-dax'] === undefined
        ? {}
        : { 'guest-without-dax': viewOf(guest, elsewhere['guest-without-dax']) }),
      ...(guest2 === undefined || elsewhere?.guest2 === undefined
        ? {}
        : { guest2: viewOf(guest2, elsewhere.guest2) }),
    },
    versions: sides.versions,
    lab: sides.lab?.name,
    ...verbsOf(share, sides),
    ...(usedIndex === undefined ? {} : { usedIndex }),
  };
}

function viewOf({ session }: ReachedSide, directory: string): BoundView {
  return { session, facts: viewFacts(directory, session.hello) };
}

/** A share of a lab that may be others' too. */
function verbsOf({ mode }: Share, { lab }: Sides): Pick<Bench, 'verbs'> {
  return lab === undefined || mode === undefined ? {} : { verbs: harmlessVerbs(lab, mode.name) };
}
