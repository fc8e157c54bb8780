/**
 * Names wrong bytes. A file of self-describing cells (pattern.ts) says of every byte what it is, so that what
 * was read is never just different: it is another generation, another offset's, another file's, torn, zeros,
 * damaged in single bits, too short, too long, or from nobody.
 */
import {
  type CellIdentity,
  cellSize,
  isIntactCell,
  magic,
  type PatternKey,
  patternBytes,
  readCell,
} from './pattern.ts';

/** What is known of the file that was read. */
export interface KnownBytes {
  /** What should have been read from the same offset on; what is missing at its end is past the end of file. */
  readonly expected: Uint8Array;
  /** The payloads that were ever written to the file. Cells that are whole are named without them. */
  readonly keys?: readonly PatternKey[];
  /** The file's own id, where neither `expected` nor `keys` show it. */
  readonly fileId?: number;
  /** In bytes; 4096 where nothing is said. */
  readonly pageSize?: number;
}

/** What wrong bytes are. */
export type WrongBytes = { readonly offset: number; readonly length: number } & WrongKind;

type WrongKind =
  /**
   * Bytes of this file and this place, of another generation or writer. `tornAt`: inside a page the generation
   * changes here, where that of the expected bytes does not.
   */
  | {
      readonly what: 'generation';
      readonly age: 'older' | 'newer' | 'same';
      readonly key: PatternKey;
      readonly expected?: PatternKey;
      readonly tornAt?: readonly number[];
    }
  /** Bytes of this file that belong at another offset: the first of them at `belongsAt`. */
  | { readonly what: 'misdirected'; readonly belongsAt: number; readonly key: PatternKey }
  | { readonly what: 'other-file'; readonly belongsAt: number; readonly key: PatternKey }
  /** The two halves of one cell are of two writes; the second one begins at `tornAt`. */
  | { readonly what: 'torn'; readonly tornAt: number; readonly first: Part; readonly second: Part }
  | { readonly what: 'zeros' }
  /** Zeros up to the end of what was read. */
  | { readonly what: 'nul-tail' }
  | { readonly what: 'flipped-bits'; readonly bits: readonly FlippedBit[]; readonly key?: PatternKey }
  /** Nothing was read where there should be bytes. */
  | { readonly what: 'short' }
  /** Bytes behind the end of file. */
  | { readonly what: 'excess' }
  /** Bytes that no known write made; the first of them. */
  | { readonly what: 'foreign'; readonly begins: readonly number[] };

/** One half of a torn cell. */
export type Part = PatternKey | 'expected' | 'zeros';

/** Bit 0 is the least significant one. `to` is what was read. */
export interface FlippedBit {
  readonly offset: number;
  readonly bit: number;
  readonly to: 0 | 1;
}

/** Bytes that are compared at once. */
const pieceSize = 4096;
/** More flipped bits than this in one cell are no flipped bits. */
const flippedMax = 8;
/** As few as this are flipped bits even where something else could be told of them. */
const flippedFew = 3;
/** So many of one range are kept. */
const bitsKept = 32;

/**
 * Every range in which what was read differs from what should have been, in order, neighbours of one kind
 * made one. Empty where nothing differs.
 * @param found what was read. @param offset of its first byte in the file.
 */
export function nameWrongBytes(found: Uint8Array, offset: number, known: KnownBytes): WrongBytes[] {
  const { expected } = known;
  const both = Math.min(found.length, expected.length);
  const own = known.fileId ?? known.keys?.[0]?.fileId ?? fileIdIn(expected, offset);
  const context: Context = { found, offset, expected, both, own, keys: known.keys ?? [] };
  const wrong: WrongBytes[] = [];
  for (let at = 0; at < both; ) {
    const end = Math.min(both, at + cellSize - ((offset + at) % cellSize));
    if (isSame(found, expected, at, end)) at = end;
    else {
      const named = extended(context, nameCell(context, at, end));
      append(wrong, named);
      at = Math.max(end, named.offset - offset + named.length);
    }
  }
  const zerosToEnd = wrong.at(-1);
  if (zerosToEnd?.what === 'zeros' && zerosToEnd.offset + zerosToEnd.length === offset + found.length)
    wrong[wrong.length - 1] = { ...zerosToEnd, what: 'nul-tail' };
  if (found.length < expected.length)
    wrong.push({ what: 'short', offset: offset + both, length: expected.length - both });
  if (found.length > expected.length)
    wrong.push({ what: 'excess', offset: offset + both, length: found.length - both });
  return wrong.map((each) => withTears(context, each, known.pageSize ?? 4096));
}

/** Whole payloads are long: goes on as far as the bytes are those of the same one, and wrong. */
function extended({ found, offset, expected, both }: Context, named: WrongBytes): WrongBytes {
  if (named.what !== 'generation' && named.what !== 'misdirected' && named.what !== 'other-file')
    return named;
  const shift = named.what === 'generation' ? 0 : named.offset - named.belongsAt;
  let at = named.offset - offset + named.length;
  while (at < both) {
    const piece = patternBytes(named.key, offset + at - shift, Math.min(pieceSize, both - at));
    let good = 0;
    while (good < piece.length) {
      const end = Math.min(good + cellSize, piece.length);
      if (!isPiece(found, at + good, piece.subarray(good, end))) break;
      if (isSame(found, expected, at + good, at + end)) break;
      good = end;
    }
    at += good;
    if (good < piece.length) break;
  }
  return { ...named, length: offset + at - named.offset };
}

interface Context {
  readonly found: Uint8Array;
  readonly offset: number;
  readonly expected: Uint8Array;
  /** Bytes that both have. */
  readonly both: number;
  /** The file's own id, where it is known. */
  readonly own: number | undefined;
  readonly keys: readonly PatternKey[];
}

/** Names the wrong bytes of one cell, or as many more as belong to a piece that is shifted. */
function nameCell(context: Context, at: number, end: number): WrongBytes {
  const { found, offset, expected } = context;
  // Only what differs is wrong: the rest of a cell may be as it should be.
  let [first, last] = [at, end];
  while (found[first] === expected[first]) first += 1;
  while (found[last - 1] === expected[last - 1]) last -= 1;
  const range = { offset: offset + first, length: last - first };
  if (isZero(found, first, last)) return { ...range, what: 'zeros' };
  const start = at - ((offset + at) % cellSize);
  const whole = start >= 0 && start + cellSize <= found.length;
  const identity = whole ? readCell(found, start) : undefined;
  if (identity !== undefined && isIntactCell(found, start)) return ofCell(context, identity, start, at, end);
  const meant = candidatesFor(context, at, end, identity);
  return (
    ofKnownKey(context, at, end, meant) ??
    flipped(context, at, meant, flippedFew) ??
    torn(context, at, end, meant) ??
    shifted(context, first, end) ??
    flipped(context, at, meant, flippedMax) ?? {
      ...range,
      what: 'foreign',
      begins: [...found.subarray(first, Math.min(last, first + 16))],
    }
  );
}

/** A whole cell, by what it says of itself. */
function ofCell(
  context: Context,
  { key, offset: place }: CellIdentity,
  start: number,
  at: number,
  end: number,
): WrongBytes {
  const { offset, own, expected } = context;
  const range = { offset: offset + at, length: end - at };
  const belongsAt = place + (at - start);
  if (own !== undefined && key.fileId !== own) return { ...range, what: 'other-file', belongsAt, key };
  if (place !== offset + start) return { ...range, what: 'misdirected', belongsAt, key };
  const intent =
    start >= 0 && start + cellSize <= expected.length ? readCell(expected, start)?.key : undefined;
  return generation(range, key, intent);
}

function generation(
  range: { readonly offset: number; readonly length: number },
  key: PatternKey,
  expected: PatternKey | undefined,
): WrongBytes {
  const difference = expected === undefined ? -1 : key.generation - expected.generation;
  const age = difference < 0 ? 'older' : difference > 0 ? 'newer' : 'same';
  return { ...range, what: 'generation', age, key, ...(expected === undefined ? {} : { expected }) };
}

/** A part of a cell that is another known payload's. */
function ofKnownKey(
  context: Context,
  at: number,
  end: number,
  meant: readonly Candidate[],
): WrongBytes | undefined {
  const { found, offset } = context;
  for (const { part, bytes } of meant) {
    if (typeof part === 'string' || !isPiece(found, at, bytes)) continue;
    const range = { offset: offset + at, length: end - at };
    if (context.own !== undefined && part.fileId !== context.own)
      return { ...range, what: 'other-file', belongsAt: offset + at, key: part };
    return generation(range, part, intentAt(context, at));
  }
  return undefined;
}

/** The payload that the expected bytes at a place are of, where their cell is whole. */
function intentAt({ expected, offset }: Context, at: number): PatternKey | undefined {
  const start = at - ((offset + at) % cellSize);
  return start >= 0 && start + cellSize <= expected.length ? readCell(expected, start)?.key : undefined;
}

const noBytes = new Uint8Array(cellSize);

interface Candidate {
  readonly part: Part;
  readonly bytes: Uint8Array;
}

/** All that the bytes of a cell could have been meant to be. */
function candidatesFor(
  context: Context,
  at: number,
  end: number,
  identity: CellIdentity | undefined,
): Candidate[] {
  const { expected, offset, keys } = context;
  const stated = identity === undefined || keys.some((key) => isSameKey(key, identity.key)) ? [] : [identity];
  return [
    { part: 'expected', bytes: expected.subarray(at, end) },
    ...keys.map((key) => ({ part: key, bytes: patternBytes(key, offset + at, end - at) })),
    ...stated.map(({ key }) => ({ part: key, bytes: patternBytes(key, offset + at, end - at) })),
  ];
}

/** The fewest bits that differ from anything that was meant, at most so many. */
function flipped(
  context: Context,
  at: number,
  meant: readonly Candidate[],
  most: number,
): WrongBytes | undefined {
  const { found, offset } = context;
  let best: { readonly part: Part; readonly bits: FlippedBit[] } | undefined;
  for (const { part, bytes } of meant) {
    const limit = best === undefined ? most : best.bits.length - 1;
    const bits = bitsBetween(found, at, bytes, offset + at, limit);
    if (bits !== undefined) best = { part, bits };
  }
  if (best === undefined || best.bits.length === 0) return undefined;
  const [first, last] = [best.bits[0] as FlippedBit, best.bits.at(-1) as FlippedBit];
  return {
    what: 'flipped-bits',
    offset: first.offset,
    length: last.offset - first.offset + 1,
    bits: best.bits,
    ...(typeof best.part === 'string' ? {} : { key: best.part }),
  };
}

/** The bits in which two pieces differ; undefined where there are more than the limit. */
function bitsBetween(
  found: Uint8Array,
  at: number,
  meant: Uint8Array,
  offset: number,
  limit: number,
): FlippedBit[] | undefined {
  const bits: FlippedBit[] = [];
  for (let i = 0; i < meant.length; i += 1) {
    const read = found[at + i] as number;
    let difference = read ^ (meant[i] as number);
    for (let bit = 0; difference !== 0; bit += 1, difference >>>= 1) {
      if ((difference & 1) === 0) continue;
      if (bits.length === limit) return undefined;
      bits.push({ offset: offset + i, bit, to: ((read >>> bit) & 1) as 0 | 1 });
    }
  }
  return bits;
}

/** A cell that begins as one thing and ends as another. */
function torn(
  context: Context,
  at: number,
  end: number,
  meant: readonly Candidate[],
): WrongBytes | undefined {
  const { found, offset } = context;
  const length = end - at;
  const measured = [...meant, { part: 'zeros' as const, bytes: noBytes.subarray(0, length) }].map(
    ({ part, bytes }) => {
      let prefix = 0;
      while (prefix < length && found[at + prefix] === bytes[prefix]) prefix += 1;
      let suffix = length;
      while (suffix > 0 && found[at + suffix - 1] === bytes[suffix - 1]) suffix -= 1;
      return { part, prefix, suffix };
    },
  );
  for (const head of measured) {
    const tail = measured.find((each) => each !== head && each.suffix <= head.prefix && each.suffix > 0);
    if (tail === undefined || head.prefix === 0) continue;
    // The true place is between the two where both agree on some bytes: the end of the first is as good.
    const place = head.prefix;
    const from = head.part === 'expected' ? at + place : at;
    const to = tail.part === 'expected' ? at + place : end;
    return {
      what: 'torn',
      offset: offset + from,
      length: to - from,
      tornAt: offset + at + place,
      first: head.part,
      second: tail.part,
    };
  }
  return undefined;
}

/** Cells that lie where no cell begins: a piece that was moved by a number of bytes. */
function shifted(context: Context, first: number, end: number): WrongBytes | undefined {
  const { found, offset, both, own } = context;
  const view = new DataView(found.buffer, found.byteOffset, found.length);
  for (let at = first; at < Math.min(end + cellSize, found.length - cellSize + 1); at += 1) {
    if (found[at] !== (magic & 0xff) || view.getUint32(at, true) !== magic || !isIntactCell(found, at))
      continue;
    const { key, offset: place } = readCell(found, at) as CellIdentity;
    const shift = offset + at - place;
    if (shift % cellSize === 0) continue;
    // As far as the bytes around this cell go on as the same piece.
    let from = at;
    const before = patternBytes(key, Math.max(0, place - cellSize), Math.min(place, cellSize));
    while (from > first && found[from - 1] === before[before.length - (at - from) - 1]) from -= 1;
    let to = at + cellSize;
    while (to < both) {
      const next = patternBytes(key, offset + to - shift, Math.min(cellSize, both - to));
      let same = 0;
      while (same < next.length && found[to + same] === next[same]) same += 1;
      to += same;
      if (same < next.length || same === 0) break;
    }
    const range = {
      offset: offset + from,
      length: Math.min(to, both) - from,
      belongsAt: offset + from - shift,
      key,
    };
    return { what: own !== undefined && key.fileId !== own ? 'other-file' : 'misdirected', ...range };
  }
  return undefined;
}

/** Adds a range, as part of the one before where it is more of the same. */
function append(wrong: WrongBytes[], next: WrongBytes): void {
  const last = wrong.at(-1);
  const joined = last === undefined ? undefined : join(last, next);
  if (joined === undefined) wrong.push(next);
  else wrong[wrong.length - 1] = joined;
}

function join(a: WrongBytes, b: WrongBytes): WrongBytes | undefined {
  if (a.what === 'flipped-bits' && b.what === 'flipped-bits') {
    // Single bits are far apart, and still one kind of damage.
    if (a.bits.length + b.bits.length > bitsKept || b.offset - a.offset > 4096) return undefined;
    return { ...a, length: b.offset + b.length - a.offset, bits: [...a.bits, ...b.bits] };
  }
  // Cells of zeros and zeros of a cell's end may have bytes between them that are zero by right.
  if (a.what === 'zeros' && b.what === 'zeros' && b.offset - (a.offset + a.length) < cellSize)
    return { ...a, length: b.offset + b.length - a.offset };
  if (a.offset + a.length !== b.offset) return undefined;
  const length = a.length + b.length;
  if (a.what === 'foreign' && b.what === 'foreign') return { ...a, length };
  if (a.what === 'generation' && b.what === 'generation' && a.age === b.age && isSameKey(a.key, b.key))
    return { ...a, length };
  if (
    (a.what === 'misdirected' || a.what === 'other-file') &&
    a.what === b.what &&
    isSameKey(a.key, b.key) &&
    b.belongsAt - a.belongsAt === a.length
  )
    return { ...a, length };
  return undefined;
}

/** Marks where, inside a page, bytes of one generation meet those of another without being meant to. */
function withTears(context: Context, wrong: WrongBytes, pageSize: number): WrongBytes {
  if (wrong.what !== 'generation') return wrong;
  const { offset, both } = context;
  const tornAt = [wrong.offset, wrong.offset + wrong.length].filter((place) => {
    const at = place - offset;
    if (place % pageSize === 0 || at <= 0 || at >= both) return false;
    const [before, after] = [intentAt(context, at - 1), intentAt(context, at)];
    return before !== undefined && after !== undefined && isSameKey(before, after);
  });
  return tornAt.length === 0 ? wrong : { ...wrong, tornAt };
}

function fileIdIn(bytes: Uint8Array, offset: number): number | undefined {
  const first = (cellSize - (offset % cellSize)) % cellSize;
  return first + cellSize <= bytes.length ? readCell(bytes, first)?.key.fileId : undefined;
}

function isSameKey(a: PatternKey, b: PatternKey): boolean {
  return a.seed === b.seed && a.fileId === b.fileId && a.writer === b.writer && a.generation === b.generation;
}

function isSame(a: Uint8Array, b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether a whole piece is found at a place. */
function isPiece(found: Uint8Array, at: number, piece: Uint8Array): boolean {
  for (let i = 0; i < piece.length; i += 1) if (found[at + i] !== piece[i]) return false;
  return true;
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i += 1) if (bytes[i] !== 0) return false;
  return true;
}
