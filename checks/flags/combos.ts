import type { OpenFlag, Operation } from '../../src/model/operation.ts';

/** What is there before the open. Links are symbolic; a dangling one points to a name that is not there. */
type State = 'absent' | 'file' | 'directory' | 'link' | 'dangling';

/** One open(2), and what it finds. */
export interface Combo {
  readonly state: State;
  readonly flags: readonly OpenFlag[];
}

export function nameOf({ state, flags }: Combo): string {
  return `open(${flags.join('|')}) of ${state === 'absent' ? 'nothing' : `a ${state === 'dangling' ? 'dangling link' : state}`}`;
}

const states: readonly State[] = ['absent', 'file', 'directory', 'link', 'dangling'];
const accesses = ['rdonly', 'wronly', 'rdwr'] as const;
/** What changes the file or its name. */
const deeds: readonly (readonly OpenFlag[])[] = [
  [],
  ['append'],
  ['trunc'],
  ['append', 'trunc'],
  ['creat'],
  ['creat', 'excl'],
  ['creat', 'trunc'],
  ['creat', 'append'],
  ['creat', 'excl', 'append'],
];
/** What changes only how it is opened. */
const manners: readonly OpenFlag[] = ['sync', 'dsync', 'nonblock', 'noatime', 'nofollow', 'direct'];

/** Deeds with a manner: each one is done in all of them. */
const mannered: Readonly<Record<'absent' | 'file' | 'link', readonly (readonly OpenFlag[])[]>> = {
  absent: [
    ['rdwr', 'creat'],
    ['wronly', 'creat', 'trunc'],
  ],
  file: [['rdwr'], ['wronly', 'append'], ['rdwr', 'trunc']],
  link: [['rdwr'], ['rdwr', 'creat']],
};

function isSensible({ state, flags: [access, ...deed] }: Combo): boolean {
  const has = (flag: OpenFlag) => deed.includes(flag);
  // POSIX leaves O_TRUNC without write access open; O_APPEND without it says nothing.
  if (access === 'rdonly' && (has('trunc') || has('append'))) return false;
  // What is not there cannot be opened in any way: one of them is enough.
  if (state === 'absent' && !has('creat')) return access === 'rdwr' && deed.length === 0;
  // What a directory or a link is refused, it is refused for each kind of access alike.
  return state === 'absent' || state === 'file' || access !== 'wronly';
}

/**
 * Every sensible set of open flags on everything that a name can be. O_CREAT with O_DIRECTORY is left out:
 * kernels have changed their mind about it.
 */
export const combos: readonly Combo[] = [
  ...states
    .flatMap((state) =>
      accesses.flatMap((access) => deeds.map((deed) => ({ state, flags: [access, ...deed] }))),
    )
    .filter(isSensible),
  ...(['absent', 'file', 'link'] as const).flatMap((state) =>
    (state === 'link' ? (['nofollow'] as const) : manners).flatMap((manner) =>
      mannered[state].map((flags) => ({ state, flags: [...flags, manner] })),
    ),
  ),
  ...(['rdonly', 'path'] as const).flatMap((access) =>
    (['file', 'directory', 'link'] as const).flatMap((state) => [
      { state, flags: [access, 'directory'] as const },
      { state, flags: [access, 'nofollow'] as const },
    ]),
  ),
];

/** Bytes that lie in a file beforehand, and that are written: two blocks and one, of whole pages for O_DIRECT. */
function blockOf({ flags }: Combo): number {
  return flags.includes('direct') ? 4096 : 64;
}

/** Puts what the open is to find at `path`. */
export function preparing(path: string, combo: Combo): readonly Operation[] {
  const { state } = combo;
  const file = (at: string): readonly Operation[] => [
    { do: 'open', path: at, flags: ['creat', 'excl', 'wronly'], mode: 0o600, as: at },
    { do: 'write', file: at, offset: 0, base64: letters('o', 2 * blockOf(combo)) },
    { do: 'close', file: at },
  ];
  const link: Operation = { do: 'symlink', target: `${path.split('/').at(-1)}.target`, path };
  switch (state) {
    case 'absent':
      return [];
    case 'file':
      return file(path);
    case 'directory':
      return [{ do: 'mkdir', path, mode: 0o700 }];
    case 'link':
      return [...file(`${path}.target`), link];
    case 'dangling':
      return [link];
  }
}

/** Opens it, asks for the flags, writes where the position is, reads from the beginning, closes. */
export const usesOf = ['open', 'flags', 'write', 'read', 'close'] as const;

export function using(path: string, combo: Combo, flags: readonly OpenFlag[]): readonly Operation[] {
  const block = blockOf(combo);
  return [
    { do: 'open', path, flags, mode: 0o600, as: path },
    { do: 'flags', file: path },
    { do: 'write', file: path, base64: letters('n', block) },
    { do: 'read', file: path, offset: 0, length: 4 * block },
    { do: 'close', file: path },
  ];
}

/** What is there afterwards: the bytes of the file that the name leads to, and the name itself. */
export const looksOf = ['an open afterwards', 'bytes', 'a close afterwards', 'type'] as const;

export function looking(path: string, combo: Combo): readonly Operation[] {
  const handle = `look ${path}`;
  return [
    { do: 'open', path, flags: ['rdonly', 'nonblock'], as: handle },
    { do: 'read', file: handle, offset: 0, length: 4 * blockOf(combo) },
    { do: 'close', file: handle },
    { do: 'stat', path, follow: false },
  ];
}

function letters(letter: string, count: number): string {
  return Buffer.alloc(count, letter).toString('base64');
}
