import type { BlockDigests, ByteRange } from './operation.ts';

/** A range with both ends known. */
export type Range = Required<ByteRange>;

/** Sorted ranges, those that touch or overlap made one. */
export function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: { offset: number; length: number }[] = [];
  for (const { offset, length } of [...ranges].sort((a, b) => a.offset - b.offset)) {
    const last = merged.at(-1);
    if (length === 0) continue;
    if (last !== undefined && offset <= last.offset + last.length)
      last.length = Math.max(last.length, offset + length - last.offset);
    else merged.push({ offset, length });
  }
  return merged;
}

/**
 * The leading ranges up to a number of ranges and of bytes, the last one cut to fit.
 */
export function firstRanges(ranges: readonly Range[], maxRanges: number, maxBytes: number): Range[] {
  const taken: Range[] = [];
  let left = maxBytes;
  for (const range of ranges.slice(0, maxRanges)) {
    if (left <= 0) break;
    const length = Math.min(range.length, left);
    taken.push({ offset: range.offset, length });
    left -= length;
  }
  return taken;
}

/** Bytes of one block's digest (XXH64 with zeros, or MD5). */
const digestSize = 16;

/**
 * The blocks in which two streams of block digests differ, merged. A block that only one side has differs.
 * @param start offset of block 0; @param block its size in bytes; @param end where the longer side ends.
 */
export async function differingRanges(
  a: AsyncIterable<BlockDigests>,
  b: AsyncIterable<BlockDigests>,
  { start, block, end }: { readonly start: number; readonly block: number; readonly end: number },
): Promise<Range[]> {
  const ranges: { offset: number; length: number }[] = [];
  const left = digestsOf(a);
  const right = digestsOf(b);
  for (let offset = start; offset < end; offset += block) {
    const [one, other] = [await left.next(), await right.next()];
    if (one.done === true && other.done === true) break;
    if (one.done !== true && other.done !== true && one.value === other.value) continue;
    const length = Math.min(block, end - offset);
    const last = ranges.at(-1);
    if (last !== undefined && last.offset + last.length === offset) last.length += length;
    else ranges.push({ offset, length });
  }
  return ranges;
}

/** Each block's digest in turn, as 16 characters of Latin-1. */
export async function* digestsOf(items: AsyncIterable<BlockDigests>): AsyncGenerator<string> {
  for await (const { base64 } of items) {
    const bytes = atob(base64);
    for (let at = 0; at + digestSize <= bytes.length; at += digestSize)
      yield bytes.slice(at, at + digestSize);
  }
}
