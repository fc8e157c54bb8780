/**
 * Locks, by kind and by place. A lock that nobody but the own kernel knows of is granted while the other place
 * holds it: the contract says so, and a check reports it as local.
 */
import { type Cell, excludes, localOnly, refused } from '../cells.ts';
import type { Cells } from '../columns.ts';
import type { Row } from '../row.ts';
import { cDaemon, daemon, everyNinep, everyPolicy, everywhere, fuse, qemu9p } from './families.ts';

const kinds = [
  { kind: 'flock', words: 'flock()', option: 'flock' },
  { kind: 'posix', words: 'POSIX locks (fcntl F_SETLK)', option: 'posix_lock' },
  { kind: 'ofd', words: 'open file description locks (F_OFD_SETLK)', option: 'posix_lock' },
] as const;

const places = [
  {
    place: 'across-sides',
    words: 'the host holds a lock and the guest asks for it, and the other way round',
  },
  { place: 'across-tags', words: 'one guest holds a lock through one tag and asks for it through another' },
  { place: 'across-guests', words: 'one guest holds a lock and another guest of the same share asks for it' },
] as const;

const sources = [
  `${fuse}/file.c fuse_file_lock, fuse_file_flock`,
  `${daemon}/passthrough/mod.rs init`,
  `${cDaemon} lo_getlk, lo_setlk, lo_flock`,
  `${qemu9p} v9fs_lock`,
];

/** The Rust daemon never negotiates locks; the C daemon with an option; QEMU's 9p grants every one. */
const apart: Cells = { ...everyPolicy(localOnly), dax: localOnly, ...everyNinep(localOnly) };

function withOption(option: string, cell: Cell): NonNullable<Row['variants']> {
  const columns = { 'c:none': cell, 'c:auto': cell, 'c:always': cell } as const;
  return [
    {
      when: { flag: option },
      cells: {
        ...columns,
        'c:none+writeback': cell,
        'c:auto+writeback': cell,
        'c:always+writeback': cell,
      },
      because:
        cell.kind === 'error'
          ? 'The C daemon refuses to wait for a lock: it would block one of its threads.'
          : `With -o ${option} the C daemon takes the lock on the host’s file.`,
    },
  ];
}

const local =
  'Locks are not negotiated, so the guest’s kernel keeps them for itself: each mount and each kernel has its own.';

export const locks: readonly Row[] = kinds.flatMap(({ kind, words, option }) => [
  ...places.map(
    ({ place, words: where }): Row => ({
      scenario: `locks/${kind}-${place}`,
      title: `${words} without waiting: ${where}`,
      cells: apart,
      because: local,
      sources,
      variants: withOption(option, excludes),
    }),
  ),
  {
    scenario: `locks/${kind}-one-guest`,
    title: `${words}: two processes of one guest ask for one lock through one mount`,
    cells: everywhere(excludes),
    because: 'The guest’s own kernel keeps the two apart, or the daemon does.',
    sources,
  },
  {
    scenario: `locks/${kind}-wait`,
    title: `${words}: the guest waits for a lock that the host holds`,
    cells: apart,
    because: local,
    sources,
    variants: withOption(option, refused('EOPNOTSUPP')),
  },
]);
