import type { OpenFlag, Operation, ReadHow, WriteHow } from '../../src/model/operation.ts';
import { patternBytes } from '../../src/model/pattern.ts';

/** Whose bytes are written: known when the story is planned. */
interface Hand {
  readonly seed: number;
  readonly writer: number;
}

/** The number that a writer leaves in its bytes, and who that is. */
export const writers: ReadonlyMap<number, string> = new Map([
  [1, 'the host'],
  [2, 'the guest'],
  [3, 'the second guest'],
  [4, 'the other tag'],
  [5, 'the medium'],
]);

/** An operation, or one whose bytes depend on the seed and on who writes them. */
export type Act = Operation | ((hand: Hand) => Operation);

/** The unit in which stories lay out their files. A guest with larger pages is judged by its own. */
export const page = 4096;

/**
 * Another time stamp than the last one: a kernel without finer ones gives the same mtime to all changes of one
 * tick (at most 10 ms), and then nobody can see by it that there was a second change.
 */
export const tick: Operation = { do: 'wait', ms: 20 };

/**
 * The handle under which an actor holds a file: that of the path `f` is `f`, a second one `f:again`. The part
 * before the colon tells the file's bytes from another file's.
 */
export function fileIdOf(handle: string): number {
  const path = handle.split(':')[0] ?? handle;
  return [...path].reduce((sum, each) => Math.imul(sum, 31) + each.charCodeAt(0), 7) >>> 0;
}

function pathOf(handle: string): string {
  return handle.split(':')[0] ?? handle;
}

/** Makes the file anew, open for both, and keeps the descriptor. */
export function create(handle: string, ...flags: readonly OpenFlag[]): Operation {
  return {
    do: 'open',
    path: pathOf(handle),
    flags: ['creat', 'excl', 'rdwr', ...flags],
    mode: 0o666,
    as: handle,
  };
}

/** Opens a file that is there, for both, and keeps the descriptor. */
export function open(handle: string, ...flags: readonly OpenFlag[]): Operation {
  return { do: 'open', path: pathOf(handle), flags: ['rdwr', ...flags], as: handle };
}

/** The same for reading alone. */
export function openToRead(handle: string, ...flags: readonly OpenFlag[]): Operation {
  return { do: 'open', path: pathOf(handle), flags: ['rdonly', ...flags], as: handle };
}

export function close(handle: string): Operation {
  return { do: 'close', file: handle };
}

function key(handle: string, generation: number, { seed, writer }: Hand) {
  return { seed, fileId: fileIdOf(handle), writer, generation };
}

function base64(handle: string, generation: number, hand: Hand, offset: number, length: number): string {
  return Buffer.from(patternBytes(key(handle, generation, hand), offset, length)).toString('base64');
}

/** Writes generation `generation` of the file's bytes over a range, by one pwrite. */
export function fill(handle: string, generation: number, offset: number, length: number): Act {
  return (hand) => ({
    do: 'fill',
    file: handle,
    range: { offset, length },
    ...key(handle, generation, hand),
  });
}

/** The same bytes another way: vectored, splice, a mapping of its own … */
export function write(
  handle: string,
  generation: number,
  offset: number,
  length: number,
  how: { readonly how?: WriteHow; readonly through?: string; readonly pieces?: readonly number[] } = {},
): Act {
  return (hand) => ({
    do: 'write',
    file: handle,
    offset,
    base64: base64(handle, generation, hand, offset, length),
    ...how,
  });
}

/**
 * The same at the end of a descriptor with O_APPEND, or at its position: `at` is where they will lie.
 */
export function append(handle: string, generation: number, at: number, length: number): Act {
  return (hand) => ({ do: 'write', file: handle, base64: base64(handle, generation, hand, at, length) });
}

/** The same by stores into a shared mapping that begins at offset 0 of the file. */
export function store(map: string, generation: number, offset: number, length: number): Act {
  return (hand) => ({ do: 'store', map, offset, base64: base64(map, generation, hand, offset, length) });
}

/** One read of a range. */
export function read(
  handle: string,
  offset: number,
  length: number,
  how: { readonly how?: ReadHow; readonly through?: string; readonly pieces?: readonly number[] } = {},
): Operation {
  return { do: 'read', file: handle, offset, length, ...how };
}

/** Maps a file from its beginning; the mapping has the handle's name. */
export function map(handle: string, length: number, share: 'shared' | 'private' = 'shared'): Operation {
  return {
    do: 'map',
    file: handle,
    as: handle,
    offset: 0,
    length,
    protection: share === 'shared' ? 'read-write' : 'read',
    share,
  };
}

/** Maps it for reading alone. */
export function mapToRead(
  handle: string,
  length: number,
  share: 'shared' | 'private' = 'private',
): Operation {
  return { do: 'map', file: handle, as: handle, offset: 0, length, protection: 'read', share };
}

export function load(map: string, offset: number, length: number): Operation {
  return { do: 'load', map, offset, length };
}

export function msync(map: string): Operation {
  return { do: 'msync', map };
}

export function unmap(map: string): Operation {
  return { do: 'unmap', map };
}

export function fsync(handle: string): Operation {
  return { do: 'fsync', file: handle };
}

export function truncate(handle: string, length: number): Operation {
  return { do: 'ftruncate', file: handle, length };
}

/** Drops this file's pages on the actor's side. */
export function evict(handle: string): Operation {
  return { do: 'evict', file: handle };
}

/** The size by statx of the descriptor; never by asking the daemon where `dont` is given. */
export function size(handle: string, sync?: 'as-is' | 'force' | 'dont'): Operation {
  return { do: 'fstat', file: handle, ...(sync === undefined ? {} : { sync }) };
}

/** The size by lseek(SEEK_END). */
export function end(handle: string): Operation {
  return { do: 'seek', file: handle, offset: 0, whence: 'end' };
}

/** Where the next data, or the next hole, begins: the file's extent map. */
export function seek(handle: string, whence: 'data' | 'hole', offset: number): Operation {
  return { do: 'seek', file: handle, offset, whence };
}

export function punch(handle: string, offset: number, length: number): Operation {
  return { do: 'fallocate', file: handle, offset, length, flags: ['punch-hole'] };
}

export function zero(handle: string, offset: number, length: number): Operation {
  return { do: 'fallocate', file: handle, offset, length, flags: ['zero-range'] };
}
