/**
 * Two views that are mounts of one superblock in one kernel: a bind mount into a container, a mount namespace, a
 * directory under another name. Each scenario's best promise, since there is no second copy of anything.
 */
import { asLocalOr, type Cell, excludes, fresh, keeps } from '../cells.ts';
import type { Row } from '../row.ts';

/** Why, in place of a row's own words, which speak of daemons and guests. */
export const oneSuperblock = {
  because:
    'Both views are mounts of one superblock in one kernel: one inode, one page cache and one list of locks for each file, so there is no copy that could be old.',
  sources: [
    'Linux 6.12 fs/namespace.c do_loopback, clone_mnt',
    'Linux 6.12 mm/filemap.c filemap_read, generic_file_direct_write',
    'Linux 6.12 fs/locks.c flock_lock_inode, posix_lock_inode',
    'POSIX.1-2017 read, write, mmap',
    'mount(2), MS_BIND',
  ],
} as const;

/** Where what others promise says nothing of what one kernel does. */
const own: Readonly<Record<string, Cell>> = {
  'events/guest-watch-host': fresh,
  // Most file systems ask O_DIRECT for their blocks' alignment; no daemon takes that off them here.
  'open-flags/direct': asLocalOr('EINVAL'),
  'host-xattr/value': fresh,
  'guest-xattr/value': fresh,
};

/** A row with what it promises in `local:bind`; none where it speaks of windows, or of who serves a read. */
export function withLocal(row: Row): Row {
  const cell = own[row.scenario] ?? bestOf(row.cells.auto);
  return cell === undefined ? row : { ...row, cells: { ...row.cells, 'local:bind': cell } };
}

/** What a commitment of `auto` is about, kept at once and in full. */
function bestOf(cell: Cell | undefined): Cell | undefined {
  switch (cell?.kind) {
    case 'fresh':
    case 'stale-for':
    case 'stale-until':
      return fresh;
    case 'may-lose':
    case 'keeps':
      return keeps;
    case 'local-only':
    case 'excludes':
      return excludes;
    case 'as-local':
    case 'durable-after':
    case 'surfaces':
    case 'reported':
      return cell;
    case 'error':
    case 'served-by':
    case undefined:
      return undefined;
  }
}
