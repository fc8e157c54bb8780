/** What a file system below a share is to a ledger. */
export interface FilesystemKind {
  readonly name: string;
  /** `tmpfs` has no disk; behind `network` the disk is another machine. */
  readonly storage: 'disk' | 'tmpfs' | 'network' | 'not-known';
  /** Its page states are not those of its data: where these are instead. */
  readonly opaque?: string;
}

/** By statfs(2)'s f_type (linux/magic.h). */
export const filesystems: ReadonlyMap<number, FilesystemKind> = new Map<number, FilesystemKind>([
  [0xef53, { name: 'ext4', storage: 'disk' }],
  [0x58465342, { name: 'xfs', storage: 'disk' }],
  [0x9123683e, { name: 'btrfs', storage: 'disk' }],
  [0xf2f52010, { name: 'f2fs', storage: 'disk' }],
  [0x01021994, { name: 'tmpfs', storage: 'tmpfs' }],
  [0x858458f6, { name: 'ramfs', storage: 'tmpfs' }],
  [0x6969, { name: 'nfs', storage: 'network' }],
  [0xff534d42, { name: 'cifs', storage: 'network' }],
  [0xfe534d42, { name: 'smb2', storage: 'network' }],
  [0x00c36400, { name: 'ceph', storage: 'network' }],
  [0x65735546, { name: 'fuse', storage: 'not-known' }],
  [0x2fc12fc1, { name: 'zfs', storage: 'disk', opaque: "zfs's own cache" }],
  [0x794c7630, { name: 'overlayfs', storage: 'not-known', opaque: "the lower or the upper file's mapping" }],
]);
