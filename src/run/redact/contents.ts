import { cellSize, isIntactCell, magic, patternBytes, readCell } from '../../model/pattern.ts';
import type { Pseudonyms } from './pseudonyms.ts';

/** Fewer zeros in a row are part of whatever they stand in. */
const zerosMin = 8;

/**
 * What was read from a file, with only those bytes left that a check has written: cells of the self-describing
 * pattern and the parts of them that torn ones are made of, zeros, and what the check's own steps say that they write.
 * Everything else becomes other bytes, the same for the same ones.
 * @param written what the steps write in so many words.
 */
export function redactedContents(
  bytes: Uint8Array,
  written: readonly Uint8Array[],
  names: Pseudonyms,
): Uint8Array {
  const ours = new Uint8Array(bytes.length);
  markZeros(bytes, ours);
  markCells(bytes, ours);
  const told = Buffer.from(bytes);
  for (let from = 0; from < bytes.length; ) {
    if (ours[from] === 1) {
      from += 1;
      continue;
    }
    let to = from;
    while (to < bytes.length && ours[to] === 0) to += 1;
    const run = told.subarray(from, to);
    if (!written.some((each) => Buffer.from(each).includes(run)))
      told.set(names.bytes(Uint8Array.from(run)), from);
    from = to;
  }
  return told;
}

function markZeros(bytes: Uint8Array, ours: Uint8Array): void {
  for (let from = 0; from < bytes.length; from += 1) {
    let to = from;
    while (to < bytes.length && bytes[to] === 0) to += 1;
    if (to - from >= zerosMin || (to > from && to - from === bytes.length)) ours.fill(1, from, to);
    from = Math.max(from, to);
  }
}

/** Whole cells wherever they lie, and from each as far to both sides as the same payload goes on. */
function markCells(bytes: Uint8Array, ours: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + cellSize <= bytes.length; at += 1) {
    if (bytes[at] !== (magic & 0xff) || view.getUint32(at, true) !== magic || !isIntactCell(bytes, at))
      continue;
    const cell = readCell(bytes, at);
    if (cell === undefined) continue;
    ours.fill(1, at, at + cellSize);
    const after = patternBytes(cell.key, cell.offset + cellSize, cellSize);
    for (let i = 0; i < cellSize && bytes[at + cellSize + i] === after[i]; i += 1)
      ours[at + cellSize + i] = 1;
    if (cell.offset < cellSize) continue;
    const before = patternBytes(cell.key, cell.offset - cellSize, cellSize);
    for (let i = 1; i <= cellSize && at >= i && bytes[at - i] === before[cellSize - i]; i += 1)
      ours[at - i] = 1;
  }
}
