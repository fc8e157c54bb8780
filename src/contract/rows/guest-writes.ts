/** The guest writes; the host looks. */
import { asLocal, fresh, reported, staleUntil } from '../cells.ts';
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
  unlessWriteback,
  v9fs,
  withAllowMmap,
} from './families.ts';

const flushing = ['close', 'fsync', 'msync', 'writeback'];
const mapFlushing = ['msync', 'munmap', 'close', 'writeback'];
/** 9p has no flush(): a close() under a mapping writes nothing back. */
const ninepMapped = {
  '9p:mmap': staleUntil('msync', 'munmap', 'writeback'),
  '9p:loose': staleUntil('msync', 'munmap', 'writeback'),
};
const mapping = [
  `${fuse}/file.c fuse_file_mmap`,
  `${fuse}/file.c fuse_vma_close`,
  `${v9fs}/vfs_file.c v9fs_mmap_vm_close`,
];

export const guestWrites: readonly Row[] = [
  {
    scenario: 'guest-write/before-fsync',
    title: 'the guest writes with write(); the host reads before the guest closes or syncs',
    cells: unlessWriteback(flushing),
    because:
      'Without writeback every write() is sent before it returns; with it, dirty pages wait in the guest.',
    sources: [`${fuse}/file.c fuse_cache_write_iter`, `${v9fs}/vfs_file.c v9fs_file_write_iter`],
  },
  {
    scenario: 'guest-write/after-close',
    title: 'the guest writes and closes (or syncs); the host reads',
    cells: everywhere(fresh),
    because: 'close() writes dirty pages back and waits for them (FUSE_FLUSH), fsync() too.',
    sources: [`${fuse}/file.c fuse_flush`, `${fuse}/file.c fuse_fsync`, `${v9fs}/vfs_dir.c v9fs_dir_release`],
    variants: [
      {
        when: { versions: { 'guest-kernel': { before: '6.4' } } },
        cells: { '9p:loose': staleUntil('fsync', 'writeback') },
        because: 'Before Linux 6.4 no close of 9p wrote dirty pages back.',
        sources: ['Linux 6.1 fs/9p/vfs_dir.c v9fs_dir_release'],
      },
    ],
  },
  {
    scenario: 'guest-write/after-fsync',
    title: 'the guest writes and fsyncs, and keeps the file open; the host reads',
    cells: everywhere(fresh),
    because: 'fsync() writes the dirty pages back and waits for them before it asks the daemon to sync.',
    sources: [`${fuse}/file.c fuse_fsync`, `${v9fs}/vfs_file.c v9fs_file_fsync_dotl`],
  },
  {
    scenario: 'guest-write/direct',
    title: 'the guest writes with O_DIRECT; the host reads at once',
    cells: everywhere(fresh),
    because:
      'A direct write is sent before it returns in every mode. Without --allow-direct-io the daemon drops the flag on the host, so it reaches the host’s page cache, not its disk.',
    sources: [
      `${fuse}/file.c fuse_direct_IO`,
      `${daemon}/passthrough/mod.rs update_open_flags`,
      `${cDaemon} update_open_flags`,
      `${qemu9p} get_dotl_openflags`,
    ],
  },
  {
    scenario: 'guest-write/size-before-flush',
    title: 'the guest writes past the end of file; the host asks for the size before a flush',
    cells: unlessWriteback(flushing),
    because: 'The host’s file grows when the daemon writes, which under writeback is at the flush.',
    sources: [`${fuse}/file.c fuse_cache_write_iter`, `${fuse}/file.c fuse_writepages`],
  },
  {
    scenario: 'guest-write/mtime-before-flush',
    title: 'the guest writes; the host asks for the mtime before a flush',
    cells: unlessWriteback(flushing),
    because:
      'The host’s mtime moves when the daemon writes; under writeback the guest keeps it until a flush.',
    sources: [`${fuse}/inode.c fuse_write_inode`, `${fuse}/inode.c fuse_get_cache_mask`],
  },
  {
    scenario: 'guest-write/mtime-after-close',
    title: 'the guest writes and closes; the host asks for the mtime',
    cells: everywhere(fresh),
    because:
      'The daemon’s own write moves the host’s mtime; under writeback the guest sends its own with the flush.',
    sources: [
      `${fuse}/file.c fuse_flush`,
      `${fuse}/inode.c fuse_write_inode`,
      `${v9fs}/vfs_dir.c v9fs_dir_release`,
    ],
    variants: [
      {
        when: { versions: { 'guest-kernel': { before: '6.4' } } },
        cells: { '9p:loose': staleUntil('fsync', 'writeback') },
        because: 'Before Linux 6.4 no close of 9p wrote dirty pages back.',
        sources: ['Linux 6.1 fs/9p/vfs_dir.c v9fs_dir_release'],
      },
    ],
  },
  {
    scenario: 'guest-truncate/host',
    title: 'the guest truncates or extends (ftruncate, O_TRUNC); the host asks for the size',
    cells: everywhere(fresh),
    because: 'A change of size is a request of its own (FUSE_SETATTR) in every mode.',
    sources: [`${fuse}/dir.c fuse_do_setattr`, `${v9fs}/vfs_inode_dotl.c v9fs_vfs_setattr_dotl`],
  },
  {
    scenario: 'guest-map-store/before-msync',
    title: 'the guest stores through a shared mapping; the host reads',
    cells: { ...mappable(staleUntil(...mapFlushing)), ...ninepMapped },
    because: 'A store dirties a page of the guest; DIRECT_IO files cannot be mapped shared.',
    sources: mapping,
    variants: [withAllowMmap(staleUntil(...mapFlushing))],
  },
  {
    scenario: 'guest-map-store/after-msync',
    title: 'the guest stores through a shared mapping and calls msync(MS_SYNC); the host reads',
    cells: mappable(fresh),
    because: 'msync(MS_SYNC) is an fsync of the range: it writes the dirty pages back and waits.',
    sources: [...mapping, `${fuse}/file.c fuse_fsync`],
    variants: [withAllowMmap(fresh)],
  },
  {
    scenario: 'guest-map-store/after-munmap',
    title: 'the guest stores through a shared mapping and unmaps it; the host reads',
    cells: mappable(fresh),
    because:
      'The last reference to the mapping’s area writes the inode back; so does that of a forked child that ends.',
    sources: mapping,
    variants: [withAllowMmap(fresh)],
  },
  {
    scenario: 'guest-map-store/after-close',
    title: 'the guest stores through a shared mapping and closes the descriptor; the host reads',
    cells: { ...mappable(fresh), ...ninepMapped },
    because:
      'close() of any descriptor of the inode writes its dirty pages back, mapped ones too; 9p writes at the last reference to the open file, and a mapping is one.',
    sources: [...mapping, `${fuse}/file.c fuse_flush`],
    variants: [withAllowMmap(fresh)],
  },
  {
    scenario: 'small-writes/at-once',
    title: 'the guest writes fewer bytes than a page; the host reads bytes and size before a flush',
    cells: unlessWriteback(flushing),
    because: 'A write is sent with its own length, not its page’s; under writeback it waits as a dirty page.',
    sources: [`${fuse}/file.c fuse_fill_write_pages`, `${fuse}/file.c fuse_send_writepage`],
  },
  {
    scenario: 'small-writes/after-close',
    title: 'the guest writes fewer bytes than a page and closes; the host reads bytes and size',
    cells: everywhere(fresh),
    because: 'What is written back of the last page ends at the file’s size.',
    sources: [`${fuse}/file.c fuse_flush`, `${fuse}/file.c fuse_write_args_fill`],
  },
  {
    scenario: 'tail-page/store-past-eof',
    title: 'the guest stores behind the end of file in a mapped last page; nobody ever reads those bytes',
    cells: { ...mappable(asLocal, asLocal) },
    because:
      'The last page is written back only up to the end of file, and what lies behind it reads as zeros after the file has grown.',
    sources: [`${fuse}/file.c fuse_send_writepage`, 'POSIX.1-2017 mmap'],
    variants: [withAllowMmap(asLocal)],
  },
  {
    scenario: 'guest-copy/host',
    title: 'the guest copies with copy_file_range, sendfile or splice and closes; the host reads the copy',
    cells: everywhere(fresh),
    because:
      'copy_file_range is a request after both files’ dirty pages are written back; the others are writes.',
    sources: [`${fuse}/file.c __fuse_copy_file_range`, `${daemon}/passthrough/mod.rs copyfilerange`],
  },
  {
    scenario: 'events/host-watch-writes',
    title: 'a host watch (inotify) waits for what the guest writes',
    cells: {
      ...unlessWriteback(flushing),
      dax: { kind: 'reported', what: 'stores through a window make no event on the host' },
    },
    because: 'The event is made by the daemon’s own system call on the host: under writeback at the flush.',
    sources: [`${daemon}/passthrough/mod.rs write`, 'Linux 6.12 fs/notify'],
  },
  {
    scenario: 'events/host-watch-names',
    title: 'a host watch (inotify) waits for names that the guest makes, renames and removes',
    cells: everywhere(fresh),
    because:
      'Every change of a name is a request, and the daemon’s own system call on the host makes the event.',
    sources: [`${fuse}/dir.c`, `${v9fs}/vfs_inode_dotl.c`, 'Linux 6.12 fs/notify'],
  },
  {
    scenario: 'events/guest-watch-host',
    title: 'a guest watch waits for what the host does',
    cells: everywhere({ kind: 'reported', what: 'nothing tells the guest of a change on the host' }),
    because: 'virtiofsd has no notification queue, and 9p has no notifications: no event is to be expected.',
    sources: [`${daemon}/vhost_user.rs`, 'QEMU 7.2 tools/virtiofsd/fuse_virtio.c'],
  },
  {
    scenario: 'events/guest-watch-own',
    title: 'a guest watch waits for what the same guest does',
    cells: {
      ...everyPolicy(asLocal),
      dax: asLocal,
      ...everyNinep(reported('every lookup makes a new inode, and the watch holds another')),
      '9p:loose': asLocal,
    },
    because:
      'The guest’s own kernel makes the event; 9p makes an inode for each lookup, unless it caches names (loose).',
    sources: [`${fuse}/inode.c fuse_iget`, `${v9fs}/vfs_inode_dotl.c v9fs_get_new_inode_from_fid`],
  },
];
