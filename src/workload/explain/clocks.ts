import type { ClockResult } from '../../model/operation.ts';
import type { Asker } from './asker.ts';

/** A side's clock, read between two moments of our own (milliseconds of `performance.now`). */
export interface ClockMark {
  readonly askedMs: number;
  readonly answeredMs: number;
  /** CLOCK_MONOTONIC of that side. */
  readonly monotonicNs: bigint;
}

/** A few readings are enough to find one that nothing delayed. */
const readings = 4;

/** Reads a side's clock; the closest of a few readings, or undefined where it does not answer. */
export async function readClock(side: Asker): Promise<ClockMark | undefined> {
  let closest: ClockMark | undefined;
  for (let reading = 0; reading < readings; reading += 1) {
    const askedMs = performance.now();
    const value = await side.value<ClockResult>({ do: 'clock' }, 'guest-clock');
    if (value === undefined) return closest;
    const mark = { askedMs, answeredMs: performance.now(), monotonicNs: BigInt(value.monotonicNs) };
    if (closest === undefined || width(mark) < width(closest)) closest = mark;
  }
  return closest;
}

/** Moments of another clock in our own. */
export interface ClockBridge {
  /** Our own milliseconds. */
  readonly ownMs: (monotonicNs: bigint) => number;
  /** How far that may be off, either way. */
  readonly withinMs: number;
}

/**
 * Our own time for that of another clock, from readings before and after a run: a clock that goes at another rate is
 * met at both ends.
 */
export function bridgeBetween(before: ClockMark, after: ClockMark): ClockBridge {
  const [from, to] = [middle(before), middle(after)];
  const there = milliseconds(after.monotonicNs - before.monotonicNs);
  const rate = there > 0 ? (to - from) / there : 1;
  return {
    ownMs: (monotonicNs) => from + rate * milliseconds(monotonicNs - before.monotonicNs),
    withinMs: Math.max(width(before), width(after)) / 2,
  };
}

function middle({ askedMs, answeredMs }: ClockMark): number {
  return (askedMs + answeredMs) / 2;
}

function width({ askedMs, answeredMs }: ClockMark): number {
  return answeredMs - askedMs;
}

function milliseconds(ns: bigint): number {
  return Number(ns) / 1e6;
}
