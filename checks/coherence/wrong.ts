import type { Operation } from '../../src/model/operation.ts';
import { cellSize, isIntactCell, type PatternKey, readCell } from '../../src/model/pattern.ts';
import { nameWrongBytes, type WrongBytes } from '../../src/model/wrong-bytes.ts';
import { describeWrongBytes } from '../../src/model/wrong-words.ts';
import { fileIdOf, writers } from './acts.ts';

/** What wrong bytes are, for a person and for a report. */
export interface Named {
  readonly words: string;
  readonly ranges: readonly WrongBytes[];
}

/**
 * Names the bytes that were found in the place of others.
 * @param offset of the first of them in the file.
 * @param ops all that was done in the story: what was ever written.
 */
export function nameOf(
  wrong: { readonly expected: Uint8Array; readonly found: Uint8Array; readonly offset: number },
  path: string,
  ops: readonly Operation[],
  pageSize: number,
): Named | undefined {
  const { expected, found, offset } = wrong;
  const keys = ops.flatMap(keysOf);
  const ranges = nameWrongBytes(found, offset, { expected, keys, fileId: fileIdOf(path), pageSize });
  if (ranges.length === 0) return undefined;
  const files = new Map(ops.flatMap((op) => (op.do === 'open' ? [[fileIdOf(op.as), op.path] as const] : [])));
  return { words: describeWrongBytes(ranges, { files, writers }), ranges };
}

/** What an operation wrote: it says so, or the first whole cell of its bytes does. */
function keysOf(op: Operation): readonly PatternKey[] {
  if (op.do === 'fill') return [op];
  if (op.do !== 'write' && op.do !== 'store') return [];
  const bytes = Buffer.from(op.base64, 'base64');
  for (let at = 0; at + cellSize <= bytes.length; at += 1)
    if (isIntactCell(bytes, at)) return [readCell(bytes, at)?.key].filter((key) => key !== undefined);
  return [];
}
