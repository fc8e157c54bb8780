import type { Setting, Step } from '../../src/model/check.ts';
import { hasWindow } from '../../src/model/mode.ts';
import type { CountersResult, ExtentsResult, Operation, PageState } from '../../src/model/operation.ts';
import { bytes } from '../path/look.ts';
import { blockOf } from '../path/steps.ts';
import { liesInMemory } from '../repeat/in-memory.ts';
import { type Finding, inTurn, many, refusalIn, valuesOf } from '../repeat/question.ts';
import type { Attempt, Job, PromiseOf } from './job.ts';
import { countedProcesses, type Moved, movedBetween } from './moved.ts';

/** Writes of a page each; few, as reads are. */
const writes = 64;

type State = 'cold' | 'host-warm' | 'guest-warm';
const states: readonly State[] = ['cold', 'host-warm', 'guest-warm'];

const written = 'guest-write/before-fsync';
const flushed = 'guest-write/after-fsync';
const stored = 'fsync-durable/pages';

/**
 * 64 writes of whole pages over a file that is there, and one fsync: how far had the bytes got when write()
 * returned, and when fsync() did?
 *
 * ```
 *  guest   64 × write()                fsync()
 *  host  ↑ counters            ↑ counters, dirty pages   ↑ counters, dirty pages
 *                              daemon has them, unless     daemon has them, the pages are clean,
 *                              the mode keeps them back    and a disk was written to
 * ```
 */
export const writeJobs: readonly Job[] = states.map((state) => ({
  name: `write-${state}`,
  scenarios: [written, flushed, stored],
  attempt: (setting, n) => attemptAt(state, setting, n),
  spoilt,
  weigh,
}));

const turns = ['make', 'open', 'ready', 'before', 'write', 'between', 'fsync', 'after'] as const;

function attemptAt(state: State, setting: Setting, n: number): readonly Step[] {
  const file = `write-${state}-${n}`;
  const range = { offset: 0, length: wholeOf(setting) };
  const pattern = { seed: setting.seed, fileId: n };
  const counters: Operation = { do: 'counters', processes: countedProcesses(setting), file };
  const pages: Operation = { do: 'pages', file };
  return inTurn(n, [
    [
      'host',
      'make',
      many(
        { do: 'open', path: file, flags: ['creat', 'excl', 'rdwr'], mode: 0o666, as: file },
        { do: 'fill', file, range, ...pattern, writer: 1, generation: 1 },
        { do: 'fsync', file },
      ),
    ],
    [
      'guest',
      'open',
      many(
        { do: 'open', path: file, flags: ['rdwr'], as: file },
        ...(state === 'guest-warm' ? ([{ do: 'hash', file, algorithm: 'md5', sync: 'dont' }] as const) : []),
      ),
    ],
    [
      'host',
      'ready',
      many(
        ...(state === 'cold' ? ([{ do: 'evict', file, evenDirty: true }] as const) : []),
        { do: 'extents', file, range },
        pages,
      ),
    ],
    ['host', 'before', many(counters)],
    [
      'guest',
      'write',
      { do: 'fill', file, range, chunk: blockOf(setting), ...pattern, writer: 2, generation: 2 },
    ],
    ['host', 'between', many(counters, pages)],
    ['guest', 'fsync', { do: 'fsync', file }],
    ['host', 'after', many(counters, pages)],
  ]);
}

function wholeOf(setting: Setting): number {
  return writes * blockOf(setting);
}

interface Seen {
  /** Until write() had returned, and until fsync() had. */
  readonly atWrite: Moved;
  readonly atFsync: Moved;
  /** The host's pages of the file, at the same moments. */
  readonly pagesAtWrite: PageState;
  readonly pagesAtFsync: PageState;
}

function seenIn({ observed, n }: Attempt): Seen | string {
  const last = <T>(turn: string, index: number) =>
    valuesOf(observed, n, turn).values.at(index) as T | undefined;
  const before = last<CountersResult>('before', 0);
  const atWrite = movedBetween(before, last('between', 0));
  const atFsync = movedBetween(before, last('after', 0));
  const [pagesAtWrite, pagesAtFsync] = [last<PageState>('between', 1), last<PageState>('after', 1)];
  if (typeof atWrite === 'string') return atWrite;
  if (typeof atFsync === 'string') return atFsync;
  if (pagesAtWrite === undefined || pagesAtFsync === undefined) return 'the pages of the host were not seen';
  return { atWrite, atFsync, pagesAtWrite, pagesAtFsync };
}

function spoilt(attempt: Attempt): Finding | undefined {
  const { observed, n } = attempt;
  const refused = refusalIn(observed, n, turns);
  if (refused !== undefined) return { kind: 'unclear', words: refused };
  const extents = valuesOf(observed, n, 'ready').values.at(-2) as ExtentsResult | undefined;
  if (liesInMemory(extents))
    return { kind: 'not-here', words: 'the share lies in memory (tmpfs): nothing is ever written to a disk' };
  const seen = seenIn(attempt);
  return typeof seen === 'string' ? { kind: 'unclear', code: 'not-proved', words: seen } : undefined;
}

function weigh(attempt: Attempt, promised: PromiseOf): Finding {
  const seen = seenIn(attempt);
  if (typeof seen === 'string') throw new Error(`a spoilt attempt is not weighed: ${seen}`);
  const { setting } = attempt.observed;
  const whole = wholeOf(setting);
  // Stores through a window are the host's own pages: no call of the daemon carries them.
  const crosses = !hasWindow(setting.mode);
  const atOnce = promised(written).freshness.kind === 'fresh';
  const atLast = promised(flushed).freshness.kind === 'fresh';
  return (
    (crosses && atOnce ? notPassedOn(whole, seen.atWrite, 'write()') : undefined) ??
    (crosses && atLast ? notPassedOn(whole, seen.atFsync, 'fsync()') : undefined) ??
    (promised(stored).freshness.kind === 'durable-after' ? notStored(whole, seen) : undefined) ?? {
      kind: 'holds',
      words: holding(whole, seen),
    }
  );
}

function notPassedOn(whole: number, { written: passed }: Moved, call: string): Finding | undefined {
  if (passed >= whole) return undefined;
  return {
    kind: 'broken',
    code: 'not-passed-on',
    words: `${bytes(whole)} were acknowledged; when ${call} had returned the daemon’s calls had written ${bytes(passed)} in all`,
    certain: true,
  };
}

/** Pages that fsync left unwritten; or none, and nobody made any dirty, nor was the disk written to. */
function notStored(whole: number, { atFsync, pagesAtFsync }: Seen): Finding | undefined {
  const { dirty, writeback, pages } = pagesAtFsync;
  if (dirty === undefined || writeback === undefined)
    return {
      kind: 'unclear',
      code: 'not-proved',
      words: `the host does not say which pages are dirty (${pagesAtFsync.refusal ?? pagesAtFsync.by})`,
    };
  if (dirty + writeback > 0)
    return {
      kind: 'broken',
      code: 'not-on-disk',
      words: `when fsync() had returned, ${dirty} of ${pages} pages were dirty on the host and ${writeback} under writeback`,
      certain: true,
    };
  const { madeDirty, device } = atFsync;
  if (madeDirty >= whole || device === undefined || device.written >= whole) return undefined;
  return {
    kind: 'broken',
    code: 'not-on-disk',
    words: `${bytes(whole)} were acknowledged and synced; ${bytes(madeDirty)} were made dirty on the host, and the device wrote ${bytes(device.written)} for everybody`,
    certain: true,
  };
}

function holding(whole: number, { atWrite, atFsync, pagesAtWrite, pagesAtFsync }: Seen): string {
  const device = atFsync.device === undefined ? '' : `; the device wrote ${bytes(atFsync.device.written)}`;
  return `${bytes(whole)} acknowledged; the daemon’s calls wrote ${bytes(atWrite.written)} until write() had returned, ${bytes(atFsync.written)} until fsync() had; ${pagesAtWrite.dirty ?? 'no'} pages were dirty on the host then, and ${pagesAtFsync.dirty} after it${device}`;
}
