import type { Need } from '../../src/model/check.ts';
import type { Operation } from '../../src/model/operation.ts';

/** One way to change a file, after which its set-ID bits are gone, or stay. */
export interface Way {
  /** The case's name. */
  readonly name: string;
  readonly scenario: string;
  /** What is done, for a verdict's sentence. */
  readonly words: string;
  /** Who does it: a user without any capability, or root, who has CAP_FSETID. */
  readonly by: 'user' | 'root';
  readonly needs?: readonly Need[];
  /** @param place the guest's own file system need not have O_DIRECT (tmpfs has it since 6.6). */
  ops(path: string, place: 'share' | 'local'): readonly Operation[];
}

/**
 * A user and a group of this number alone may touch the file: whatever bits stay, nobody gains by them. It is one
 * that distributions leave to nobody (systemd's list of users has 60578 to 61183 as unused).
 */
export const stranger = 61_183;

/**
 * The bits, which only this user can write by and only this group can run by:
 *
 * ```
 *            owner  group  others
 *  6710   us  rwx   gs --x   ---    with both set-ID bits: runs as its owner and with its group
 *  0710       rwx      --x   ---    after an ordinary user has changed the file
 * ```
 * The group must be allowed to run it: without that S_ISGID meant mandatory locking, and is left alone.
 */
export const set = 0o6710;
export const cleared = 0o0710;
export const setIdBits = 0o6000;

const page = 4096;
const aFew = Buffer.from('few').toString('base64');

/** What is written is of no interest here, but that it is. */
function filled(file: string, length: number): Operation {
  return { do: 'fill', file, range: { offset: 0, length }, seed: 1, fileId: 1, writer: 1, generation: 1 };
}

/** Two pages under a name, with the bits. @param isRoot who does it can give the file to the stranger first. */
export function making(path: string, isRoot: boolean): readonly Operation[] {
  return [
    { do: 'open', path, flags: ['creat', 'excl', 'wronly'], mode: 0o600, as: 'make' },
    filled('make', 2 * page),
    { do: 'close', file: 'make' },
    // In this order: chown clears them.
    ...(isRoot ? [{ do: 'chown', path, uid: stranger, gid: stranger } as const] : []),
    { do: 'chmod', path, mode: set },
    { do: 'stat', path },
  ];
}

/** Puts an ordinary user in root's place. */
export const becoming: Operation = { do: 'become', uid: stranger, gid: stranger };

/** Opens it, does something to it, and closes it: what was written is written back by then. */
function held(
  path: string,
  flags: readonly ('direct' | 'append' | 'trunc')[],
  ...ops: readonly Operation[]
): readonly Operation[] {
  return [{ do: 'open', path, flags: ['rdwr', ...flags], as: 'f' }, ...ops, { do: 'close', file: 'f' }];
}

const [write, truncate, allocate] = ['set-user-id/write', 'set-user-id/truncate', 'set-user-id/allocate'];

const byUser: readonly Omit<Way, 'by'>[] = [
  {
    name: 'write',
    scenario: write,
    words: 'write',
    ops: (path) => held(path, [], { do: 'write', file: 'f', offset: 10, base64: aFew }),
  },
  {
    name: 'write-direct',
    scenario: write,
    words: 'a write with O_DIRECT',
    ops: (path, place) => held(path, place === 'share' ? ['direct'] : [], filled('f', page)),
  },
  {
    name: 'append',
    scenario: write,
    words: 'a write with O_APPEND',
    ops: (path) => held(path, ['append'], { do: 'write', file: 'f', base64: aFew }),
  },
  {
    name: 'splice',
    scenario: write,
    words: 'splice from a pipe',
    ops: (path) => held(path, [], { do: 'write', file: 'f', offset: 0, base64: aFew, how: 'splice' }),
  },
  {
    name: 'truncate',
    scenario: truncate,
    words: 'truncate',
    ops: (path) => [{ do: 'truncate', path, length: 100 }],
  },
  {
    name: 'ftruncate',
    scenario: truncate,
    words: 'ftruncate to a greater size',
    ops: (path) => held(path, [], { do: 'ftruncate', file: 'f', length: 3 * page }),
  },
  {
    name: 'open-truncating',
    scenario: truncate,
    words: 'open with O_TRUNC',
    ops: (path) => held(path, ['trunc']),
  },
  {
    name: 'allocate',
    scenario: allocate,
    words: 'fallocate beyond the end',
    ops: (path) => held(path, [], { do: 'fallocate', file: 'f', offset: 0, length: 3 * page }),
  },
  {
    name: 'punch',
    scenario: allocate,
    words: 'fallocate that punches a hole',
    ops: (path) =>
      held(path, [], { do: 'fallocate', file: 'f', offset: 0, length: page, flags: ['punch-hole'] }),
  },
  {
    name: 'copy-file-range',
    scenario: 'set-user-id/copy',
    words: 'copy_file_range',
    ops: (path) =>
      held(path, [], { do: 'copy', file: 'f', offset: page, to: 'f', toOffset: 0, length: page }),
  },
  {
    name: 'chown',
    scenario: 'set-user-id/chown',
    words: 'chown by its owner, to what it was',
    needs: ['guest-root'],
    ops: (path) => [{ do: 'chown', path, uid: stranger, gid: stranger }],
  },
];

export const ways: readonly Way[] = [
  ...byUser.map((way): Way => ({ ...way, by: 'user' })),
  {
    name: 'root-keeps',
    scenario: 'set-user-id/privileged',
    words: 'write, ftruncate and open with O_TRUNC by root',
    by: 'root',
    needs: ['guest-root'],
    ops: (path) => [
      ...held(
        path,
        [],
        { do: 'write', file: 'f', offset: 10, base64: aFew },
        { do: 'ftruncate', file: 'f', length: 100 },
      ),
      ...held(path, ['trunc']),
    ],
  },
];
