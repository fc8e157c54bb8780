import type { Observed } from '../../src/model/check.ts';
import { digestOfBytes } from '../../src/model/digest.ts';
import type { HashResult, Operation } from '../../src/model/operation.ts';
import { patternBytes } from '../../src/model/pattern.ts';
import { type Finding, valuesOf } from '../repeat/question.ts';

/** Sixteen pages of 4 KiB: enough to see a part of them go. */
const pages = 16;
export const size = pages * 4096;
const range = { offset: 0, length: size };

/** Whose bytes they are: another number for each file of an attempt, so that a mix-up shows. */
function key(path: string) {
  const fileId = [...path].reduce((sum, each) => Math.imul(sum, 31) + each.charCodeAt(0), 7) >>> 0;
  return { seed: 1, fileId, writer: 1, generation: 1 };
}

/** Makes a file, and keeps it open under its own name. */
export function made(path: string): readonly Operation[] {
  return [
    { do: 'open', path, flags: ['creat', 'excl', 'rdwr'], mode: 0o666, as: path },
    { do: 'fill', file: path, range, ...key(path) },
  ];
}

/** Opens it. Whoever may write a file may ask for the state of its pages. */
export function opened(path: string): Operation {
  return { do: 'open', path, flags: ['rdwr'], as: path };
}

/**
 * Maps it and touches every page. A private mapping is granted in every mode, and fills the page cache even
 * where read() passes it by; a page that is mapped and touched stays.
 */
export function mapped(path: string): readonly Operation[] {
  return [
    { do: 'map', file: path, as: path, offset: 0, length: size, protection: 'read', share: 'private' },
    ...Array.from(
      { length: pages },
      (_, page): Operation => ({ do: 'load', map: path, offset: page * 4096, length: 1 }),
    ),
  ];
}

/** Every second page: each goes to the daemon in a request of its own, so that a single lost one shows. */
const scattered = Array.from({ length: pages / 2 }, (_, index) => ({ offset: index * 8192, length: 4096 }));

/** Makes a file of the same size of which every second page is written, and keeps it open. */
export function madeWithGaps(path: string): readonly Operation[] {
  return [
    { do: 'open', path, flags: ['creat', 'excl', 'rdwr'], mode: 0o666, as: path },
    { do: 'ftruncate', file: path, length: size },
    ...scattered.map((each): Operation => ({ do: 'fill', file: path, range: each, ...key(path) })),
  ];
}

/** The same bytes by stores through a mapping. */
export function storedWithGaps(path: string): readonly Operation[] {
  return scattered.map(({ offset, length }): Operation => {
    const base64 = Buffer.from(patternBytes(key(path), offset, length)).toString('base64');
    return { do: 'store', map: path, offset, base64 };
  });
}

/** What a file holds: of one with gaps every second page is zeros. */
export function contentOf(path: string, layout: 'whole' | 'gaps'): Uint8Array {
  if (layout === 'whole') return patternBytes(key(path), 0, size);
  const bytes = new Uint8Array(size);
  for (const { offset, length } of scattered) bytes.set(patternBytes(key(path), offset, length), offset);
  return bytes;
}

/** Reads it all; the stats beside it ask nobody, since a refresh may drop pages. */
export function read(path: string): Operation {
  return { do: 'hash', file: path, algorithm: 'md5', sync: 'dont' };
}

/** The same by name, through an open of its own. */
export function readByName(path: string): Operation {
  return { do: 'hash', path, algorithm: 'md5', sync: 'dont' };
}

/** The values of one kind of operation in a request, in their order. */
export function resultsOf<T>(
  observed: Observed,
  n: number,
  step: string,
  kind: Operation['do'],
): readonly T[] {
  const op = observed.steps.find(({ id }) => id === `${n}.${step}`)?.op;
  const list = op?.do === 'many' ? op.list : [];
  return valuesOf(observed, n, step).values.filter((_, index) => list[index]?.do === kind) as T[];
}

/** What is wrong with the bytes that somebody read of a file. Bytes do not change by dropping: certain. */
export function wrongBytes(
  { path, layout }: { readonly path: string; readonly layout: 'whole' | 'gaps' },
  reads: readonly { readonly by: string; readonly result: HashResult | undefined }[],
  code: 'data-changed' | 'dirty-lost',
): Finding | undefined {
  const expected = digestOfBytes('md5', contentOf(path, layout));
  const wrong = reads.find(({ result }) => result !== undefined && result.digest !== expected);
  if (wrong === undefined) return undefined;
  const words = `${wrong.by} reads other bytes after the drop than were written (md5 ${wrong.result?.digest}, written ${expected})`;
  return { kind: 'broken', code, words, certain: true };
}
