/**
 * Cells that many rows share, and the names of the sources that they cite.
 */
import { securityModelFlag } from '../../model/mode.ts';
import {
  alwaysTimeout,
  autoTimeout,
  type Cell,
  fresh,
  refused,
  reported,
  staleFor,
  staleUntil,
} from '../cells.ts';
import type { Cells } from '../columns.ts';
import type { Row } from '../row.ts';

export const fuse = 'Linux 6.12 fs/fuse';
export const v9fs = 'Linux 6.12 fs/9p';
export const netfs = 'Linux 6.12 fs/netfs';
export const daemon = 'virtiofsd 1.14 src';
export const cDaemon = 'QEMU 7.2 tools/virtiofsd/passthrough_ll.c';
export const qemu9p = 'QEMU 10.0 hw/9pfs/9p.c';

/** One promise for every policy of both daemons. */
export function everyPolicy(cell: Cell): Cells {
  return {
    never: cell,
    metadata: cell,
    auto: cell,
    'auto+writeback': cell,
    always: cell,
    'always+writeback': cell,
  };
}

/** One promise for every 9p cache. */
export function everyNinep(cell: Cell): Cells {
  return { '9p:none': cell, '9p:readahead': cell, '9p:mmap': cell, '9p:loose': cell };
}

/** One promise for everything there is. */
export function everywhere(cell: Cell): Cells {
  return { ...everyPolicy(cell), ...everyNinep(cell), dax: cell };
}

/**
 * By the attribute timeout; under writeback size and times are the guest's own until it forgets the inode.
 * A DIRECT_IO policy is no exception: it is the size, not the bytes.
 */
export const bySize: Cells = {
  never: fresh,
  'never+writeback': staleUntil('eviction of the inode'),
  metadata: staleFor(alwaysTimeout),
  'metadata+writeback': staleUntil('eviction of the inode'),
  auto: staleFor(autoTimeout),
  'auto+writeback': staleUntil('eviction of the inode'),
  always: staleFor(alwaysTimeout),
  'always+writeback': staleUntil('eviction of the inode'),
  dax: 'by-policy',
  '9p:none': fresh,
  '9p:readahead': fresh,
  '9p:mmap': fresh,
  '9p:loose': staleUntil('eviction of the inode'),
};

/** By the entry or attribute timeout, which are the same in virtiofsd, whatever writeback says. */
export const byTimeout: Cells = {
  never: fresh,
  metadata: staleFor(alwaysTimeout),
  auto: staleFor(autoTimeout),
  'auto+writeback': staleFor(autoTimeout),
  always: staleFor(alwaysTimeout),
  'always+writeback': staleFor(alwaysTimeout),
  dax: 'by-policy',
  '9p:none': fresh,
  '9p:readahead': fresh,
  '9p:mmap': fresh,
  '9p:loose': staleUntil('eviction of the inode'),
};

/** Bytes under a descriptor that was open before the change. */
export const byKeptPages: Cells = {
  never: fresh,
  metadata: fresh,
  auto: staleFor(autoTimeout),
  'auto+writeback': staleUntil('the next open', 'eviction'),
  always: staleFor(alwaysTimeout),
  'always+writeback': staleUntil('eviction'),
  dax: fresh,
  '9p:none': fresh,
  '9p:readahead': staleUntil('the last close of the file', 'eviction'),
  '9p:mmap': staleUntil('the last close of the file', 'eviction'),
  '9p:loose': staleUntil('eviction'),
};

/** Bytes under a descriptor that was opened after the change. */
export const byOpen: Cells = { ...byKeptPages, auto: fresh, 'auto+writeback': fresh };

/** What waits in the guest until it is written back: only under writeback. */
export function unlessWriteback(events: readonly string[]): Cells {
  return {
    ...everyPolicy(fresh),
    'auto+writeback': staleUntil(...events),
    'always+writeback': staleUntil(...events),
    dax: fresh,
    '9p:none': fresh,
    '9p:readahead': fresh,
    '9p:mmap': staleUntil(...events),
    '9p:loose': staleUntil(...events),
  };
}

/** What needs a shared writable mapping, which DIRECT_IO files and two of the 9p caches refuse. */
export function mappable(cell: Cell, dax: Cell = fresh): Cells {
  return {
    never: refused('ENODEV'),
    metadata: refused('ENODEV'),
    auto: cell,
    'auto+writeback': cell,
    always: cell,
    'always+writeback': cell,
    dax,
    '9p:none': refused('EINVAL'),
    '9p:readahead': refused('EINVAL'),
    '9p:mmap': cell,
    '9p:loose': cell,
  };
}

/** For rows of `mappable`: with --allow-mmap, files that are opened DIRECT_IO can be mapped shared after all. */
export function withAllowMmap(cell: Cell) {
  return {
    when: { flag: 'allow-mmap', versions: { 'guest-kernel': { from: '6.6' }, virtiofsd: { from: '1.11' } } },
    cells: { never: cell, metadata: cell },
    because:
      '--allow-mmap permits shared mappings of DIRECT_IO files (FUSE protocol 7.39); a store dirties a page of the guest.',
    sources: [`${daemon}/passthrough/mod.rs init`, `${fuse}/file.c fuse_file_mmap`],
  } as const;
}

type Variant = NonNullable<Row['variants']>[number];

const mappedXattr = securityModelFlag('mapped-xattr');

/** What 9p promises where QEMU keeps the guest's owners, permissions and kinds of files in extended attributes. */
export function mapped(what: string): Variant {
  return {
    when: { flag: mappedXattr },
    cells: everyNinep(reported(what)),
    because: `With ${mappedXattr} ${what}.`,
    sources: ['QEMU 10.0 hw/9pfs/9p-local.c local_set_xattr'],
  };
}

/** Of rows that follow a symbolic link of the guest's. */
export const mappedLink: Variant = mapped(
  'a symbolic link of the guest’s is a plain file of the host’s that holds its target',
);
