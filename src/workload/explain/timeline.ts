import type { Flow, ProgramAccount } from '../../model/program-account.ts';
import { type QuantityName, quantityNames, runQuantities } from '../../model/run-quantities.ts';
import type { Timeline } from '../../model/timeline.ts';
import type { Look } from './looks.ts';

/** What a timeline is made of. All moments are milliseconds from the program's start, by our own clock. */
export interface Looked {
  readonly guest: readonly Look[];
  readonly host: readonly Look[];
  /** Of the virtqueue, which is looked at more rarely. */
  readonly queue: readonly Look[];
  readonly endMs: number;
  readonly withinMs: Timeline['withinMs'];
  readonly account: Pick<ProgramAccount, 'reads' | 'writes'>;
}

const finestMs = 100;
/** A minute at the finest; longer runs have longer intervals, so that an hour's picture is as large as a minute's. */
const mostIntervals = 600;

/**
 * The looks of both sides on one axis, in intervals of 100 ms or a doubling of it. Sums are divided evenly between two
 * looks, so that they add up to what was counted from the last look before the program began to the last one.
 */
export function timelineOf(looked: Looked): Timeline {
  const { guest, queue, endMs, withinMs, account } = looked;
  // What the host did before the last look ahead of the program is not of this run.
  const host = looked.host.filter((_, index, looks) => (looks[index + 1]?.atMs ?? 1) > 0);
  const lastMs = Math.max(endMs, host.at(-1)?.atMs ?? 0);
  const earlierMs = Math.max(0, -(host[0]?.atMs ?? 0));
  let intervalMs = finestMs;
  const lead = () => Math.ceil(earlierMs / intervalMs);
  const count = () => lead() + Math.max(1, Math.ceil(lastMs / intervalMs));
  while (count() > mostIntervals) intervalMs *= 2;
  const fromMs = 0 - lead() * intervalMs;
  const left = leftOut(guest, account);
  const series = quantityNames.flatMap((name) => {
    if (left.some(({ names }) => names.includes(name))) return [];
    const looks = { guest, host, queue }[runQuantities[name].side];
    const values = valuesOf(name, looks, { fromMs, intervalMs, count: count() });
    return values.every((value) => value === null) ? [] : [[name, values] as const];
  });
  return {
    fromMs,
    intervalMs,
    endMs,
    series: Object.fromEntries(series),
    withinMs,
    longestGapMs: {
      guest: longestGap(guest),
      host: longestGap(host),
      ...(queue.length < 2 ? {} : { queue: longestGap(queue) }),
    },
    unseen: left.flatMap(({ what, why }) => (why === undefined ? [] : [{ what, why }])),
  };
}

interface Grid {
  readonly fromMs: number;
  readonly intervalMs: number;
  readonly count: number;
}

function valuesOf(name: QuantityName, looks: readonly Look[], grid: Grid): (number | null)[] {
  const points = looks.flatMap(({ atMs, seen }) => {
    const value = seen[name];
    return value === undefined ? [] : [{ atMs, value }];
  });
  const [first, last] = [points[0], points.at(-1)];
  const isSum = runQuantities[name].kind === 'sum';
  const at = between(isSum ? neverBack(points) : points);
  return Array.from({ length: grid.count }, (_, index) => {
    if (first === undefined || last === undefined) return null;
    const begin = grid.fromMs + index * grid.intervalMs;
    const end = begin + grid.intervalMs;
    // Nobody looked while it lasted: before the first look, or after the last.
    if (begin >= last.atMs || (isSum ? end <= first.atMs : end < first.atMs)) return null;
    const before = isSum ? Math.round(at(begin)) : 0;
    return Math.round(at(end)) - before;
  });
}

interface Point {
  readonly atMs: number;
  readonly value: number;
}

/** The value at a moment, on the line between the two looks around it; at either end the nearest look's. */
function between(points: readonly Point[]): (atMs: number) => number {
  // Asked for in ascending order: what lies behind is not searched again.
  let index = 0;
  return (atMs) => {
    if (atMs < (points[index]?.atMs ?? 0)) index = 0;
    while (index + 1 < points.length && (points[index + 1]?.atMs ?? 0) <= atMs) index += 1;
    const [from, to] = [points[index], points[index + 1]];
    if (from === undefined) return 0;
    if (to === undefined || atMs <= from.atMs) return from.value;
    return from.value + ((to.value - from.value) * (atMs - from.atMs)) / (to.atMs - from.atMs);
  };
}

/** A kernel sums up a process's threads while they count: a sum may be a little behind the one before it. */
function neverBack(points: readonly Point[]): Point[] {
  let most = -Infinity;
  return points.map(({ atMs, value }) => {
    most = Math.max(most, value);
    return { atMs, value: most };
  });
}

function longestGap(looks: readonly Look[]): number {
  return Math.round(
    looks.reduce((most, { atMs }, index) => Math.max(most, atMs - (looks[index - 1]?.atMs ?? atMs)), 0),
  );
}

/** What the program's own counters do not tell of the share. */
function leftOut(
  guest: readonly Look[],
  { reads, writes }: Looked['account'],
): { what: string; why: string | undefined; names: readonly QuantityName[] }[] {
  const counted = guest.at(-1)?.seen ?? {};
  const parts = [
    ['what it read', reads, counted.askedReadBytes ?? 0, ['askedReadBytes', 'askedReads']],
    ['what it wrote', writes, counted.askedWrittenBytes ?? 0, ['askedWrittenBytes', 'askedWrites']],
  ] as const;
  return parts.flatMap(([what, flow, bytes, names]) => {
    const verdict = tells(flow, bytes);
    return verdict.isTold ? [] : [{ what, why: verdict.why, names }];
  });
}

/** Other files, pipes and sockets: so much beside what was asked of the share is no matter. */
const besideBytes = 1024 * 1024;

function tells({ asked }: Flow, counted: number): { isTold: boolean; why?: string } {
  const [least, most] = asked.bytes;
  // Nothing of it was the share's: there is nothing to miss.
  if (most === 0 && asked.hidden === undefined) return { isTold: false };
  if (asked.hidden !== undefined)
    return { isTold: false, why: `${asked.hidden}: its counters do not show when` };
  if (counted < 0.9 * least)
    return { isTold: false, why: 'its counters have less than it was given: they do not show when' };
  if (counted <= 1.1 * most + besideBytes) return { isTold: true };
  return { isTold: false, why: 'its counters have far more of other files, pipes and sockets in them' };
}
