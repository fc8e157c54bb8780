/** Attributes, both ways. */
import { fresh, refused, staleUntil } from '../cells.ts';
import type { Row } from '../row.ts';
import {
  bySize,
  byTimeout,
  cDaemon,
  daemon,
  everyNinep,
  everyPolicy,
  everywhere,
  fuse,
  mapped,
  qemu9p,
  v9fs,
} from './families.ts';

const attributes = [
  `${fuse}/dir.c fuse_update_get_attr`,
  `${daemon}/passthrough/mod.rs getattr`,
  `${cDaemon} lo_getattr`,
  `${v9fs}/vfs_inode_dotl.c v9fs_vfs_getattr_dotl`,
];
const set = [`${fuse}/dir.c fuse_do_setattr`, `${v9fs}/vfs_inode_dotl.c v9fs_vfs_setattr_dotl`];
const xattrs = [
  `${fuse}/xattr.c fuse_getxattr`,
  `${daemon}/passthrough/mod.rs getxattr`,
  `${cDaemon} lo_getxattr`,
];

/** Extended attributes need the daemon's --xattr; QEMU's 9p passes them on by itself. */
const xattrCells = {
  ...everyPolicy(refused('EOPNOTSUPP')),
  dax: refused('EOPNOTSUPP'),
  ...everyNinep(fresh),
};
const passedOn = { ...everyPolicy(fresh), dax: fresh };
const withXattr: Row['variants'] = [
  {
    when: { flag: 'xattr' },
    cells: passedOn,
    because: 'Values of extended attributes are not cached by the guest: each is a request.',
  },
  { when: { flag: 'posix-acl' }, cells: passedOn, because: '--posix-acl implies --xattr.' },
  { when: { flag: 'security-label' }, cells: passedOn, because: '--security-label implies --xattr.' },
];

export const attributeRows: readonly Row[] = [
  {
    scenario: 'host-touch/mtime',
    title: 'the host changes the mtime; the guest asks for it',
    cells: bySize,
    because: 'The mtime is an attribute; under writeback it belongs to the guest.',
    sources: [...attributes, `${fuse}/inode.c fuse_get_cache_mask`],
  },
  {
    scenario: 'host-chmod/mode',
    title: 'the host changes the mode bits; the guest asks for them',
    cells: byTimeout,
    because:
      'The mode bits are an attribute: cached for the attribute timeout, and in no mode the guest’s own. Attribute and entry timeout are the same in virtiofsd.',
    sources: attributes,
  },
  {
    scenario: 'host-chown/owner',
    title: 'the host changes owner or group; the guest asks for them',
    cells: byTimeout,
    because: 'Owner and group are attributes like the mode bits.',
    sources: attributes,
  },
  {
    scenario: 'host-link/count',
    title: 'the host makes or removes a link; the guest asks for the link count',
    cells: byTimeout,
    because: 'The link count is an attribute like the mode bits.',
    sources: attributes,
  },
  {
    scenario: 'host-xattr/value',
    title: 'the host sets or removes an extended attribute; the guest asks for it',
    cells: xattrCells,
    because: 'Without --xattr the daemon does not know extended attributes.',
    sources: [...xattrs, `${v9fs}/xattr.c v9fs_fid_xattr_get`],
    variants: withXattr,
  },
  {
    scenario: 'guest-xattr/value',
    title: 'the guest sets or removes an extended attribute; the host asks for it',
    cells: xattrCells,
    because: 'Without --xattr the daemon does not know extended attributes.',
    sources: [...xattrs, `${v9fs}/xattr.c v9fs_fid_xattr_set`, `${qemu9p} v9fs_xattrcreate`],
    variants: withXattr,
  },
  {
    scenario: 'guest-chmod/mode',
    title: 'the guest changes the mode bits; the host asks for them',
    cells: everywhere(fresh),
    because: 'A change of an attribute is a request (FUSE_SETATTR) that is answered before the call returns.',
    sources: set,
    variants: [mapped('the guest’s permissions are kept beside the host’s own, which stay as they are')],
  },
  {
    scenario: 'guest-touch/mtime',
    title: 'the guest sets the mtime (utimensat); the host asks for it',
    cells: everywhere(fresh),
    because: 'A change of an attribute is a request, under writeback too.',
    sources: set,
  },
  {
    scenario: 'guest-link/count',
    title: 'the guest makes or removes a link; the host asks for the link count',
    cells: everywhere(fresh),
    because: 'A link is made by the daemon’s own system call on the host before the call returns.',
    sources: [`${fuse}/dir.c fuse_link`, `${v9fs}/vfs_inode_dotl.c v9fs_vfs_link_dotl`],
  },
  {
    scenario: 'guest-own/attributes',
    title: 'the guest changes an attribute, or a file’s bytes, and asks for the attributes itself',
    cells: everywhere(fresh),
    because: 'A reply to the change carries the attributes, or marks the cached ones as due.',
    sources: [`${fuse}/dir.c fuse_do_setattr`, `${fuse}/file.c fuse_write_update_attr`],
  },
  {
    scenario: 'read-then-stat/mtime',
    title: 'the host changes the mtime; the guest reads through a miss and asks for the mtime',
    cells: {
      ...everyPolicy(fresh),
      'never+writeback': staleUntil('eviction of the inode'),
      'metadata+writeback': staleUntil('eviction of the inode'),
      'auto+writeback': staleUntil('eviction of the inode'),
      'always+writeback': staleUntil('eviction of the inode'),
      dax: 'by-attributes',
      ...everyNinep(fresh),
      '9p:loose': staleUntil('eviction of the inode'),
    },
    because:
      'A page that is fetched moves the atime on the host, so the next stat asks again whatever the timeout. A window fetches none.',
    sources: [
      `${fuse}/file.c fuse_invalidate_atime`,
      `${fuse}/dax.c fuse_dax_read_iter`,
      `${fuse}/dir.c fuse_update_get_attr`,
    ],
  },
];
