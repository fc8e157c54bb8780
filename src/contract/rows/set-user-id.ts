/** Set-user-ID and set-group-ID bits (S_ISUID, S_ISGID) of files that the guest changes. */
import { asLocal, asLocalOr } from '../cells.ts';
import type { Row } from '../row.ts';
import {
  cDaemon,
  daemon,
  everyNinep,
  everyPolicy,
  everywhere,
  fuse,
  netfs,
  qemu9p,
  v9fs,
} from './families.ts';

const capability = 'capabilities(7) CAP_FSETID';
const removal = 'Linux 6.12 fs/inode.c file_remove_privs_flags';

export const setUserIdRows: readonly Row[] = [
  {
    scenario: 'set-user-id/write',
    title: 'an ordinary user of the guest writes to a set-user-ID file; both sides ask for its mode',
    cells: everywhere(asLocal),
    because:
      'A write without CAP_FSETID clears the bits. The guest’s kernel does it before (a chmod); with FOPEN_DIRECT_IO, and with --killpriv-v2 in every mode, it asks the daemon to (FUSE_WRITE_KILL_SUIDGID).',
    sources: [
      capability,
      removal,
      `${fuse}/file.c fuse_cache_write_iter`,
      `${fuse}/file.c fuse_direct_io`,
      `${daemon}/passthrough/mod.rs write`,
      `${cDaemon} lo_write_buf`,
      `${netfs}/buffered_write.c netfs_buffered_write_iter_locked`,
      `${netfs}/direct_write.c netfs_unbuffered_write_iter`,
    ],
  },
  {
    scenario: 'set-user-id/truncate',
    title:
      'an ordinary user of the guest truncates a set-user-ID file, or opens it with O_TRUNC; both sides ask for its mode',
    cells: everywhere(asLocal),
    because:
      'Cutting a file short without CAP_FSETID clears the bits: the guest’s kernel sends the mode with the size, or asks the daemon to (FATTR_KILL_SUIDGID, FUSE_OPEN_KILL_SUIDGID).',
    sources: [
      capability,
      'Linux 6.12 fs/open.c do_truncate',
      `${fuse}/dir.c fuse_setattr`,
      `${fuse}/file.c fuse_send_open`,
      `${daemon}/passthrough/mod.rs setattr`,
      `${cDaemon} lo_setattr`,
      `${v9fs}/vfs_inode_dotl.c v9fs_vfs_setattr_dotl`,
    ],
  },
  {
    scenario: 'set-user-id/allocate',
    title:
      'an ordinary user of the guest allocates or punches in a set-user-ID file; both sides ask for its mode',
    cells: { ...everyPolicy(asLocal), dax: asLocal, ...everyNinep(asLocalOr('EOPNOTSUPP')) },
    because: 'fallocate without CAP_FSETID clears the bits like a write; 9p has no fallocate.',
    sources: [
      capability,
      'Linux 6.12 fs/inode.c file_modified',
      `${fuse}/file.c fuse_file_fallocate`,
      `${daemon}/passthrough/mod.rs fallocate`,
      `${cDaemon} lo_fallocate`,
      `${v9fs}/vfs_file.c v9fs_file_operations_dotl`,
    ],
  },
  {
    scenario: 'set-user-id/copy',
    title:
      'an ordinary user of the guest copies into a set-user-ID file by copy_file_range; both sides ask for its mode',
    cells: everywhere(asLocal),
    because:
      'copy_file_range without CAP_FSETID clears the bits like a write; 9p’s is a splice, and so a write.',
    sources: [
      capability,
      'Linux 6.12 fs/inode.c file_modified',
      `${fuse}/file.c __fuse_copy_file_range`,
      `${daemon}/passthrough/mod.rs copyfilerange`,
      `${cDaemon} lo_copy_file_range`,
      `${v9fs}/vfs_file.c v9fs_file_operations_dotl`,
    ],
  },
  {
    scenario: 'set-user-id/chown',
    title: 'the owner of a set-user-ID file, in the guest, sets its owner; both sides ask for its mode',
    cells: everywhere(asLocal),
    because:
      'Setting the owner clears the bits of an executable file, whoever does it, and in the guest’s kernel first.',
    sources: [
      'chown(2)',
      'Linux 6.12 fs/open.c chown_common',
      `${fuse}/dir.c fuse_setattr`,
      `${v9fs}/vfs_inode_dotl.c v9fs_vfs_setattr_dotl`,
    ],
  },
  {
    scenario: 'set-user-id/privileged',
    title:
      'root of the guest, who has CAP_FSETID, writes to a set-user-ID file and cuts it; both sides ask for its mode',
    cells: everywhere(asLocal),
    because:
      'With CAP_FSETID the bits stay: the guest asks for nothing, and the daemon has that capability too.',
    sources: [
      capability,
      'Linux 6.12 fs/attr.c setattr_should_drop_suidgid',
      `${fuse}/file.c fuse_direct_io`,
      `${daemon}/passthrough/mod.rs write`,
      `${cDaemon} lo_write_buf`,
      `${qemu9p} v9fs_write`,
    ],
  },
];
