/** What survives, and which failures must be heard of. */
import { asLocal, type Cell, durableAfter, reported, surfacesAt } from '../cells.ts';
import type { Cells } from '../columns.ts';
import type { Row } from '../row.ts';
import {
  cDaemon,
  daemon,
  everyNinep,
  everyPolicy,
  everywhere,
  fuse,
  mappable,
  qemu9p,
  v9fs,
  withAllowMmap,
} from './families.ts';

const synced = [
  `${fuse}/file.c fuse_fsync`,
  `${daemon}/passthrough/mod.rs fsync`,
  `${cDaemon} lo_fsync`,
  `${v9fs}/vfs_file.c v9fs_file_fsync_dotl`,
  `${qemu9p} v9fs_fsync`,
];

/** A sync of the whole file system that ends in the guest. */
const notSentOn = reported('sync() and syncfs() are not sent to the host');

/** With dirty pages in the guest, what write() accepted exists nowhere else. */
function acknowledged(through: Cell, kept: Cell): Cells {
  return {
    ...everyPolicy(through),
    'auto+writeback': kept,
    'always+writeback': kept,
    dax: through,
    '9p:none': through,
    '9p:readahead': through,
    '9p:mmap': kept,
    '9p:loose': kept,
  };
}

export const durability: readonly Row[] = [
  {
    scenario: 'fsync-durable/pages',
    title: 'after the guest’s fsync no page of the range is dirty or under writeback on the host',
    cells: everywhere(durableAfter('fsync')),
    because: 'The guest writes its pages back and waits, and the daemon then calls fsync on the host’s file.',
    sources: synced,
  },
  {
    scenario: 'fsync-durable/fdatasync',
    title: 'after the guest’s fdatasync no page of the range is dirty or under writeback on the host',
    cells: everywhere(durableAfter('fdatasync')),
    because: 'As fsync; the daemon calls fdatasync.',
    sources: synced,
  },
  {
    scenario: 'fsync-durable/dsync',
    title: 'after a write() through O_DSYNC or O_SYNC no page of the range is dirty on the host',
    cells: everywhere(durableAfter('write')),
    because:
      'The daemon’s descriptor has the flag too, or the guest’s kernel asks for a sync after the write.',
    sources: [`${fuse}/file.c fuse_cache_write_iter`, `${daemon}/passthrough/mod.rs open_inode`, ...synced],
  },
  {
    scenario: 'fsync-durable/msync',
    title: 'after the guest’s msync(MS_SYNC) no page of the range is dirty or under writeback on the host',
    cells: mappable(durableAfter('msync'), durableAfter('msync')),
    because: 'msync(MS_SYNC) is an fsync of the range.',
    sources: synced,
    variants: [withAllowMmap(durableAfter('msync'))],
  },
  {
    scenario: 'fsync-durable/power-cut',
    title: 'the host loses power when the guest’s fsync has returned: the medium has what was synced',
    cells: everywhere(durableAfter('fsync')),
    because:
      'The host’s fsync returned before the guest’s did. A new file’s name needs its directory synced too, on file systems that ask for it.',
    sources: synced,
  },
  {
    scenario: 'fsync-durable/power-cut-after-sync',
    title:
      'the host loses power when the guest’s sync has returned: the medium has what was written before it',
    cells: { ...everyPolicy(durableAfter('syncfs')), dax: durableAfter('syncfs'), ...everyNinep(notSentOn) },
    because:
      'The guest writes its pages back and sends FUSE_SYNCFS, and the daemon calls syncfs on the host’s file system. 9p has no request for it.',
    sources: [
      `${fuse}/inode.c fuse_sync_fs`,
      `${daemon}/passthrough/mod.rs syncfs`,
      `${cDaemon} lo_syncfs`,
      `${v9fs}/vfs_super.c v9fs_super_ops_dotl`,
    ],
    variants: [
      {
        when: { versions: { 'guest-kernel': { before: '5.14' } } },
        cells: { ...everyPolicy(notSentOn), dax: notSentOn },
        because: 'Before Linux 5.14 the guest does not tell the daemon of a sync.',
      },
    ],
  },
  {
    scenario: 'fsync-durable/daemon-kill',
    title: 'the daemon is killed: what the guest’s calls had acknowledged is on the host',
    cells: acknowledged(durableAfter('write'), durableAfter('fsync', 'close')),
    because:
      'A write() that returned is in the host’s page cache, which no killed process takes along; under writeback it is a dirty page of the guest until a flush.',
    sources: [`${fuse}/file.c fuse_cache_write_iter`, `${fuse}/file.c fuse_flush`],
  },
  {
    scenario: 'fsync-durable/vm-kill',
    title: 'the virtual machine is killed: what the guest’s calls had acknowledged is on the host',
    cells: acknowledged(durableAfter('write'), durableAfter('fsync', 'close')),
    because:
      'A write() that returned is in the host’s page cache; under writeback it is a dirty page of the guest, and dies with it.',
    sources: [`${fuse}/file.c fuse_cache_write_iter`, `${fuse}/file.c fuse_flush`],
  },
  {
    scenario: 'fsync-durable/without-sync',
    title: 'the host loses power before any sync',
    cells: everywhere(reported('what no sync has acknowledged may be lost, and often is not')),
    because: 'The host’s page cache is memory.',
    sources: ['POSIX.1-2017 fsync'],
  },
  {
    scenario: 'directory-fsync/accepted',
    title: 'fsync on a directory, on either side, is accepted',
    cells: everywhere(asLocal),
    because: 'FUSE_FSYNCDIR is answered by both daemons; 9p syncs the directory’s handle.',
    sources: [
      `${fuse}/dir.c fuse_dir_fsync`,
      `${daemon}/passthrough/mod.rs fsyncdir`,
      `${cDaemon} lo_fsyncdir`,
      `${v9fs}/vfs_dir.c v9fs_dir_operations_dotl`,
    ],
  },
  {
    scenario: 'directory-fsync/power-cut',
    title: 'the host loses power when the guest’s fsync of a directory has returned: its names are there',
    cells: everywhere(durableAfter('fsync of the directory')),
    because: 'The host’s fsync of the directory returned before the guest’s did.',
    sources: [
      `${fuse}/dir.c fuse_dir_fsync`,
      `${daemon}/passthrough/mod.rs fsyncdir`,
      `${cDaemon} lo_fsyncdir`,
    ],
  },
  {
    scenario: 'write-errors/no-space',
    title: 'the host’s file system is full: the guest’s write is not swallowed',
    cells: acknowledged(surfacesAt('write'), surfacesAt('fsync', 'close')),
    because:
      'A write that is sent at once fails at once; a dirty page of the guest fails when it is written back.',
    sources: [
      `${fuse}/file.c fuse_send_write_pages`,
      `${fuse}/file.c fuse_flush`,
      `${fuse}/file.c fuse_fsync`,
    ],
  },
  {
    scenario: 'write-errors/quota',
    title: 'a quota on the host is used up: the guest’s write is not swallowed',
    cells: acknowledged(surfacesAt('write'), surfacesAt('fsync', 'close')),
    because: 'As a full file system, with EDQUOT.',
    sources: [
      `${fuse}/file.c fuse_send_write_pages`,
      `${fuse}/file.c fuse_flush`,
      `${fuse}/file.c fuse_fsync`,
    ],
  },
  {
    scenario: 'write-errors/below',
    title: 'the host’s disk fails under its page cache: the guest’s fsync says so',
    cells: everywhere(surfacesAt('fsync')),
    because:
      'The host accepts the bytes into its cache; only its own writeback fails, which is told to a descriptor’s next fsync and to no close.',
    sources: [...synced, 'Linux 6.12 lib/errseq.c'],
  },
  {
    scenario: 'write-errors/mapped',
    title: 'the host’s file system is full: a store through a guest mapping is not swallowed',
    cells: mappable(
      surfacesAt('msync', 'fsync', 'close'),
      reported('a store through the window may end in SIGBUS'),
    ),
    because: 'A dirty page fails when it is written back, which the next msync, fsync or close reports.',
    sources: [`${fuse}/file.c fuse_writepages`, `${fuse}/file.c fuse_flush`, `${fuse}/file.c fuse_fsync`],
    variants: [withAllowMmap(surfacesAt('msync', 'fsync', 'close'))],
  },
];
