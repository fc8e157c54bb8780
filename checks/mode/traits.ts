import { labModes, type Mode, parseMode } from '../../src/model/mode.ts';

/**
 * How a mode shows: what its daemon tells the guest's kernel in FUSE_INIT, in FUSE_OPEN and in every reply
 * with attributes or a name.
 */
export interface Traits {
  /** Attributes and names may be kept for this long, in milliseconds. */
  readonly timeoutMs: number;
  readonly data: DataCaching;
  readonly writeback: boolean;
  /** Files are opened with O_DIRECT on the host where the guest asks for it. */
  readonly directIo: boolean;
  readonly sharedMappings: boolean;
}

/** Whether read() leaves pages in the guest's cache, and whether they outlive the next open. */
export type DataCaching = 'not at all' | 'until the next open' | 'over an open';

/** Where that is written, for virtiofsd. */
export const sources = {
  timeouts: [
    'virtiofsd 1.14 src/passthrough/mod.rs, main.rs',
    'Linux 6.12 fs/fuse/dir.c fuse_update_get_attr',
  ],
  names: [
    'virtiofsd 1.14 src/passthrough/mod.rs, main.rs',
    'Linux 6.12 fs/fuse/dir.c fuse_dentry_revalidate',
  ],
  data: ['virtiofsd 1.14 src/passthrough/mod.rs open_inode', 'Linux 6.12 fs/fuse/file.c fuse_finish_open'],
  writeback: [
    'virtiofsd 1.14 src/passthrough/mod.rs init',
    'Linux 6.12 fs/fuse/inode.c fuse_get_cache_mask, file.c fuse_cache_write_iter',
  ],
  directIo: ['virtiofsd 1.14 src/passthrough/mod.rs update_open_flags'],
  mappings: ['virtiofsd 1.14 src/passthrough/mod.rs init', 'Linux 6.12 fs/fuse/file.c fuse_file_mmap'],
};

/** The same for 9p, which has no daemon of its own: the guest's mount decides. */
export const sources9p = [
  'Linux 6.12 fs/9p/fid.h v9fs_fid_add_modes, vfs_file.c v9fs_file_read_iter, v9fs_file_mmap',
  'Linux 6.12 fs/9p/vfs_inode_dotl.c v9fs_vfs_getattr_dotl, vfs_dentry.c v9fs_cached_dentry_operations',
  'QEMU 10.0 hw/9pfs/9p.c omode_to_uflags, get_dotl_openflags',
];

const policies: Readonly<Record<string, { readonly timeoutMs: number; readonly data: DataCaching }>> = {
  never: { timeoutMs: 0, data: 'not at all' },
  none: { timeoutMs: 0, data: 'not at all' },
  metadata: { timeoutMs: 86_400_000, data: 'not at all' },
  auto: { timeoutMs: 1000, data: 'until the next open' },
  always: { timeoutMs: 86_400_000, data: 'over an open' },
};

/**
 * The policies of 9p. Without `loose` every stat and every name asks the server; with it none ever does. No
 * open drops pages: they go with the last use of the file's name, or stay. QEMU takes O_DIRECT away.
 */
const policies9p: Readonly<Record<string, Omit<Traits, 'directIo'>>> = {
  none: { timeoutMs: 0, data: 'not at all', writeback: false, sharedMappings: false },
  readahead: { timeoutMs: 0, data: 'over an open', writeback: false, sharedMappings: false },
  mmap: { timeoutMs: 0, data: 'over an open', writeback: true, sharedMappings: true },
  loose: { timeoutMs: Infinity, data: 'over an open', writeback: true, sharedMappings: true },
  fscache: { timeoutMs: Infinity, data: 'over an open', writeback: true, sharedMappings: true },
};

/** Before it, cache=mmap kept pages for mappings alone: read() and write() went to the server. */
const mmapCachesSince = [6, 4] as const;

/**
 * What a mode's name declares; undefined for a policy that is not known here.
 * @param kernel the guest's; a new one where it is not said.
 */
export function traitsOf(mode: Mode, kernel?: string): Traits | undefined {
  if (mode.server === '9p') {
    const policy9p = policies9p[mode.cache];
    if (policy9p === undefined) return undefined;
    const mappingsAlone = mode.cache === 'mmap' && !isSince(kernel, mmapCachesSince);
    const passing = { data: 'not at all', writeback: false } as const;
    return { ...policy9p, ...(mappingsAlone ? passing : {}), directIo: false };
  }
  const policy = policies[mode.cache];
  if (policy === undefined) return undefined;
  const has = (flag: string) => mode.flags.includes(flag);
  // The C daemon's own flag, in seconds.
  const timeout = mode.flags.find((flag) => flag.startsWith('timeout='));
  return {
    ...policy,
    ...(timeout === undefined ? {} : { timeoutMs: Number(timeout.slice('timeout='.length)) * 1000 }),
    writeback: has('writeback'),
    directIo: has('allow-direct-io') || has('allow_direct_io'),
    sharedMappings: policy.data !== 'not at all' || has('allow-mmap'),
  };
}

const known = [
  ...labModes,
  'never+allow-mmap',
  'metadata+allow-mmap',
  'auto+allow-direct-io',
  'always+allow-direct-io',
].map((name) => parseMode(name));

const known9p = Object.keys(policies9p).map((policy) => parseMode(`9p:${policy}`));

/** Whether a kernel (`6.12.107+deb13-amd64`) is at least this one; true for one that is not known. */
export function isSince(kernel: string | undefined, [major, minor]: readonly [number, number]): boolean {
  if (kernel === undefined) return true;
  const [ownMajor = 0, ownMinor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}

/** The modes of this kind of server whose traits are so, in words: "fits auto, auto+writeback". */
export function fitting(
  holds: (traits: Traits) => boolean,
  server: Mode['server'] | undefined,
  kernel: string | undefined,
): string {
  const [modes, whose] = server === '9p' ? [known9p, '9p'] : [known, 'virtiofsd'];
  const names = modes.filter((mode) => holds(traitsOf(mode, kernel) as Traits)).map(({ name }) => name);
  return names.length === 0 ? `fits no mode of ${whose}` : `fits ${names.join(', ')}`;
}
