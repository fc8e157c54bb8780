import { defineCheck, type Observed, type Step } from '../../src/model/check.ts';
import type { EvictResult, Stat } from '../../src/model/operation.ts';
import { describeOutcome } from '../../src/model/outcome.ts';
import type { CachedPages, DropEvidence, SideDrop } from '../../src/model/residency.ts';
import type { Side } from '../../src/model/side.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { operatingFailure } from '../compare/failures.ts';
import { shareWords } from '../compare/looks.ts';
import {
  groundOf,
  groundStep,
  type LookArgs,
  limitOf,
  lookArgs,
  openKeepsPages,
  pageSteps,
  pagesOf,
  refusalWords,
} from './look.ts';

interface DropArgs extends LookArgs {
  readonly systemWide: boolean;
}

/** Guest first: what it writes back when it is opened there is in the host's cache before that is dropped. */
const order: readonly Side[] = ['guest', 'host'];

/**
 * `vfs-verify drop PATH`: evicts one file from the page cache of the guest, the host or both, and says what
 * was really dropped. In the guest nothing is evicted that has dirty pages, since that would write them over
 * the host's bytes; on the host the file is written back first.
 */
export const drop = defineCheck({
  name: 'drop',
  title: "a file dropped from the sides' page caches",
  codes: {
    stuck: 'a side gave no answer within the limit',
    gone: 'a side went away',
    'not-dropped': 'nothing could be dropped',
    interrupted: 'the run was interrupted',
  },
  cases(setting) {
    const args = dropArgs(setting);
    return [
      {
        name: args.systemWide ? 'everything' : 'your-file',
        scenarios: [],
        isolation: 'exclusive',
        needs: [],
        inPlace: true,
        actors: { host: 'host', guest: 'guest' },
        steps: chained(
          dropped(args).flatMap((side) =>
            args.systemWide ? everything(side, args) : [statStep(side, args)],
          ),
        ),
      },
    ];
  },
  next(observed) {
    const args = dropArgs(observed.setting);
    const ran = new Set(observed.steps.map(({ id }) => id));
    if (args.systemWide || ran.has('host-open') || ran.has('guest-open')) return [];
    const sides = dropped(args).filter((side) => observed.value<Stat>(`${side}-stat`)?.type === 'file');
    if (sides.includes('guest') && !ran.has('guest-borrow')) return chained(borrowSteps(args));
    const isBorrowed = observed.outcome('guest-borrow').kind === 'value';
    return chained(
      sides
        .filter((side) => side === 'host' || !isBorrowed)
        .flatMap((side) => evictSteps(observed, side, args)),
    );
  },
  judge(observed): Verdict {
    const args = dropArgs(observed.setting);
    const failure = operatingFailure(observed);
    if (failure !== undefined) return failure;
    const sides = dropped(args).map((side) =>
      args.systemWide ? wholeSide(observed, side) : sideOf(observed, side),
    );
    const evidence: DropEvidence = {
      kind: 'drop',
      ...(args.systemWide ? {} : { path: args.guestPath }),
      systemWide: args.systemWide,
      sides,
      share: shareWords(observed.setting),
    };
    const reason = sides.map(({ side, outcome, how }) => `${side}: ${outcome}, ${how}`).join('; ');
    return sides.every(({ outcome }) => outcome !== 'refused' && outcome !== 'failed')
      ? { kind: 'pass', reason, evidence }
      : { kind: 'unknown', code: 'not-dropped', reason, evidence };
  },
});

function dropArgs(setting: Observed['setting']): DropArgs {
  return lookArgs(setting) as DropArgs;
}

function dropped({ side }: LookArgs): Side[] {
  return order.filter((each) => side === 'both' || side === each);
}

/** One after the other, whoever the actor is. */
function chained(steps: readonly Step[]): Step[] {
  return steps.map((step, index) => {
    const previous = steps[index - 1];
    return previous === undefined ? step : { ...step, after: [{ step: previous.id, has: 'ended' }] };
  });
}

function step(id: string, actor: Side, op: Step['op'], args: LookArgs): Step {
  return { id: `${actor}-${id}`, actor, op, limit: limitOf(args), mayFail: true };
}

function statStep(side: Side, args: LookArgs): Step {
  const path = side === 'host' ? args.hostPath : args.guestPath;
  return step(
    'stat',
    side,
    { do: 'stat', path, follow: true, ...(side === 'guest' ? { sync: 'dont' } : {}) },
    args,
  );
}

/**
 * Through a descriptor that somebody in the guest has open already, where there is one: an open of ours would
 * in most modes drop clean pages and write dirty ones back before anything could be counted or refused.
 */
function borrowSteps(args: DropArgs): Step[] {
  return [
    step('borrow', 'guest', { do: 'borrow', path: args.guestPath, as: 'borrowed' }, args),
    step('evict', 'guest', { do: 'evict', file: 'borrowed' }, args),
  ];
}

function evictSteps(observed: Observed, side: Side, args: DropArgs): Step[] {
  const size = observed.value<Stat>(`${side}-stat`)?.size ?? 0;
  const path = side === 'host' ? args.hostPath : args.guestPath;
  const open = step('open', side, { do: 'open', path, flags: ['rdonly', 'nonblock'], as: 'file' }, args);
  if (side === 'guest') return [open, step('evict-own', side, { do: 'evict', file: 'file' }, args)];
  return [
    open,
    groundStep(args),
    ...pageSteps('host-before', side, size, args, false),
    step('sync', side, { do: 'fsync', file: 'file' }, args),
    step('evict', side, { do: 'evict', file: 'file', evenDirty: true }, args),
  ];
}

const meminfo = '/proc/meminfo';

/** drop_caches, between two looks at the size of the whole cache. */
function everything(side: Side, args: DropArgs): Step[] {
  const look = (when: string) => [
    step(`open-${when}`, side, { do: 'open', path: meminfo, flags: ['rdonly'], as: when }, args),
    step(`cache-${when}`, side, { do: 'read', file: when, offset: 0, length: 4096 }, args),
  ];
  return [...look('before'), step('drop', side, { do: 'drop-caches', what: 3 }, args), ...look('after')];
}

function wholeSide(observed: Observed, side: Side): SideDrop {
  const outcome = observed.outcome(`${side}-drop`);
  if (outcome.kind !== 'value') return { side, outcome: 'failed', how: describeOutcome(outcome) };
  const before = cacheBytes(observed, `${side}-cache-before`);
  const after = cacheBytes(observed, `${side}-cache-after`);
  return {
    side,
    outcome: 'partly',
    ...(before === undefined || after === undefined ? {} : { cacheBytes: [before, after] }),
    how: 'every clean page, name and inode that nobody uses; dirty, mapped and DAX pages stay',
  };
}

function cacheBytes(observed: Observed, id: string): number | undefined {
  const text = observed.value<{ base64: string }>(id)?.base64;
  const kib = text === undefined ? undefined : /^Cached:\s+(\d+) kB/m.exec(atob(text))?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

function sideOf(observed: Observed, side: Side): SideDrop {
  const stat = observed.value<Stat>(`${side}-stat`);
  if (stat === undefined)
    return { side, outcome: 'failed', how: describeOutcome(observed.outcome(`${side}-stat`)) };
  if (stat.type !== 'file') return { side, outcome: 'failed', how: `a ${stat.type}, no regular file` };
  if (stat.dax === true)
    return { side, outcome: 'refused', how: 'a DAX file: the guest keeps no pages of it' };
  const isOwn = observed.steps.some(({ id }) => id === `${side}-evict-own`);
  const outcome = observed.outcome(isOwn ? `${side}-evict-own` : `${side}-evict`);
  if (outcome.kind !== 'value') {
    const opened = observed.outcome(`${side}-open`);
    return { side, outcome: 'failed', how: describeOutcome(opened.kind === 'value' ? outcome : opened) };
  }
  return told(observed, side, outcome.value as EvictResult, isOwn);
}

function told(observed: Observed, side: Side, result: EvictResult, isOwn: boolean): SideDrop {
  const ground = side === 'host' ? groundOf(observed) : undefined;
  if (ground?.opaque !== undefined)
    return {
      side,
      outcome: 'unseen',
      how: `written back, then evicted; what went cannot be told: ${ground.name} keeps its pages in ${ground.opaque}`,
    };
  const written = side === 'host' ? pagesOf(observed, 'host-before') : undefined;
  const before = written !== undefined && !('refused' in written) ? written : counted(result.before);
  const after = counted(result.after);
  const pages = { ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) };
  if (!result.evicted) {
    const dirty = (result.before.dirty ?? 0) + (result.before.writeback ?? 0);
    const how =
      result.before.dirty === undefined
        ? 'left alone: whether it has dirty pages cannot be told, and evicting would write them back'
        : `left alone: ${dirty} pages are dirty, and evicting would write them over the host's bytes`;
    return { side, outcome: 'refused', ...pages, how };
  }
  const byOpen = isOwn && !openKeepsPages(observed.setting);
  const how = [
    ...(byOpen ? ['opening it dropped what was cached: in this mode an open does'] : []),
    ...(side === 'host' ? ['written back, then evicted'] : []),
    ...(after === undefined ? [`what went cannot be told: ${refusalWords(result.after.refusal)}`] : []),
    ...(after !== undefined && after.cached > 0
      ? ground?.storage === 'tmpfs'
        ? [`${ground.name} keeps all that is stored in memory`]
        : [`${after.cached} pages stayed: ${after.dirty ?? 0} dirty, the rest mapped or in use`]
      : []),
  ].join('; ');
  return {
    side,
    outcome: after === undefined ? 'unseen' : after.cached === 0 ? 'done' : 'partly',
    ...pages,
    how: how === '' ? 'evicted' : how,
  };
}

function counted({
  by,
  pages,
  cached,
  dirty,
  writeback,
  pageSize,
}: EvictResult['before']): CachedPages | undefined {
  if (by === 'refused') return undefined;
  return {
    total: pages,
    cached,
    pageSize,
    ...(dirty === undefined ? {} : { dirty: dirty + (writeback ?? 0) }),
  };
}
