import { defineCheck, type Observed, type Step } from '../../src/model/check.ts';
import type { BorrowResult, Stat } from '../../src/model/operation.ts';
import { describeOutcome, type Outcome } from '../../src/model/outcome.ts';
import type { ResidencyEvidence, SideResidency } from '../../src/model/residency.ts';
import type { Side } from '../../src/model/side.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { operatingFailure } from '../compare/failures.ts';
import { shareWords } from '../compare/looks.ts';
import {
  groundOf,
  groundStep,
  limitOf,
  lookArgs,
  openKeepsPages,
  pageSteps,
  pagesOf,
  sidesOf,
  stripOf,
} from './look.ts';

const columns = 256;

/**
 * `vfs-verify residency PATH`: how much of the user's own file each side's page cache holds. Reads nothing of
 * it. In the guest the file is opened only where that keeps its pages; elsewhere the look goes through a
 * descriptor that somebody there has open already, or is not taken.
 */
export const residency = defineCheck({
  name: 'residency',
  title: "how much of a file each side's page cache holds",
  codes: {
    stuck: 'a side gave no answer within the limit',
    gone: 'a side went away',
    'cannot-look': 'no side could be looked at',
    interrupted: 'the run was interrupted',
  },
  cases({ args }) {
    const { guestPath, hostPath, ...rest } = args as unknown as ReturnType<typeof lookArgs>;
    return [
      {
        name: 'your-file',
        scenarios: [],
        isolation: 'shared',
        needs: [],
        inPlace: true,
        actors: { host: 'host', guest: 'guest' },
        steps: sidesOf(rest).map((side) => ({
          id: `${side}-stat`,
          actor: side,
          op: {
            do: 'stat',
            path: side === 'host' ? hostPath : guestPath,
            follow: true,
            ...(side === 'guest' ? { sync: 'dont' as const } : {}),
          },
          limit: limitOf(rest),
          mayFail: true,
        })),
      },
    ];
  },
  next(observed) {
    if (observed.steps.some(({ op }) => op.do === 'open' || op.do === 'borrow')) return [];
    return sidesOf(lookArgs(observed.setting)).flatMap((side) => lookSteps(observed, side));
  },
  judge(observed): Verdict {
    const args = lookArgs(observed.setting);
    const failure = operatingFailure(observed);
    if (failure !== undefined) return failure;
    const sides = sidesOf(args).map((side) => sideOf(observed, side));
    const evidence: ResidencyEvidence = {
      kind: 'residency',
      path: args.guestPath,
      hostPath: args.hostPath,
      sides,
      share: shareWords(observed.setting),
    };
    const words = sides.map(({ side, pages }) =>
      pages === undefined
        ? `${side}: cannot be told`
        : `${side}: ${pages.cached.toLocaleString('en-US')} of ${pages.total.toLocaleString('en-US')} pages`,
    );
    return sides.some(({ pages }) => pages !== undefined)
      ? { kind: 'pass', reason: words.join('; '), evidence }
      : { kind: 'unknown', code: 'cannot-look', reason: sides.map(({ how }) => how).join('; '), evidence };
  },
});

function lookSteps(observed: Observed, side: Side): Step[] {
  const args = lookArgs(observed.setting);
  const stat = observed.value<Stat>(`${side}-stat`);
  if (stat?.type !== 'file' || stat.dax === true) return [];
  const path = side === 'host' ? args.hostPath : args.guestPath;
  const opened: Step['op'] =
    side === 'host' || openKeepsPages(observed.setting)
      ? { do: 'open', path, flags: ['rdonly', 'nonblock'], as: 'file' }
      : { do: 'borrow', path, as: 'file' };
  return [
    { id: `${side}-hold`, actor: side, op: opened, limit: limitOf(args), mayFail: true },
    ...(side === 'host' ? [groundStep(args)] : []),
    ...pageSteps(`${side}-pages`, side, stat.size, args, true),
  ];
}

function sideOf(observed: Observed, side: Side): SideResidency {
  const stat = observed.value<Stat>(`${side}-stat`);
  if (stat === undefined) return { side, how: describeOutcome(observed.outcome(`${side}-stat`)) };
  if (stat.type !== 'file') return { side, how: `a ${stat.type}, no regular file` };
  if (stat.dax === true) {
    const pageSize = observed.setting.views[side]?.pageSize ?? 4096;
    const pages = { total: Math.ceil(stat.size / pageSize), cached: 0, pageSize };
    return { side, size: stat.size, pages, how: `a DAX file: the ${side} keeps no pages of it` };
  }
  const hold = observed.outcome(`${side}-hold`);
  const borrows = observed.steps.some(({ id, op }) => id === `${side}-hold` && op.do === 'borrow');
  if (hold.kind !== 'value')
    return { side, size: stat.size, how: borrows ? notOpened(observed) : notHeld(hold) };
  const ground = side === 'host' ? groundOf(observed) : undefined;
  if (ground?.opaque !== undefined)
    return {
      side,
      size: stat.size,
      how: `not known: ${ground.name} keeps its pages in ${ground.opaque}, which cannot be asked through this file`,
    };
  const pages = pagesOf(observed, `${side}-pages`);
  if ('refused' in pages) return { side, size: stat.size, how: pages.refused };
  const strip = pages.total === 0 ? undefined : stripOf(observed, `${side}-pages`, pages.total, columns);
  return {
    side,
    size: stat.size,
    pages,
    ...(strip === undefined ? {} : { strip }),
    how: borrows
      ? `through the descriptor of process ${(hold.value as BorrowResult).pid}, which has it open`
      : ground?.storage === 'tmpfs'
        ? `${ground.name}: all that is stored is in memory`
        : 'through a descriptor of its own',
  };
}

function notHeld(hold: Outcome): string {
  return hold.kind === 'errno' ? `it cannot be opened there (${hold.errno})` : describeOutcome(hold);
}

function notOpened({ setting: { mode } }: Observed): string {
  if (mode === undefined)
    return 'not looked at: nobody there has it open, and opening it would drop its pages unless the mode is always (say which it is: --mode)';
  return `not looked at: nobody there has it open, and in mode ${mode.name} opening it drops its pages. So will the next reader's open: whoever opens it now finds nothing cached`;
}
