import {
  alwaysTimeout,
  autoTimeout,
  type Cell,
  fresh,
  mayLose,
  refused,
  staleFor,
  staleUntil,
} from './cells.ts';

/** The columns of the table: the Rust daemon's cache policies, each with and without `--writeback`. */
export type Column = 'never' | 'metadata' | 'auto' | 'auto+writeback' | 'always' | 'always+writeback';

/** One scenario: who does what, and what the other side may then see. */
export interface Row {
  readonly scenario: string;
  readonly title: string;
  readonly cells: Readonly<Partial<Record<Column, Cell>>>;
  readonly because: string;
  readonly sources: readonly string[];
}

const kernel = 'Linux 6.12 fs/fuse';
const daemon = 'virtiofsd 1.14 src';

/** Within the attribute timeout of the policy; under writeback the guest owns size and times. */
function bySize(writeback: Cell): Row['cells'] {
  return {
    never: fresh,
    metadata: staleFor(alwaysTimeout),
    auto: staleFor(autoTimeout),
    'auto+writeback': writeback,
    always: staleFor(alwaysTimeout),
    'always+writeback': writeback,
  };
}

/** Within the entry timeout of the policy, whatever writeback says. */
const byName: Row['cells'] = {
  never: fresh,
  metadata: staleFor(alwaysTimeout),
  auto: staleFor(autoTimeout),
  'auto+writeback': staleFor(autoTimeout),
  always: staleFor(alwaysTimeout),
  'always+writeback': staleFor(alwaysTimeout),
};

const alwaysFresh: Row['cells'] = {
  never: fresh,
  metadata: fresh,
  auto: fresh,
  'auto+writeback': fresh,
  always: fresh,
  'always+writeback': fresh,
};

/** What the contract knows. Every judge asks for a scenario by its name; a name that is not here is unknown. */
export const rows: readonly Row[] = [
  {
    scenario: 'host-write/kept-descriptor',
    title: 'the host overwrites bytes; the guest reads them through a descriptor that it kept open',
    cells: {
      never: fresh,
      metadata: fresh,
      auto: staleFor(autoTimeout),
      'auto+writeback': staleUntil('the next open', 'eviction'),
      always: staleFor(alwaysTimeout),
      'always+writeback': staleUntil('eviction'),
    },
    because:
      'A cached page is read again only after an attribute refresh saw another size or mtime; under writeback the guest trusts its own.',
    sources: [
      `${kernel}/inode.c fuse_change_attributes`,
      `${kernel}/file.c fuse_cache_read_iter`,
      `${daemon}/passthrough/mod.rs open_inode`,
    ],
  },
  {
    scenario: 'host-write/first-read',
    title: 'the host makes a file; the guest, which never saw it, opens and reads it',
    cells: alwaysFresh,
    because: 'A name and pages that the guest never had cannot be cached there.',
    sources: [`${kernel}/dir.c fuse_lookup`, `${kernel}/file.c fuse_cache_read_iter`],
  },
  {
    scenario: 'host-write/reopen',
    title: 'the host overwrites bytes; the guest opens the file again and reads them',
    cells: {
      never: fresh,
      metadata: fresh,
      auto: fresh,
      'auto+writeback': fresh,
      always: staleFor(alwaysTimeout),
      'always+writeback': staleUntil('eviction'),
    },
    because: 'open() without FOPEN_KEEP_CACHE drops the pages of the inode; cache=always opens with it.',
    sources: [`${kernel}/file.c fuse_finish_open`, `${daemon}/passthrough/mod.rs open_inode`],
  },
  {
    scenario: 'host-write-same-mtime/kept-descriptor',
    title: 'the host overwrites bytes and restores the mtime; the guest reads through a kept descriptor',
    cells: {
      never: fresh,
      metadata: fresh,
      auto: staleUntil('the next open', 'eviction'),
      'auto+writeback': staleUntil('the next open', 'eviction'),
      always: staleUntil('eviction'),
      'always+writeback': staleUntil('eviction'),
    },
    because: 'Only size and mtime are compared; a change that leaves both as they were cannot be noticed.',
    sources: [`${kernel}/inode.c fuse_change_attributes`],
  },
  {
    scenario: 'host-append/size',
    title: 'the host appends; the guest asks for the size, also after opening again',
    cells: bySize(staleUntil('eviction of the inode')),
    because:
      'The size is an attribute: it is cached for the attribute timeout, and under writeback the guest keeps its own.',
    sources: [`${kernel}/dir.c fuse_update_get_attr`, `${kernel}/inode.c fuse_get_cache_mask`],
  },
  {
    scenario: 'host-append/read',
    title: 'the host appends; the guest reads past the old end of file',
    cells: { ...bySize(staleUntil('eviction of the inode')), metadata: fresh },
    because: 'A cached read stops at the cached size; a DIRECT_IO read asks the daemon.',
    sources: [`${kernel}/file.c fuse_cache_read_iter`],
  },
  {
    scenario: 'host-truncate/read',
    title: 'the host truncates; the guest reads the range that was cut',
    cells: { ...bySize(staleUntil('eviction of the inode')), metadata: fresh },
    because:
      'As for an append: old bytes or zeros may be read up to the old size while the attributes are cached.',
    sources: [`${kernel}/file.c fuse_cache_read_iter`, `${kernel}/inode.c fuse_change_attributes`],
  },
  {
    scenario: 'host-touch/mtime',
    title: 'the host changes the mtime; the guest asks for it',
    cells: bySize(staleUntil('eviction of the inode')),
    because: 'The mtime is an attribute; under writeback it belongs to the guest.',
    sources: [`${kernel}/dir.c fuse_update_get_attr`, `${kernel}/inode.c fuse_get_cache_mask`],
  },
  {
    scenario: 'host-chmod/mode',
    title: 'the host changes the mode bits; the guest asks for them',
    cells: byName,
    because:
      'The mode bits are an attribute: cached for the attribute timeout, and in no mode the guest’s own. Attribute and entry timeout are the same in virtiofsd.',
    sources: [`${kernel}/dir.c fuse_update_get_attr`, `${daemon}/passthrough/mod.rs getattr`],
  },
  {
    scenario: 'guest-write/before-fsync',
    title: 'the guest writes with write(); the host reads before the guest closes or syncs',
    cells: {
      ...alwaysFresh,
      'auto+writeback': staleUntil('close', 'fsync', 'msync', 'writeback'),
      'always+writeback': staleUntil('close', 'fsync', 'msync', 'writeback'),
    },
    because:
      'Without writeback every write() is sent before it returns; with it, dirty pages wait in the guest.',
    sources: [`${kernel}/file.c fuse_cache_write_iter`],
  },
  {
    scenario: 'guest-write/after-close',
    title: 'the guest writes and closes (or syncs); the host reads',
    cells: alwaysFresh,
    because: 'close() writes dirty pages back (FUSE_FLUSH), fsync() too.',
    sources: [`${kernel}/file.c fuse_flush`, `${kernel}/file.c fuse_fsync`],
  },
  {
    scenario: 'guest-map-store/before-msync',
    title: 'the guest stores through a shared mapping; the host reads',
    cells: {
      never: refused('ENODEV'),
      metadata: refused('ENODEV'),
      auto: staleUntil('msync', 'munmap', 'close', 'writeback'),
      'auto+writeback': staleUntil('msync', 'munmap', 'close', 'writeback'),
      always: staleUntil('msync', 'munmap', 'close', 'writeback'),
      'always+writeback': staleUntil('msync', 'munmap', 'close', 'writeback'),
    },
    because: 'A store dirties a page of the guest; DIRECT_IO files cannot be mapped shared.',
    sources: [`${kernel}/file.c fuse_file_mmap`, `${kernel}/file.c fuse_vma_close`],
  },
  {
    scenario: 'same-page-writers/mapped',
    title: 'the guest dirties a page by mapping while the host writes elsewhere in the same page',
    cells: { auto: mayLose, 'auto+writeback': mayLose, always: mayLose, 'always+writeback': mayLose },
    because: 'A page is written back whole.',
    sources: [`${kernel}/file.c fuse_writepages_fill`],
  },
  {
    scenario: 'rename-over/open',
    title: 'the host renames another file over a name; the guest opens the name',
    cells: byName,
    because: 'A name is looked up again after the entry timeout.',
    sources: [`${kernel}/dir.c fuse_dentry_revalidate`],
  },
  {
    scenario: 'unlink/stat',
    title: 'the host unlinks a name; the guest stats it',
    cells: byName,
    because: 'A name is looked up again after the entry timeout.',
    sources: [`${kernel}/dir.c fuse_dentry_revalidate`],
  },
  {
    scenario: 'create/after-failed-lookup',
    title: 'the guest looked for a name in vain; the host creates it; the guest looks again',
    cells: alwaysFresh,
    because: 'virtiofsd answers a failed lookup with an error, which the guest does not cache.',
    sources: [`${kernel}/dir.c fuse_lookup`, `${daemon}/passthrough/mod.rs do_lookup`],
  },
  {
    scenario: 'readdir/after-change',
    title: 'the host creates or unlinks a name; the guest lists the directory',
    cells: {
      never: fresh,
      metadata: staleFor(alwaysTimeout),
      auto: fresh,
      'auto+writeback': fresh,
      always: staleFor(alwaysTimeout),
      'always+writeback': staleFor(alwaysTimeout),
    },
    because:
      'Directories opened with CACHE_DIR and KEEP_CACHE are answered from the guest until their attributes change.',
    sources: [`${kernel}/readdir.c fuse_readdir_cached`, `${daemon}/passthrough/mod.rs do_open`],
  },
  {
    scenario: 'concurrent-append',
    title: 'both sides append to one file at once',
    cells: { ...alwaysFresh, 'auto+writeback': mayLose, 'always+writeback': mayLose },
    because:
      'Without writeback the daemon appends atomically (RWF_APPEND); with it the guest chooses the offset.',
    sources: [`${kernel}/file.c fuse_cache_write_iter`, `${daemon}/passthrough/mod.rs write`],
  },
];
