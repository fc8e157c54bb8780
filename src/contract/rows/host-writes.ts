/** The host changes bytes or the size; the guest looks. */
import {
  alwaysTimeout,
  asLocal,
  autoTimeout,
  fresh,
  keeps,
  mayLose,
  reported,
  staleFor,
  staleUntil,
} from '../cells.ts';
import type { Cells } from '../columns.ts';
import type { Row } from '../row.ts';
import {
  byKeptPages,
  byOpen,
  bySize,
  cDaemon,
  daemon,
  everyNinep,
  everyPolicy,
  everywhere,
  fuse,
  mappable,
  netfs,
  qemu9p,
  v9fs,
  withAllowMmap,
} from './families.ts';

const kept = [
  `${fuse}/inode.c fuse_change_attributes`,
  `${fuse}/file.c fuse_cache_read_iter`,
  `${daemon}/passthrough/mod.rs open_inode`,
  `${cDaemon} lo_open`,
  `${v9fs}/vfs_addr.c`,
  `${qemu9p} stat_to_qid`,
];
const opened = [
  `${fuse}/file.c fuse_finish_open`,
  `${daemon}/passthrough/mod.rs open_inode`,
  `${cDaemon} lo_open`,
  `${v9fs}/vfs_file.c v9fs_file_open`,
];

/** Neither size nor mtime shows the change. */
const unnoticed: Cells = {
  ...byKeptPages,
  auto: staleUntil('the next open', 'eviction'),
  always: staleUntil('eviction'),
};

/** Through a mapping that the guest made before. */
const throughMapping: Cells = {
  never: staleUntil('a refresh of the attributes', 'a new mapping', 'eviction'),
  // Under writeback size and mtime are the guest's own: no refresh shows a change of the host's.
  'never+writeback': staleUntil('a new mapping', 'eviction'),
  metadata: staleUntil('a refresh of the attributes', 'a new mapping', 'eviction'),
  'metadata+writeback': staleUntil('a new mapping', 'eviction'),
  auto: staleUntil('the next open', 'a refresh of the attributes', 'eviction'),
  'auto+writeback': staleUntil('the next open', 'eviction'),
  always: staleUntil('a refresh of the attributes', 'eviction'),
  'always+writeback': staleUntil('eviction'),
  dax: fresh,
  '9p:none': staleUntil('the last close of the file', 'eviction'),
  '9p:readahead': staleUntil('the last close of the file', 'eviction'),
  '9p:mmap': staleUntil('the last close of the file', 'eviction'),
  '9p:loose': staleUntil('eviction'),
};

/** Reading behind the end of file that the guest knows. */
const pastOldEnd: Cells = {
  ...bySize,
  'never+writeback': fresh,
  metadata: fresh,
  'metadata+writeback': fresh,
  // A stat may itself be answered from what is cached.
  dax: staleUntil('a refresh of the attributes', 'a lookup'),
  '9p:readahead': staleUntil('stat', 'the last close of the file', 'eviction'),
  '9p:mmap': staleUntil('stat', 'the last close of the file', 'eviction'),
};

/** The same with O_DIRECT: 9p asks its server, and is not held up by the size that the guest knows. */
const pastOldEndDirect: Cells = { ...pastOldEnd, ...everyNinep(fresh) };

const mayEndMachine = reported(
  'a load behind the end of the host’s file may end the virtual machine (SIGBUS)',
);

/** Reading what the host cut off. */
const cut: Cells = {
  ...pastOldEnd,
  dax: mayEndMachine,
  '9p:readahead': staleUntil('the last close of the file', 'eviction'),
  '9p:mmap': staleUntil('the last close of the file', 'eviction'),
};

/** An append is at the end of the host's file, unless the guest chooses the place itself. */
const byAppend: Cells = {
  ...everyPolicy(keeps),
  'never+writeback': mayLose,
  'metadata+writeback': mayLose,
  'auto+writeback': mayLose,
  'always+writeback': mayLose,
  dax: keeps,
  '9p:none': keeps,
  '9p:readahead': keeps,
  '9p:mmap': mayLose,
  '9p:loose': mayLose,
};

export const hostWrites: readonly Row[] = [
  {
    scenario: 'host-write/kept-descriptor',
    title: 'the host overwrites bytes; the guest reads them through a descriptor that it kept open',
    cells: byKeptPages,
    because:
      'A cached page is read again only after an attribute refresh saw another size or mtime; under writeback the guest trusts its own.',
    sources: kept,
    variants: [
      {
        when: { versions: { 'guest-kernel': { before: '6.4' } } },
        cells: { '9p:mmap': fresh },
        because: 'Before Linux 6.4 cache=mmap kept pages for mappings alone; read() went to the server.',
        sources: ['Linux 6.1 fs/9p/vfs_file.c'],
      },
    ],
  },
  {
    scenario: 'host-write/first-read',
    title: 'the host makes a file; the guest, which never saw it, opens and reads it',
    cells: everywhere(fresh),
    because: 'A name and pages that the guest never had cannot be cached there.',
    sources: [`${fuse}/dir.c fuse_lookup`, `${fuse}/file.c fuse_cache_read_iter`, `${v9fs}/vfs_inode.c`],
  },
  {
    scenario: 'host-write/reopen',
    title: 'the host overwrites bytes; the guest opens the file again and reads them',
    cells: byOpen,
    because: 'open() without FOPEN_KEEP_CACHE drops the pages of the inode; cache=always opens with it.',
    sources: opened,
  },
  {
    scenario: 'host-write/mapped',
    title: 'the host overwrites bytes; the guest loads them through a mapping that it made before',
    cells: throughMapping,
    because:
      'A load asks nobody: a mapped page stays until another open, or an attribute refresh that sees the change, drops it. A DIRECT_IO file can be mapped privately, and then likewise; of 9p every file can, whatever its cache.',
    sources: [...kept, `${fuse}/file.c fuse_file_mmap`, `${v9fs}/vfs_file.c v9fs_file_mmap`],
  },
  {
    scenario: 'host-write/direct-read',
    title: 'the host overwrites bytes; the guest reads them with O_DIRECT',
    cells: everywhere(fresh),
    because:
      'A direct read asks the daemon after dirty pages were written back; FUSE cuts it at the size that the guest knows.',
    sources: [
      `${fuse}/file.c fuse_direct_IO`,
      `${v9fs}/fid.h v9fs_fid_add_modes`,
      `${v9fs}/vfs_file.c v9fs_file_read_iter`,
      `${netfs}/direct_read.c netfs_unbuffered_read_iter_locked`,
    ],
  },
  {
    scenario: 'host-write-same-mtime/kept-descriptor',
    title: 'the host overwrites bytes and restores the mtime; the guest reads through a kept descriptor',
    cells: unnoticed,
    because: 'Only size and mtime are compared; a change that leaves both as they were cannot be noticed.',
    sources: [`${fuse}/inode.c fuse_change_attributes`, `${qemu9p} stat_to_qid`],
  },
  {
    scenario: 'host-write-same-mtime/reopen',
    title: 'the host overwrites bytes and restores the mtime; the guest opens the file again and reads',
    cells: { ...byOpen, always: staleUntil('eviction') },
    because:
      'An open without FOPEN_KEEP_CACHE compares nothing and drops the pages; with it nothing is noticed.',
    sources: opened,
  },
  {
    scenario: 'host-write-same-granule/kept-descriptor',
    title: 'the host overwrites bytes twice within one tick of its clock; the guest read between',
    cells: unnoticed,
    because: 'Two writes within one timestamp granule leave the same mtime, so the second cannot be noticed.',
    sources: [`${fuse}/inode.c fuse_change_attributes`],
    variants: [
      {
        when: { versions: { 'host-kernel': { from: '6.13' } } },
        cells: { auto: staleFor(autoTimeout), always: staleFor(alwaysTimeout) },
        because:
          'With multigrain timestamps (ext4, xfs, btrfs, tmpfs) a write after a stat gets an mtime of its own.',
        sources: ['Linux 6.13 fs/inode.c inode_set_ctime_current'],
      },
    ],
  },
  {
    scenario: 'host-map-store/kept-descriptor',
    title: 'the host stores through a mapping of a page that is dirty already; the guest reads',
    cells: unnoticed,
    because: 'Only the first store to a clean page moves the mtime: later ones are like a restored mtime.',
    sources: ['Linux 6.12 mm/memory.c fault_dirty_shared_page', `${fuse}/inode.c fuse_change_attributes`],
  },
  {
    scenario: 'host-append/size',
    title: 'the host appends; the guest asks for the size, also after opening again',
    cells: bySize,
    because:
      'The size is an attribute: it is cached for the attribute timeout, and under writeback the guest keeps its own.',
    sources: [
      `${fuse}/dir.c fuse_update_get_attr`,
      `${fuse}/inode.c fuse_get_cache_mask`,
      `${v9fs}/vfs_inode_dotl.c v9fs_vfs_getattr_dotl`,
    ],
  },
  {
    scenario: 'host-append/seek-end',
    title: 'the host appends; the guest seeks to the end of a descriptor that it kept open',
    cells: {
      ...bySize,
      '9p:readahead': staleUntil('stat', 'the last close of the file'),
      '9p:mmap': staleUntil('stat', 'the last close of the file'),
      '9p:none': staleUntil('stat', 'the last close of the file'),
    },
    because:
      'SEEK_END takes the size after a refresh of the attributes that are due; 9p takes the inode’s as it is.',
    sources: [`${fuse}/file.c fuse_file_llseek`, `${v9fs}/vfs_file.c v9fs_file_operations_dotl`],
  },
  {
    scenario: 'host-append/read',
    title: 'the host appends; the guest reads past the old end of file',
    cells: pastOldEnd,
    because: 'A cached read stops at the cached size; a DIRECT_IO read asks the daemon.',
    sources: [
      `${fuse}/file.c fuse_cache_read_iter`,
      `${fuse}/file.c __fuse_direct_read`,
      `${fuse}/dax.c fuse_dax_read_iter`,
      `${v9fs}/vfs_addr.c`,
    ],
  },
  {
    scenario: 'host-append/reopen',
    title: 'the host appends; the guest opens the file again and reads past the old end of file',
    cells: pastOldEnd,
    because: 'An open drops pages and does not ask for the size: the attribute timeout counts all the same.',
    sources: [`${fuse}/file.c fuse_finish_open`, `${fuse}/file.c fuse_cache_read_iter`],
  },
  {
    scenario: 'host-append/direct-read',
    title: 'the host appends; the guest reads past the old end of file with O_DIRECT',
    cells: pastOldEndDirect,
    because:
      'FUSE cuts a direct read of a cached file at the size that the guest knows; 9p asks its server for all of it.',
    sources: [
      `${fuse}/file.c fuse_cache_read_iter`,
      `${fuse}/file.c fuse_direct_IO`,
      `${v9fs}/vfs_addr.c v9fs_issue_read`,
      `${netfs}/direct_read.c netfs_unbuffered_read_iter_locked`,
    ],
  },
  {
    scenario: 'host-truncate/size',
    title: 'the host truncates; the guest asks for the size',
    cells: bySize,
    because: 'The size is an attribute, as for an append.',
    sources: [`${fuse}/dir.c fuse_update_get_attr`, `${fuse}/inode.c fuse_get_cache_mask`],
  },
  {
    scenario: 'host-truncate/read',
    title: 'the host truncates; the guest reads the range that was cut',
    cells: cut,
    because:
      'As for an append: old bytes or zeros may be read up to the old size while the attributes are cached.',
    sources: [`${fuse}/file.c fuse_cache_read_iter`, `${fuse}/inode.c fuse_change_attributes`],
  },
  {
    scenario: 'host-truncate/regrow',
    title: 'the host truncates and grows the file again; the guest reads the range through a kept descriptor',
    cells: {
      ...byKeptPages,
      dax: mayEndMachine,
    },
    because:
      'Size and mtime tell, as for an overwrite: then the range reads as the host has it, zeros included.',
    sources: kept,
  },
  {
    scenario: 'host-truncate/regrow-reopen',
    title: 'the host truncates and grows the file again; the guest opens it again and reads the range',
    cells: {
      ...byOpen,
      dax: mayEndMachine,
    },
    because: 'As for an overwrite: an open without FOPEN_KEEP_CACHE drops the pages.',
    sources: opened,
  },
  {
    scenario: 'tail-page/after-new-size',
    title: 'the guest has seen the size after a host append; it reads the new bytes in the old last page',
    cells: {
      ...everyPolicy(fresh),
      dax: fresh,
      ...everyNinep(fresh),
      '9p:readahead': staleUntil('the last close of the file', 'eviction'),
      '9p:mmap': staleUntil('the last close of the file', 'eviction'),
      '9p:loose': staleUntil('eviction'),
    },
    because:
      'A reply that moves the size drops the inode’s pages with it, so zeros behind the old end of file cannot be taken for data.',
    sources: [`${fuse}/inode.c fuse_change_attributes`, `${v9fs}/vfs_inode_dotl.c v9fs_stat2inode_dotl`],
  },
  {
    scenario: 'same-page-writers/buffered',
    title: 'the guest writes with write() while the host writes elsewhere in the same page',
    cells: {
      ...everyPolicy(keeps),
      'auto+writeback': mayLose,
      'always+writeback': mayLose,
      dax: keeps,
      '9p:none': keeps,
      '9p:readahead': keeps,
      '9p:mmap': mayLose,
      '9p:loose': mayLose,
    },
    because: 'Without writeback only the bytes of a write() are sent; with it a page is written back whole.',
    sources: [
      `${fuse}/file.c fuse_send_write_pages`,
      `${fuse}/file.c fuse_writepages_fill`,
      `${v9fs}/vfs_addr.c`,
    ],
  },
  {
    scenario: 'same-page-writers/mapped',
    title: 'the guest dirties a page by mapping while the host writes elsewhere in the same page',
    cells: mappable(mayLose, keeps),
    because: 'A page is written back whole.',
    sources: [`${fuse}/file.c fuse_writepages_fill`, `${v9fs}/vfs_addr.c`],
    variants: [withAllowMmap(mayLose)],
  },
  {
    scenario: 'same-page-writers/direct',
    title: 'the guest writes with O_DIRECT while the host writes elsewhere in the same page',
    cells: everywhere(keeps),
    because: 'A direct write sends its own bytes; no page of the guest is dirtied by it.',
    sources: [`${fuse}/file.c fuse_direct_IO`, `${netfs}/direct_write.c netfs_unbuffered_write_iter`],
  },
  {
    scenario: 'concurrent-append',
    title: 'both sides append to one file at once',
    cells: byAppend,
    because:
      'Without writeback the daemon appends atomically (RWF_APPEND; the C daemon keeps O_APPEND); with it the guest chooses the offset.',
    sources: [
      `${fuse}/file.c fuse_cache_write_iter`,
      `${daemon}/passthrough/mod.rs write`,
      `${cDaemon} update_open_flags`,
      `${qemu9p} get_dotl_openflags`,
    ],
  },
  {
    scenario: 'concurrent-append/long',
    title: 'both sides append to one file at once, records of more than a page',
    cells: {
      ...byAppend,
      '9p:none': { kind: 'reported', what: 'a long record may be appended in pieces' },
      '9p:readahead': { kind: 'reported', what: 'a long record may be appended in pieces' },
    },
    because:
      'An append is one piece (POSIX write(2), O_APPEND). Linux keeps that where a write is one request. Where pages are cached it sends what lies in a partial first page as a request of its own since 5.13 (4f06dd92b5d0): a defect, docs/findings.md. A request of 9p holds 4096 bytes here, and that protocol promises no more in one piece than a request (iounit).',
    sources: [
      'POSIX.1-2017 write(2)',
      `${fuse}/file.c fuse_fill_write_pages`,
      `${daemon}/passthrough/mod.rs write`,
      `${qemu9p} get_dotl_openflags`,
      `${v9fs}/vfs_file.c v9fs_file_write_iter`,
    ],
  },
  {
    scenario: 'concurrent-append/one-guest',
    title: 'two processes of one guest append to one file at once',
    cells: everywhere(keeps),
    because: 'The guest’s kernel holds the inode’s lock over the choice of the offset and the write.',
    sources: [`${fuse}/file.c fuse_cache_write_iter`, `${fuse}/file.c fuse_direct_write_iter`],
  },
  {
    scenario: 'holes/host-punch',
    title: 'the host punches a hole or zeroes a range; the guest reads it through a kept descriptor',
    cells: byKeptPages,
    because: 'For the guest this is an overwrite with zeros.',
    sources: kept,
  },
  {
    scenario: 'holes/host-punch-reopen',
    title: 'the host punches a hole or zeroes a range; the guest opens the file again and reads it',
    cells: byOpen,
    because: 'For the guest this is an overwrite with zeros.',
    sources: opened,
  },
  {
    scenario: 'holes/guest-punch',
    title: 'the guest punches a hole or zeroes a range; both sides read it at once',
    cells: { ...everyPolicy(fresh), dax: fresh, ...everyNinep({ kind: 'error', errno: 'EOPNOTSUPP' }) },
    because: 'fallocate() is a request, after the range’s dirty pages were written back; 9p has none.',
    sources: [`${fuse}/file.c fuse_file_fallocate`, `${v9fs}/vfs_file.c v9fs_file_operations_dotl`],
  },
  {
    scenario: 'holes/guest-collapse',
    title: 'the guest asks for FALLOC_FL_COLLAPSE_RANGE or INSERT_RANGE',
    cells: everywhere({ kind: 'error', errno: 'EOPNOTSUPP' }),
    because: 'FUSE passes on allocation, punching and zeroing, and nothing else.',
    sources: [`${fuse}/file.c fuse_file_fallocate`, `${v9fs}/vfs_file.c v9fs_file_operations_dotl`],
  },
  {
    scenario: 'holes/seek',
    title: 'SEEK_DATA and SEEK_HOLE on either side agree with the content read there, nothing being dirty',
    cells: everywhere(fresh),
    because: 'The question goes to the host’s file system; 9p calls everything data, which agrees as well.',
    sources: [`${fuse}/file.c fuse_lseek`, `${daemon}/passthrough/mod.rs lseek`, `${cDaemon} lo_lseek`],
  },
  {
    scenario: 'holes/seek-dirty',
    title: 'the guest wrote into a hole and has not written back; SEEK_DATA there agrees with the content',
    cells: everywhere(fresh),
    because:
      'lseek(2) lets data be reported where there is a hole, and never a hole where there is data. The kernel asks the daemon without writing dirty pages back first, so a mode that keeps them can break this.',
    sources: ['man-pages lseek(2)', `${fuse}/file.c fuse_lseek`],
  },
  {
    scenario: 'host-write/tail-zeros',
    title: 'what lies between the end of the host’s file and the end of its last page reads as nothing',
    cells: everywhere(asLocal),
    because: 'A read ends at the size; a load behind it, within the last page, is zero.',
    sources: ['POSIX.1-2017 mmap', `${fuse}/file.c fuse_short_read`],
  },
];
