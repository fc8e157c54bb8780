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

/** Where that is written. */
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

const policies: Readonly<Record<string, { readonly timeoutMs: number; readonly data: DataCaching }>> = {
  never: { timeoutMs: 0, data: 'not at all' },
  none: { timeoutMs: 0, data: 'not at all' },
  metadata: { timeoutMs: 86_400_000, data: 'not at all' },
  auto: { timeoutMs: 1000, data: 'until the next open' },
  always: { timeoutMs: 86_400_000, data: 'over an open' },
};

/** What a mode's name declares; undefined for a server or a policy that is not virtiofsd's. */
export function traitsOf(mode: Mode): Traits | undefined {
  const policy = policies[mode.cache];
  if (policy === undefined || mode.server === '9p') return undefined;
  const has = (flag: string) => mode.flags.includes(flag);
  // The C daemon's own flag, in seconds.
  const timeout = mode.flags.find((flag) => flag.startsWith('timeout='));
  return {
    ...policy,
    ...(timeout === undefined ? {} : { timeoutMs: Number(timeout.slice('timeout='.length)) * 1000 }),
    writeback: has('writeback'),
    directIo: has('allow-direct-io'),
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

/** The modes whose traits are so, in words: "fits auto, auto+writeback". */
export function fitting(holds: (traits: Traits) => boolean): string {
  const names = known.filter((mode) => holds(traitsOf(mode) as Traits)).map(({ name }) => name);
  return names.length === 0 ? 'fits no mode of virtiofsd' : `fits ${names.join(', ')}`;
}
