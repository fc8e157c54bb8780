/** One guest alone: its own ways to a file must agree, whatever the mode. */
import { asLocal, asLocalOr, fresh, servedBy, staleUntil } from '../cells.ts';
import type { Row } from '../row.ts';
import {
  cDaemon,
  daemon,
  everyNinep,
  everyPolicy,
  everywhere,
  fuse,
  mappable,
  mappedLink,
  netfs,
  qemu9p,
  v9fs,
  withAllowMmap,
} from './families.ts';

export const inOneGuest: readonly Row[] = [
  {
    scenario: 'access-paths/agree',
    title: 'read, readv, mmap, sendfile, splice and copy_file_range of a file at rest give the same bytes',
    cells: everywhere(fresh),
    because: 'All of them end in the same page cache or in the same request.',
    sources: [`${fuse}/file.c fuse_file_operations`, `${v9fs}/vfs_file.c v9fs_file_operations_dotl`],
  },
  {
    scenario: 'access-paths/after-guest-write',
    title: 'the guest writes; read, readv, sendfile, splice and copy_file_range in the same guest see it',
    cells: everywhere(fresh),
    because:
      'A write fills the guest’s own pages, or, where there are none, reaches the daemon before it returns.',
    sources: [`${fuse}/file.c fuse_cache_write_iter`, `${fuse}/file.c __fuse_copy_file_range`],
  },
  {
    scenario: 'access-paths/mapping-after-guest-write',
    title: 'the guest writes; a load through a mapping that the same guest made before sees it',
    cells: {
      ...everywhere(fresh),
      never: staleUntil('a new mapping', 'eviction'),
      metadata: staleUntil('a new mapping', 'eviction'),
    },
    because:
      'Mappings and write() share the page cache; a DIRECT_IO write goes past the pages of a private mapping. A write of 9p that is not cached drops the pages of its range first.',
    sources: [
      `${fuse}/file.c fuse_direct_io`,
      `${fuse}/file.c fuse_file_mmap`,
      `${netfs}/direct_write.c netfs_unbuffered_write_iter`,
    ],
    variants: [
      {
        when: {
          flag: 'allow-mmap',
          versions: { 'guest-kernel': { from: '6.6' }, virtiofsd: { from: '1.11' } },
        },
        cells: { never: fresh, metadata: fresh },
        because:
          'With shared mappings of DIRECT_IO files allowed, a direct write drops the pages of its range.',
        sources: [`${fuse}/file.c fuse_direct_io`],
      },
    ],
  },
  {
    scenario: 'direct-and-buffered/direct-read',
    title: 'one process of a guest writes with write(), another reads with O_DIRECT',
    cells: everywhere(fresh),
    because: 'A direct read writes the range’s dirty pages back first.',
    sources: [
      `${fuse}/file.c fuse_cache_read_iter`,
      `${netfs}/direct_read.c netfs_unbuffered_read_iter_locked`,
      'Linux 6.12 mm/filemap.c kiocb_write_and_wait',
    ],
  },
  {
    scenario: 'direct-and-buffered/buffered-read',
    title: 'one process of a guest writes with O_DIRECT, another reads with read()',
    cells: everywhere(fresh),
    because: 'A direct write drops the pages of its range: FUSE before and after, 9p before.',
    sources: [
      'Linux 6.12 mm/filemap.c generic_file_direct_write',
      `${fuse}/file.c fuse_cache_write_iter`,
      `${netfs}/direct_write.c netfs_unbuffered_write_iter`,
    ],
  },
  {
    scenario: 'shared-mapping/store-then-load',
    title: 'one process of a guest stores through a shared mapping, another loads through its own',
    cells: mappable(fresh),
    because: 'Both mappings are of the same pages.',
    sources: [`${fuse}/file.c fuse_file_mmap`],
    variants: [withAllowMmap(fresh)],
  },
  {
    scenario: 'shared-mapping/store-then-read',
    title: 'one process of a guest stores through a shared mapping, another reads with read()',
    cells: mappable(fresh),
    because: 'read() takes the page that the store dirtied; a DIRECT_IO read writes it back first.',
    sources: [`${fuse}/file.c fuse_cache_read_iter`, `${fuse}/file.c fuse_direct_io`],
    variants: [withAllowMmap(fresh)],
  },
  {
    scenario: 'shared-mapping/store-then-direct-read',
    title: 'one process of a guest stores through a shared mapping, another reads with O_DIRECT',
    cells: mappable(fresh),
    because: 'A direct read writes the range’s dirty pages back first.',
    sources: [
      'Linux 6.12 mm/filemap.c kiocb_write_and_wait',
      `${fuse}/file.c fuse_direct_io`,
      `${netfs}/direct_read.c netfs_unbuffered_read_iter_locked`,
    ],
    variants: [withAllowMmap(fresh)],
  },
  {
    scenario: 'shared-mapping/write-then-load',
    title: 'one process of a guest writes with write(), another loads through a shared mapping',
    cells: mappable(fresh),
    because: 'write() fills the mapped page; a DIRECT_IO write drops it, and the next load asks the daemon.',
    sources: [`${fuse}/file.c fuse_cache_write_iter`, `${fuse}/file.c fuse_direct_io`],
    variants: [withAllowMmap(fresh)],
  },
  {
    scenario: 'shared-mapping/direct-write-then-load',
    title: 'one process of a guest writes with O_DIRECT, another loads through a shared mapping',
    cells: mappable(fresh),
    because:
      'A direct write takes the pages of its range out of every mapping, and the next load asks the daemon.',
    sources: [
      'Linux 6.12 mm/filemap.c generic_file_direct_write',
      `${fuse}/file.c fuse_direct_io`,
      `${netfs}/direct_write.c netfs_unbuffered_write_iter`,
    ],
    variants: [withAllowMmap(fresh)],
  },
  {
    scenario: 'open-flags/create',
    title: 'a file is created with any sensible set of open flags, on either side',
    cells: everywhere(asLocal),
    because:
      'O_EXCL, O_TRUNC and O_APPEND reach the host’s own open; the rest is the guest’s own file system code.',
    sources: [
      `${fuse}/dir.c fuse_create_open`,
      `${daemon}/passthrough/mod.rs create`,
      `${cDaemon} lo_create`,
    ],
  },
  {
    scenario: 'open-flags/open',
    title: 'a file is opened with any sensible set of open flags, on either side',
    cells: everywhere(asLocal),
    because:
      'Access mode and O_TRUNC reach the host’s own open; the rest is the guest’s own file system code.',
    sources: [`${fuse}/file.c fuse_open`, `${daemon}/passthrough/mod.rs open`, `${cDaemon} lo_open`],
  },
  {
    scenario: 'open-flags/link-of-the-guest',
    title: 'the host opens a symbolic link that the guest made, with any sensible set of open flags',
    cells: everywhere(asLocal),
    because: 'The link is one of the host’s own file system.',
    sources: [`${fuse}/dir.c fuse_symlink`, `${v9fs}/vfs_inode_dotl.c v9fs_vfs_symlink_dotl`],
    variants: [mappedLink],
  },
  {
    scenario: 'open-flags/direct',
    title: 'the guest opens with O_DIRECT and reads and writes at any offset and length',
    cells: everywhere(asLocal),
    because: 'The daemon drops O_DIRECT on the host, and FUSE asks for no alignment.',
    sources: [
      `${daemon}/passthrough/mod.rs update_open_flags`,
      `${cDaemon} update_open_flags`,
      `${qemu9p} get_dotl_openflags`,
    ],
    variants: [
      {
        when: { flag: 'allow-direct-io' },
        cells: { ...everyPolicy(asLocalOr('EINVAL')), dax: asLocal },
        because:
          'With --allow-direct-io the host’s file system may refuse what is not aligned to its blocks.',
      },
      {
        when: { flag: 'allow_direct_io' },
        cells: { ...everyPolicy(asLocalOr('EINVAL')), dax: asLocal },
        because: 'With allow_direct_io the host’s file system may refuse what is not aligned to its blocks.',
      },
    ],
  },
  {
    scenario: 'open-flags/tmpfile',
    title: 'the guest opens a directory with O_TMPFILE',
    cells: everywhere(asLocalOr('EOPNOTSUPP')),
    because: 'A daemon that does not answer FUSE_TMPFILE makes the guest refuse it, as 9p does.',
    sources: [`${fuse}/dir.c fuse_tmpfile`, `${daemon}/server.rs handle_message`],
  },
  {
    scenario: 'tail-page/guest',
    title: 'the guest writes into, cuts and extends the last page of a file; both sides read it after close',
    cells: everywhere(fresh),
    because: 'Size and bytes are sent on their own; what a truncate uncovers reads as zeros.',
    sources: [`${fuse}/dir.c fuse_do_setattr`, `${fuse}/file.c fuse_send_writepage`],
  },
  {
    scenario: 'served-by/first-read',
    title: 'the guest reads what it never read before',
    cells: {
      ...everyPolicy(servedBy('fuse')),
      dax: servedBy('dax'),
      '9p:none': servedBy('9p'),
      '9p:readahead': servedBy('9p'),
      '9p:mmap': servedBy('9p'),
      '9p:loose': servedBy('9p'),
    },
    because:
      'Nothing is cached of what was never read; the daemon answers from the host’s cache or its disk.',
    sources: [`${fuse}/file.c fuse_cache_read_iter`, `${fuse}/dax.c fuse_iomap_begin`, `${v9fs}/vfs_addr.c`],
  },
  {
    scenario: 'served-by/second-read',
    title: 'the guest reads again through the same descriptor, nothing having changed',
    cells: {
      ...everyPolicy(servedBy('guest-cache')),
      never: servedBy('fuse'),
      metadata: servedBy('fuse'),
      dax: servedBy('dax'),
      '9p:none': servedBy('9p'),
      '9p:readahead': servedBy('guest-cache'),
      '9p:mmap': servedBy('guest-cache'),
      '9p:loose': servedBy('guest-cache'),
    },
    because: 'DIRECT_IO files leave nothing in the guest; all others are read from its page cache.',
    sources: [
      `${fuse}/file.c fuse_file_read_iter`,
      `${daemon}/passthrough/mod.rs open_inode`,
      `${v9fs}/fid.h v9fs_fid_add_modes`,
    ],
  },
  {
    scenario: 'served-by/reopen',
    title: 'the guest reads again through a new descriptor, nothing having changed',
    cells: {
      ...everyPolicy(servedBy('fuse')),
      always: servedBy('guest-cache'),
      'always+writeback': servedBy('guest-cache'),
      dax: servedBy('dax'),
    },
    because: 'An open without FOPEN_KEEP_CACHE drops the pages; cache=always opens with it.',
    sources: [`${fuse}/file.c fuse_finish_open`, `${daemon}/passthrough/mod.rs open_inode`],
  },
  {
    scenario: 'served-by/direct-read',
    title: 'the guest reads with O_DIRECT what it and the host have in their caches',
    cells: { ...everyPolicy(servedBy('fuse/host-cache')), ...everyNinep(servedBy('9p')) },
    because:
      'O_DIRECT passes the guest’s cache by. The daemon drops it, as QEMU does: the host’s page cache answers.',
    sources: [
      `${daemon}/passthrough/mod.rs update_open_flags`,
      `${cDaemon} update_open_flags`,
      `${v9fs}/fid.h v9fs_fid_add_modes`,
      `${qemu9p} get_dotl_openflags`,
    ],
    variants: [
      {
        when: { flag: 'allow-direct-io' },
        cells: everyPolicy(servedBy('fuse/disk')),
        because: 'With --allow-direct-io the daemon opens with O_DIRECT: the disk answers.',
      },
      {
        when: { flag: 'allow_direct_io' },
        cells: everyPolicy(servedBy('fuse/disk')),
        because: 'With allow_direct_io the daemon opens with O_DIRECT: the disk answers.',
      },
    ],
  },
];
