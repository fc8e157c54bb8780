import type { Operation } from '../../src/model/operation.ts';
import { patternBytes } from '../../src/model/pattern.ts';
import { nameWrongBytes } from '../../src/model/wrong-bytes.ts';
import { describeWrongBytes } from '../../src/model/wrong-words.ts';
import { isRefused, type Refused } from './trial.ts';

/** A file of these checks, and what is to be in it. */
export interface Content {
  readonly path: string;
  readonly fileId: number;
  readonly generation: number;
  /** In bytes. */
  readonly length: number;
}

/** Makes the file and writes it, without any sync; it stays open under its path. */
export function made(content: Content, seed: number, ...flags: readonly ('dsync' | 'sync')[]): Operation[] {
  const { path } = content;
  return [
    { do: 'open', path, flags: ['creat', 'rdwr', ...flags], mode: 0o666, as: path },
    written(content, seed),
  ];
}

/** Writes its bytes over those that are there. */
export function written({ path, fileId, generation, length }: Content, seed: number): Operation {
  return {
    do: 'fill',
    file: path,
    range: { offset: 0, length },
    seed,
    fileId,
    writer: 2,
    generation,
  };
}

/** Opens and reads it whole. */
export function readBack({ path, length }: Content): Operation[] {
  const as = `${path}:back`;
  return [
    { do: 'open', path, flags: ['rdonly'], as },
    { do: 'read', file: as, offset: 0, length: length + 1 },
  ];
}

/** What is wrong with what `readBack` gave; undefined: nothing. */
export function faultIn(
  { path, fileId, generation, length }: Content,
  seed: number,
  [opened, read]: readonly unknown[],
): string | undefined {
  if (isRefused(opened)) return `${path} cannot be opened (${opened.errno})`;
  if (read === undefined || isRefused(read))
    return `${path} cannot be read (${read === undefined ? 'not tried' : (read as Refused).errno})`;
  const found = Buffer.from((read as { base64: string }).base64, 'base64');
  return differenceIn(path, found, patternBytes({ seed, fileId, writer: 2, generation }, 0, length));
}

/** How the bytes of a whole file differ from those that should be there; undefined: they do not. */
export function differenceIn(path: string, found: Uint8Array, expected: Uint8Array): string | undefined {
  if (Buffer.from(found).equals(expected)) return undefined;
  if (found.length === 0) return `${path} is empty, of ${expected.length} bytes`;
  return `${path}: ${describeWrongBytes(nameWrongBytes(found, 0, { expected }))}`;
}

/** The number of a file system whose pages are never written to a disk. */
export const tmpfsMagic = 0x01021994;
