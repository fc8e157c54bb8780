import type { Operation } from '../../src/model/operation.ts';
import type { PatternKey } from '../../src/model/pattern.ts';
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
  const keys = ops.flatMap((op): PatternKey[] => (op.do === 'fill' ? [op] : []));
  const ranges = nameWrongBytes(found, offset, { expected, keys, fileId: fileIdOf(path), pageSize });
  if (ranges.length === 0) return undefined;
  const files = new Map(ops.flatMap((op) => (op.do === 'open' ? [[fileIdOf(op.as), op.path] as const] : [])));
  return { words: describeWrongBytes(ranges, { files, writers }), ranges };
}
