import { describe, expect, it } from 'vitest';
import { permuted, type ReadPlan, readOffset, readsOf } from '../../src/model/read-plan.ts';

const plan: ReadPlan = {
  order: 'random',
  block: 4096,
  range: { offset: 8192, length: 10 * 4096 + 5 },
  count: 25,
  seed: 7,
  passes: 2,
};

describe('the order of a run of reads', () => {
  it('visits every block once before it visits any again', () => {
    for (const count of [1, 2, 3, 11, 64, 1000])
      expect(
        Array.from({ length: count }, (_, slot) => permuted(slot, count, 0x91c2)).sort((a, b) => a - b),
      ).toEqual(Array.from({ length: count }, (_, each) => each));
  });

  it('is the same wherever it is computed', () => {
    // Also asserted of the probe's own, in C.
    expect(Array.from({ length: 11 }, (_, slot) => permuted(slot, 11, 7))).toEqual([
      4, 10, 9, 1, 5, 3, 8, 7, 0, 6, 2,
    ]);
  });

  it('begins again with another permutation, and repeats a pass exactly', () => {
    const offsets = Array.from({ length: 50 }, (_, index) => readOffset(plan, index));
    expect(new Set(offsets.slice(0, 11)).size).toBe(11);
    expect(new Set(offsets.slice(11, 22)).size).toBe(11);
    expect(offsets.slice(0, 11)).not.toEqual(offsets.slice(11, 22));
    expect(offsets.slice(25)).toEqual(offsets.slice(0, 25));
    expect(Math.min(...offsets)).toBe(8192);
  });

  it('holds for files of any size', () => {
    const blocks = 2 ** 40 + 3;
    const seen = new Set(Array.from({ length: 1000 }, (_, slot) => permuted(slot, blocks, 1)));
    expect(seen.size).toBe(1000);
    for (const block of seen) expect(block).toBeLessThan(blocks);
  });

  it('unpacks what the probe sends, with its exceptions', () => {
    const ns = btoa(String.fromCharCode(10, 0, 0, 0, 255, 255, 255, 255, 0, 1, 0, 0));
    const seq: ReadPlan = { ...plan, order: 'seq' };
    expect([...readsOf(seq, { from: 9, ns, slow: [[10, 5e9]], short: [[10, 5]] })]).toEqual([
      { offset: 8192 + 9 * 4096, asked: 4096, bytes: 4096, ns: 10 },
      { offset: 8192 + 10 * 4096, asked: 4096, bytes: 5, ns: 5e9 },
      { offset: 8192, asked: 4096, bytes: 4096, ns: 256 },
    ]);
  });
});
