import type { Environment, ShareFacts } from '../model/report.ts';
import type { Share } from '../share/share.ts';
import { type Sides, sideFacts } from './sides.ts';

/** Where and when a run took place, for its report. `shares` are those that the run met (default: all). */
export function environmentOf(
  sides: Sides,
  run: { readonly started: number; readonly seed: number; readonly shares?: readonly Share[] },
): Environment {
  return {
    startedAt: new Date(run.started).toISOString(),
    durationMs: Date.now() - run.started,
    seed: run.seed,
    ...(sides.lab === undefined ? {} : { lab: sides.lab.name }),
    host: sideFacts(sides.host),
    guest: sideFacts(sides.guest),
    ...leftOutOf(sides, run.shares),
    shares: (run.shares ?? sides.shares).map(shareFacts),
    versions: sides.versions,
  };
}

function shareFacts(share: Share): ShareFacts {
  return {
    mode: share.mode?.name ?? 'unknown',
    how: share.modeHow,
    ...(share.type === undefined ? {} : { type: share.type }),
    ...(share.tag === undefined ? {} : { tag: share.tag }),
    ...(share.server === undefined ? {} : { server: share.server }),
    guestDir: share.guestDir,
    hostDir: share.hostDir,
  };
}

/** What the lab lacks matters to a run of all its modes. */
function leftOutOf({ lab, shares }: Sides, met: readonly Share[] = shares): Pick<Environment, 'leftOut'> {
  const leftOut = lab?.leftOut ?? [];
  if (leftOut.length === 0 || met.length < shares.length) return {};
  return { leftOut: leftOut.map(({ mode, why }) => ({ mode, reason: why })) };
}
