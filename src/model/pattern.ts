/**
 * Self-describing bytes. A file that a check writes is made of cells of 64 bytes, each of which says what it
 * is, so that a wrong byte can be named: an older generation, another offset's cell, another file's, a torn
 * one, zeros, a flipped bit, or foreign bytes.
 *
 * ```
 *  0       4          8        12      14           16        24     28                64
 *  | magic | checksum | fileId | writer| generation | offset  | seed | filler 9 × u32  |
 * ```
 * Little-endian. `offset` is the cell's own offset in the file (u64). The checksum is FNV-1a (32 bit) over
 * bytes 8..63. The filler is the sequence `mix(state)`, `mix(state + golden)`, … where the state begins as
 * `seed ^ fileId ^ (generation << 16 | writer) ^ (offset / 64)` (32-bit wrap-around). vfs-probe.c holds the
 * same generator; the test suite compares the two byte for byte.
 */
export const cellSize = 64;

/** "VfV1", read as a little-endian number. */
export const magic = 0x31566656;

const golden = 0x9e3779b9;

/** Identity of a payload: see FillPattern in operation.ts for the widths. */
export interface PatternKey {
  readonly seed: number;
  readonly fileId: number;
  readonly writer: number;
  readonly generation: number;
}

/** 32-bit finalizer (the one of MurmurHash3): every input bit reaches every output bit. */
function mix(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function fnv1a(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i += 1) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  return hash >>> 0;
}

function writeCell(view: DataView, bytes: Uint8Array, at: number, key: PatternKey, offset: number): void {
  view.setUint32(at, magic, true);
  view.setUint32(at + 8, key.fileId, true);
  view.setUint16(at + 12, key.writer, true);
  view.setUint16(at + 14, key.generation, true);
  view.setUint32(at + 16, offset >>> 0, true);
  view.setUint32(at + 20, Math.floor(offset / 0x1_0000_0000), true);
  view.setUint32(at + 24, key.seed, true);
  const cell = Math.floor(offset / cellSize) >>> 0;
  let state = (key.seed ^ key.fileId ^ ((key.generation << 16) | key.writer) ^ cell) >>> 0;
  for (let i = 0; i < 9; i += 1) {
    view.setUint32(at + 28 + 4 * i, mix(state), true);
    state = (state + golden) >>> 0;
  }
  view.setUint32(at + 4, fnv1a(bytes, at + 8, at + cellSize), true);
}

/**
 * The bytes that `fill` writes over a range of a file. Range ends need not fall on cells.
 * @param offset first byte in the file; @param length in bytes.
 */
export function patternBytes(key: PatternKey, offset: number, length: number): Uint8Array {
  const first = Math.floor(offset / cellSize) * cellSize;
  const last = Math.ceil((offset + length) / cellSize) * cellSize;
  const bytes = new Uint8Array(last - first);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += cellSize) writeCell(view, bytes, at, key, first + at);
  return bytes.subarray(offset - first, offset - first + length);
}

/** What a cell says of itself. */
export interface CellIdentity {
  readonly key: PatternKey;
  /** Its own offset in its file, where it was written. */
  readonly offset: number;
}

/**
 * What 64 bytes say that they are; undefined where they do not begin like a cell. Whether the rest of them
 * agrees is for `isIntactCell` to say.
 * @param at where in `bytes` they begin; all 64 must be there.
 */
export function readCell(bytes: Uint8Array, at: number): CellIdentity | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, cellSize);
  if (view.getUint32(0, true) !== magic) return undefined;
  return {
    key: {
      fileId: view.getUint32(8, true),
      writer: view.getUint16(12, true),
      generation: view.getUint16(14, true),
      seed: view.getUint32(24, true),
    },
    offset: view.getUint32(16, true) + view.getUint32(20, true) * 0x1_0000_0000,
  };
}

/** Whether 64 bytes are a cell that nobody has damaged, by its own checksum. */
export function isIntactCell(bytes: Uint8Array, at: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, cellSize);
  return view.getUint32(0, true) === magic && view.getUint32(4, true) === fnv1a(bytes, at + 8, at + cellSize);
}
