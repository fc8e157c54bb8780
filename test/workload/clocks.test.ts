import { describe, expect, it } from 'vitest';
import { bridgeBetween, type ClockMark } from '../../src/workload/explain/clocks.ts';
import { Thinned } from '../../src/workload/explain/thinned.ts';

const mark = (askedMs: number, answeredMs: number, monotonicMs: number): ClockMark => ({
  askedMs,
  answeredMs,
  monotonicNs: BigInt(monotonicMs) * 1_000_000n,
});

describe('moments of another clock', () => {
  it('are told in our own, with what their readings leave open', () => {
    // Uptimes of months do not fit a number in nanoseconds.
    const boot = 10_000_000_000;
    const bridge = bridgeBetween(mark(1000, 1010, boot), mark(2000, 2030, boot + 1010));
    expect(bridge.withinMs).toBe(15);
    expect(bridge.ownMs(BigInt(boot + 500) * 1_000_000n)).toBeCloseTo(1505, 6);
  });

  it('of a clock that goes at another rate are met at both ends', () => {
    const bridge = bridgeBetween(mark(0, 0, 0), mark(1_000_000, 1_000_000, 1_000_500));
    expect(bridge.ownMs(1_000_500n * 1_000_000n)).toBeCloseTo(1_000_000, 6);
  });
});

describe('a list that stays bounded', () => {
  it('keeps the first, the last, and even steps between', () => {
    const list = new Thinned<number>(8);
    expect(list.items).toEqual([]);
    for (let item = 0; item <= 1001; item += 1) list.push(item);
    expect(list.items.length).toBeLessThanOrEqual(9);
    expect(list.items[0]).toBe(0);
    expect(list.items.at(-1)).toBe(1001);
    const steps = list.items.slice(0, -1).map((item, index, all) => item - (all[index - 1] ?? 0));
    expect(new Set(steps.slice(1)).size).toBe(1);
  });

  it('has everything while there is room', () => {
    const list = new Thinned<string>(4);
    for (const item of ['a', 'b', 'c']) list.push(item);
    expect(list.items).toEqual(['a', 'b', 'c']);
  });
});
