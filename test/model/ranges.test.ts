import { describe, expect, it } from 'vitest';
import type { BlockDigests } from '../../src/model/operation.ts';
import { differingRanges, firstRanges, mergeRanges } from '../../src/model/ranges.ts';

/** A stream of block digests, one letter a block, in batches as a probe would send them. */
async function* stream(letters: string, batch = 2): AsyncGenerator<BlockDigests> {
  for (let from = 0; from < letters.length; from += batch) {
    const part = letters.slice(from, from + batch);
    yield { from, base64: btoa([...part].map((letter) => letter.repeat(16)).join('')) };
  }
}

describe('the blocks in which two passes differ', () => {
  it('are merged, and the last is cut at the end of the file', async () => {
    const ranges = await differingRanges(stream('abcdef'), stream('abXYeZ', 3), {
      start: 0,
      block: 10,
      end: 57,
    });
    expect(ranges).toEqual([
      { offset: 20, length: 20 },
      { offset: 50, length: 7 },
    ]);
  });

  it('include what only the longer side has', async () => {
    expect(await differingRanges(stream('ab'), stream('abcd'), { start: 0, block: 10, end: 40 })).toEqual([
      { offset: 20, length: 20 },
    ]);
  });

  it('are counted from where the pass began', async () => {
    expect(await differingRanges(stream('ab'), stream('aX'), { start: 100, block: 10, end: 120 })).toEqual([
      { offset: 110, length: 10 },
    ]);
  });

  it('are none for equal passes and for empty files', async () => {
    expect(await differingRanges(stream('abc'), stream('abc'), { start: 0, block: 10, end: 30 })).toEqual([]);
    expect(await differingRanges(stream(''), stream(''), { start: 0, block: 10, end: 0 })).toEqual([]);
  });
});

describe('ranges', () => {
  it('that touch or overlap become one', () => {
    expect(
      mergeRanges([
        { offset: 30, length: 5 },
        { offset: 0, length: 10 },
        { offset: 10, length: 5 },
        { offset: 12, length: 1 },
        { offset: 40, length: 0 },
      ]),
    ).toEqual([
      { offset: 0, length: 15 },
      { offset: 30, length: 5 },
    ]);
  });

  it('are taken from the front up to a budget, the last one cut', () => {
    const ranges = [
      { offset: 0, length: 10 },
      { offset: 20, length: 10 },
      { offset: 40, length: 10 },
    ];
    expect(firstRanges(ranges, 2, 100)).toHaveLength(2);
    expect(firstRanges(ranges, 9, 15)).toEqual([
      { offset: 0, length: 10 },
      { offset: 20, length: 5 },
    ]);
  });
});
