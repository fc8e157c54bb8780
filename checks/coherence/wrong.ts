import { cellSize, magic } from '../../src/model/pattern.ts';
import { fileIdOf } from './acts.ts';

/**
 * What wrong bytes are, in words: zeros, another generation, another offset's, another file's. Undefined where
 * there is nothing to name.
 * @param offset of the first of them in the file.
 */
export function nameOf(
  expected: Uint8Array,
  found: Uint8Array,
  offset: number,
  path: string,
): string | undefined {
  if (found.length === 0) return undefined;
  const at = found.findIndex((byte, index) => byte !== expected[index]);
  if (at < 0) return undefined;
  if (found.subarray(at).every((byte) => byte === 0)) return `zeros from ${offset + at}`;
  const start = at - ((offset + at) % cellSize);
  if (start < 0 || start + cellSize > found.length) return undefined;
  const cell = new DataView(found.buffer, found.byteOffset + start, cellSize);
  if (cell.getUint32(0, true) !== magic) return 'foreign bytes';
  const generation = `generation ${cell.getUint16(14, true)} of writer ${cell.getUint16(12, true)}`;
  const where = cell.getUint32(16, true) + cell.getUint32(20, true) * 0x1_0000_0000;
  const place = where === offset + start ? '' : `, which belongs at ${where}`;
  const whose = cell.getUint32(8, true) === fileIdOf(path) ? '' : ' of another file';
  return `${generation}${whose}${place} at ${offset + start}`;
}
