/** Names and identities. */
import {
  alwaysTimeout,
  asLocal,
  asLocalOr,
  fresh,
  refused,
  reported,
  staleFor,
  staleUntil,
} from '../cells.ts';
import type { Cells } from '../columns.ts';
import type { Row } from '../row.ts';
import {
  byTimeout,
  cDaemon,
  daemon,
  everyNinep,
  everyPolicy,
  everywhere,
  fuse,
  mappedLink,
  qemu9p,
  v9fs,
} from './families.ts';

const entries = [
  `${fuse}/dir.c fuse_dentry_revalidate`,
  `${daemon}/passthrough/mod.rs do_lookup`,
  `${cDaemon} lo_do_lookup`,
  `${v9fs}/vfs_dentry.c`,
];
const listing = [
  `${fuse}/readdir.c fuse_readdir_cached`,
  `${daemon}/passthrough/mod.rs do_open`,
  `${cDaemon} lo_opendir`,
  `${v9fs}/vfs_dir.c v9fs_dir_readdir_dotl`,
];

/** A 9p name is looked up each time, but while its old inode is held it goes on being used. */
const byName: Cells = {
  ...byTimeout,
  '9p:readahead': staleUntil('the last close of the file'),
  '9p:mmap': staleUntil('the last close of the file'),
};

const byListing: Cells = {
  never: fresh,
  metadata: staleFor(alwaysTimeout),
  auto: fresh,
  'auto+writeback': fresh,
  always: staleFor(alwaysTimeout),
  'always+writeback': staleFor(alwaysTimeout),
  'c:always': fresh,
  'c:always+writeback': fresh,
  dax: 'by-policy',
  ...everyNinep(fresh),
};

/** With file handles the daemon finds a dead inode dead; before, O_PATH descriptors kept it reachable. */
const withHandles = {
  when: { without: 'inode-file-handles=never', versions: { virtiofsd: { from: '1.13.3' } } },
  because:
    'From virtiofsd 1.13.3 on inodes are held by file handles where the host can: one that nobody holds open is gone at once (ESTALE).',
  sources: [`${daemon}/passthrough/inode_store.rs`, `${daemon}/passthrough/file_handle.rs`],
} as const;

export const names: readonly Row[] = [
  {
    scenario: 'rename-over/open',
    title: 'the host renames another file over a name; the guest opens the name',
    cells: byName,
    because: 'A name is looked up again after the entry timeout.',
    sources: entries,
  },
  {
    scenario: 'rename-over/stat',
    title: 'the host renames another file over a name; the guest stats the name',
    cells: byTimeout,
    because: 'A name is looked up again after the entry timeout.',
    sources: entries,
  },
  {
    scenario: 'rename-over/map',
    title: 'the host renames a longer file over a name; the guest opens, stats and maps the name',
    cells: byName,
    because:
      'What is opened is either file whole: its own size with its own bytes, so no load ends in SIGBUS.',
    sources: [...entries, `${fuse}/inode.c fuse_iget`],
  },
  {
    scenario: 'rename-over/kept-descriptor',
    title: 'the host renames another file over a name; the guest reads and stats through a kept descriptor',
    cells: {
      ...everyPolicy(asLocal),
      dax: asLocal,
      ...everyNinep(reported('fstat of a kept descriptor goes by the path and may describe the new file')),
    },
    because: 'A descriptor stays with its inode: the daemon holds it open. 9p asks for attributes by path.',
    sources: [`${fuse}/file.c fuse_open`, `${daemon}/passthrough/mod.rs getattr`, `${qemu9p} v9fs_getattr`],
  },
  {
    scenario: 'rename-over/kept-descriptor-change',
    title: 'after a rename-over, fchmod, ftruncate, fsync and utimens on a kept descriptor of the old file',
    cells: {
      ...everyPolicy(asLocal),
      dax: asLocal,
      ...everyNinep(reported('changes on a kept descriptor go by the path')),
    },
    because:
      'A request on an open file carries its handle, or its inode, which the open descriptor keeps alive.',
    sources: [
      `${fuse}/dir.c fuse_do_setattr`,
      `${daemon}/passthrough/mod.rs setattr`,
      `${qemu9p} v9fs_setattr`,
    ],
  },
  {
    scenario: 'rename-over/working-directory',
    title: 'the host renames a directory away and puts another in its place; a guest process had it as cwd',
    cells: {
      ...everyPolicy(asLocal),
      dax: asLocal,
      ...everyNinep(reported('a working directory goes by its path and may be the new one')),
    },
    because:
      'A working directory is an inode: it goes on meaning the old directory, under its new name. 9p holds its path.',
    sources: [`${fuse}/dir.c fuse_lookup`, `${daemon}/passthrough/inode_store.rs`, `${qemu9p} v9fs_walk`],
    variants: [
      {
        ...withHandles,
        cells: { ...everyPolicy(asLocalOr('ESTALE')), dax: asLocalOr('ESTALE') },
      },
    ],
  },
  {
    scenario: 'removed-directory/working-directory',
    title: 'the host removes a directory that a guest process has as cwd; it opens and makes names there',
    cells: {
      ...everyPolicy(asLocalOr('ENOENT')),
      dax: asLocalOr('ENOENT'),
      ...everyNinep(asLocalOr('ENOENT', 'ESTALE')),
    },
    because: 'The removed directory is still held by the daemon (O_PATH): names in it are not found.',
    sources: [`${daemon}/passthrough/inode_store.rs`, `${cDaemon} lo_inode`],
    variants: [
      {
        ...withHandles,
        cells: { ...everyPolicy(asLocalOr('ENOENT', 'ESTALE')), dax: asLocalOr('ENOENT', 'ESTALE') },
      },
    ],
  },
  {
    scenario: 'unlink/stat',
    title: 'the host unlinks a name; the guest stats it',
    cells: byTimeout,
    because: 'A name is looked up again after the entry timeout.',
    sources: entries,
  },
  {
    scenario: 'unlink/open',
    title: 'the host unlinks a name; the guest opens it',
    cells: byName,
    because:
      'A name is looked up again after the entry timeout; with file handles (virtiofsd 1.13.3) the open of a dead inode is found out sooner.',
    sources: entries,
  },
  {
    scenario: 'unlink/kept-descriptor',
    title: 'the host unlinks a name; the guest reads and writes through a kept descriptor',
    cells: {
      ...everyPolicy(asLocal),
      dax: asLocal,
      ...everyNinep(reported('attributes of a kept descriptor go by the path, which is gone')),
    },
    because: 'A descriptor stays with its inode.',
    sources: [`${fuse}/file.c fuse_open`, `${qemu9p} v9fs_getattr`],
  },
  {
    scenario: 'create/after-failed-lookup',
    title: 'the guest looked for a name in vain; the host creates it; the guest looks again',
    cells: everywhere(fresh),
    because: 'virtiofsd answers a failed lookup with an error, which the guest does not cache.',
    sources: [...entries, `${fuse}/dir.c fuse_lookup`],
    variants: [
      {
        when: { versions: { 'guest-kernel': { from: '7.2' } } },
        cells: { '9p:loose': staleFor(alwaysTimeout) },
        because: 'From Linux 7.2 on cache=loose keeps failed lookups, for 24 hours by default.',
        sources: ['Linux 7.2 fs/9p/v9fs.c'],
      },
    ],
  },
  {
    scenario: 'create/first-lookup',
    title: 'the host creates a name that the guest never looked for; the guest stats and opens it',
    cells: everywhere(fresh),
    because: 'A name that the guest never looked up is not cached there.',
    sources: [`${fuse}/dir.c fuse_lookup`, `${v9fs}/vfs_inode.c v9fs_vfs_lookup`],
  },
  {
    scenario: 'lookup/agree',
    title: 'after the host unlinked or replaced a name: lstat, open and readdir in the guest agree',
    cells: {
      ...byName,
      // A listing is asked for each time, a name only after its timeout.
      '9p:none': fresh,
    },
    because: 'Each may be late by its own timeout, and no longer: then all of them tell the same.',
    sources: [...entries, ...listing],
  },
  {
    scenario: 'guest-rename/host',
    title: 'the guest renames, links, makes or removes a name; the host looks at once',
    cells: everywhere(fresh),
    because: 'Every change of a name is a request that is answered before the call returns.',
    sources: [`${fuse}/dir.c fuse_rename_common`, `${v9fs}/vfs_inode_dotl.c`],
  },
  {
    scenario: 'guest-rename/own',
    title: 'the guest renames a file or a directory, and stats, opens and lists it under the new name',
    cells: everywhere(asLocal),
    because: 'The guest’s own change moves its own dentry; 9p renames the paths of all that is below.',
    sources: [`${fuse}/dir.c fuse_rename_common`, `${qemu9p} v9fs_fix_path`],
  },
  {
    scenario: 'guest-rename/exchange',
    title: 'the guest lets two names change places (RENAME_EXCHANGE)',
    cells: { ...everyPolicy(asLocal), dax: asLocal, ...everyNinep(refused('EINVAL')) },
    because: 'The flags of a rename are passed on to the host’s own renameat2; 9p takes none.',
    sources: [
      `${fuse}/dir.c fuse_rename2`,
      `${daemon}/passthrough/mod.rs rename`,
      `${cDaemon} lo_rename`,
      `${v9fs}/vfs_inode.c v9fs_vfs_rename`,
    ],
  },
  {
    scenario: 'host-rename/old-name',
    title: 'the host renames a file away; the guest stats and opens the old name',
    cells: byName,
    because: 'A name is looked up again after the entry timeout.',
    sources: entries,
  },
  {
    scenario: 'host-rename/new-name',
    title: 'the host renames a file; the guest stats and opens the new name',
    cells: everywhere(fresh),
    because: 'A name that the guest never looked up is not cached there.',
    sources: [`${fuse}/dir.c fuse_lookup`, `${v9fs}/vfs_inode.c v9fs_vfs_lookup`],
  },
  {
    scenario: 'readdir/after-change',
    title: 'the host creates or unlinks a name; the guest lists the directory',
    cells: byListing,
    because:
      'Directories opened with CACHE_DIR and KEEP_CACHE are answered from the guest until their attributes change.',
    sources: listing,
  },
  {
    scenario: 'readdir/kept-descriptor',
    title: 'the host creates or unlinks a name; the guest rewinds and lists a directory that it keeps open',
    cells: {
      ...byListing,
      'c:always': staleUntil('the next open of the directory'),
      'c:always+writeback': staleUntil('the next open of the directory'),
    },
    because:
      'An uncached directory is read from the daemon after a rewind; a cached one until its attributes change, and the C daemon’s until it is opened again.',
    sources: listing,
  },
  {
    scenario: 'readdir/complete',
    title: 'a listing of a directory at rest has every name once, with its type, also under many at once',
    cells: everywhere(asLocal),
    because: 'The daemon reads the host’s directory stream from the offset that the guest gives back.',
    sources: [`${fuse}/readdir.c fuse_readdir_uncached`, `${daemon}/read_dir.rs`, `${cDaemon} lo_do_readdir`],
  },
  {
    scenario: 'readdir/guest-change',
    title: 'the guest creates or unlinks a name and lists the directory itself',
    cells: everywhere(fresh),
    because: 'The guest’s own change drops what it has cached of the directory.',
    sources: [`${fuse}/dir.c fuse_dir_changed`],
  },
  {
    scenario: 'links/identity',
    title: 'two links to one inode are one file on both sides, with one inode number and one link count',
    cells: {
      ...everyPolicy(asLocal),
      dax: asLocal,
      ...everyNinep(asLocal),
      '9p:none': reported('every lookup makes a new inode in the guest'),
    },
    because: 'The daemon knows an inode by the host’s inode and device number.',
    sources: [`${daemon}/passthrough/inode_store.rs`, `${cDaemon} lo_find`, `${fuse}/inode.c fuse_iget`],
  },
  {
    scenario: 'links/guest-link',
    title: 'the guest links a file, and stats and opens the new name at once',
    cells: everywhere(asLocal),
    because: 'The reply to a link is the entry itself.',
    sources: [`${fuse}/dir.c fuse_link`, `${v9fs}/vfs_inode_dotl.c v9fs_vfs_link_dotl`],
  },
  {
    scenario: 'links/readlink',
    title: 'the guest reads the targets of many links, also while signals interrupt it',
    cells: everywhere(asLocal),
    because: 'A target is a request of its own; an interrupted one is asked again.',
    sources: [`${fuse}/dir.c fuse_readlink_page`, `${v9fs}/vfs_inode_dotl.c v9fs_vfs_get_link_dotl`],
  },
  {
    scenario: 'links/guest-target',
    title: 'the guest makes a symbolic link; the host reads its target',
    cells: everywhere(fresh),
    because: 'The link is made on the host before the call returns.',
    sources: [`${fuse}/dir.c fuse_symlink`, `${v9fs}/vfs_inode_dotl.c v9fs_vfs_symlink_dotl`],
    variants: [mappedLink],
  },
  {
    scenario: 'links/new-target',
    title: 'the host replaces a symbolic link by one with another target; the guest reads it',
    cells: byName,
    because:
      'Another link is another inode under the name: the entry timeout counts. Targets are not cached.',
    sources: [...entries, `${fuse}/dir.c fuse_get_link`],
  },
  {
    scenario: 'identity/stable',
    title: 'st_ino and st_dev of a file stay what they are while it lives, and are the host’s inode number',
    cells: {
      ...everyPolicy(asLocal),
      dax: asLocal,
      ...everyNinep(reported('QEMU makes a number of its own from the host’s')),
    },
    because: 'The daemon passes the host’s inode number on; the device is the mount’s own.',
    sources: [
      `${fuse}/inode.c fuse_change_attributes_common`,
      `${daemon}/passthrough/mod.rs do_lookup`,
      `${qemu9p} stat_to_qid`,
    ],
  },
  {
    scenario: 'recreate/guest-after-host-delete',
    title: 'the host deletes a file that the guest knows; the guest writes it anew; the host looks',
    cells: byName,
    because:
      'While the guest takes the name for alive, its open finds the deleted inode, and what it writes there reaches no name on the host.',
    sources: [...entries, `${fuse}/dir.c fuse_atomic_open`],
  },
  {
    scenario: 'recreate/host-after-guest-delete',
    title: 'the guest deletes a file; the host makes it anew; the guest looks',
    cells: { ...everywhere(fresh), '9p:loose': fresh },
    because: 'The guest’s own delete leaves it with nothing under that name.',
    sources: [`${fuse}/dir.c fuse_unlink`, `${v9fs}/vfs_inode.c v9fs_remove`],
    variants: [
      {
        when: { versions: { 'guest-kernel': { from: '7.2' } } },
        cells: { '9p:loose': staleFor(alwaysTimeout) },
        because: 'From Linux 7.2 on cache=loose keeps the negative dentry of its own delete.',
        sources: ['Linux 7.2 fs/9p/v9fs.c'],
      },
    ],
  },
  {
    scenario: 'recreate/directory',
    title: 'the host removes a directory and makes it anew with other names; the guest lists and opens them',
    cells: byName,
    because:
      'The name of the directory is looked up again after the entry timeout; until then it is the dead one.',
    sources: entries,
  },
  {
    scenario: 'create-storm/guest',
    title:
      'the guest makes, renames and removes thousands of names and closes them; the host’s manifest is equal',
    cells: everywhere(fresh),
    because: 'Names are requests, and close() writes the bytes back.',
    sources: [`${fuse}/dir.c`, `${fuse}/file.c fuse_flush`, `${v9fs}/vfs_inode_dotl.c`],
  },
  {
    scenario: 'create-storm/host-new-names',
    title: 'the host makes thousands of names that the guest never saw; the guest’s manifest is equal',
    cells: everywhere(fresh),
    because: 'Neither names nor listing of a directory that the guest never opened are cached there.',
    sources: [`${fuse}/dir.c fuse_lookup`, ...listing],
  },
  {
    scenario: 'create-storm/host',
    title: 'the host makes, renames and removes thousands of names that the guest has seen; manifests agree',
    cells: byName,
    because: 'Names and listing each by their own timeout, which is the same.',
    sources: [...entries, ...listing],
  },
  {
    scenario: 'mkdir/guest',
    title: 'the guest makes directories, in parallel too, and uses them at once',
    cells: everywhere(asLocal),
    because: 'The reply to a mkdir is the entry itself.',
    sources: [`${fuse}/dir.c fuse_mkdir`, `${v9fs}/vfs_inode_dotl.c v9fs_vfs_mkdir_dotl`],
  },
];
