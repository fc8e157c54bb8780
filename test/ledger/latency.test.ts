import { describe, expect, it } from 'vitest';
import { Histogram } from '../../src/ledger/histogram.ts';
import { tierOf, tiersFrom } from '../../src/ledger/latency.ts';

/** A class of `count` durations around a middle, evenly spread by a factor on either side. */
function around(middle: number, factor: number, count = 200): number[] {
  return Array.from({ length: count }, (_, index) => middle * factor ** ((2 * index) / (count - 1) - 1));
}

describe('latency classes', () => {
  const apart = tiersFrom([
    { source: 'disk', ns: around(6_000_000, 2) },
    { source: 'guest-cache', ns: around(900, 2) },
    { source: 'host-cache', ns: around(46_000, 1.5) },
  ]);

  it('tell durations of classes that lie apart', () => {
    expect(tierOf(500, apart)?.source).toBe('guest-cache');
    expect(tierOf(50_000, apart)?.source).toBe('host-cache');
    expect(tierOf(60_000_000, apart)?.source).toBe('disk');
    expect(apart.refused).toEqual([]);
  });

  it('never claim to be free of error', () => {
    for (const { mistaken, samples } of apart.classes) {
      expect(mistaken).toBeGreaterThan(0);
      expect(mistaken).toBeLessThanOrEqual(0.01);
      expect(samples).toBe(200);
    }
  });

  it('refuse durations where two classes overlap', () => {
    const overlapping = tiersFrom([
      { source: 'host-cache', ns: around(200_000, 1.6) },
      { source: 'disk', ns: around(400_000, 1.6) },
    ]);
    expect(tierOf(290_000, overlapping)).toBeUndefined();
    expect(tierOf(130_000, overlapping)?.source).toBe('host-cache');
    expect(tierOf(600_000, overlapping)?.source).toBe('disk');
    expect(overlapping.classes[0]?.undecided).toBeGreaterThan(0.1);
  });

  it('leave the ground of a class that was not calibrated to nobody', () => {
    const { classes } = tiersFrom([{ source: 'host-cache', ns: around(46_000, 1.5) }]);
    expect(tierOf(500, { classes, refused: [] })).toBeUndefined();
    expect(tierOf(6_000_000, { classes, refused: [] })).toBeUndefined();
  });

  it('refuse a class that lies within another, that other, and one of few samples', () => {
    const { refused } = tiersFrom([
      { source: 'host-cache', ns: around(200_000, 3) },
      { source: 'disk', ns: around(210_000, 1.1) },
      { source: 'guest-cache', ns: [1, 2, 3] },
    ]);
    expect(refused.map(({ source }) => source)).toEqual(['guest-cache', 'host-cache', 'disk']);
  });
});

describe('a histogram of durations', () => {
  it('gives percentiles to 1 in 128, and the exact longest', () => {
    const histogram = new Histogram();
    for (let ns = 1; ns <= 100_000; ns += 1) histogram.add(ns);
    const { count, p50Ns, p99Ns, maxNs } = histogram.summary();
    expect(count).toBe(100_000);
    expect(Math.abs(p50Ns / 50_000 - 1)).toBeLessThan(1 / 128);
    expect(Math.abs(p99Ns / 99_000 - 1)).toBeLessThan(1 / 128);
    expect(maxNs).toBe(100_000);
  });

  it('counts by powers of two', () => {
    const histogram = new Histogram();
    for (const ns of [1, 2, 3, 4, 1000, 1025]) histogram.add(ns);
    expect(histogram.summary().log2).toEqual([1, 2, 1, 0, 0, 0, 0, 0, 0, 1, 1]);
  });

  it('is empty without durations', () => {
    expect(new Histogram().summary()).toEqual({ count: 0, p50Ns: 0, p99Ns: 0, maxNs: 0, log2: [] });
  });
});
