import type { Told } from './told.ts';

/** The lab's own backend in a lab of its own, with a fault that is switched on while it runs (backend.test.ts). */
export const switchedOn: readonly (Told & { readonly faults: string })[] = [
  { policy: 'never', faults: 'punch-ignored', fails: { 'holes/guest-punches': 'wrong-bytes' } },
  { policy: 'never', faults: 'seek-data-eof', fails: { 'holes/host-sparse': 'hole-over-data' } },
  { policy: 'never', faults: 'append-races', fails: { 'concurrent-append/two-sides': 'lost' } },
  {
    // What is old may be seen for a day; the watch goes on for the link count's sake.
    policy: 'always',
    faults: 'attr-timeout=0 nlink-one mode-alternates=5',
    fails: { 'attributes/host-by-path': 'went-back' },
  },
  { policy: 'auto+xattr', faults: 'xattr-lost', fails: { 'attributes/xattr-from-guest': 'not-done' } },
  // The guest asks the daemon to clear the bits, or (auto) changes the mode itself.
  {
    policy: 'never+killpriv-v2',
    faults: 'set-id-kept',
    fails: {
      'set-user-id/write': 'bits-kept',
      'set-user-id/write-direct': 'bits-kept',
      'set-user-id/append': 'bits-kept',
      'set-user-id/splice': 'bits-kept',
      'set-user-id/open-truncating': 'bits-kept',
      'set-user-id/allocate': 'bits-kept',
      'set-user-id/punch': 'bits-kept',
      'set-user-id/copy-file-range': 'bits-kept',
    },
  },
  {
    policy: 'auto',
    faults: 'set-id-kept',
    fails: {
      'set-user-id/truncate': 'bits-kept',
      'set-user-id/ftruncate': 'bits-kept',
      'set-user-id/chown': 'bits-kept',
    },
  },
  {
    policy: 'never+killpriv-v2',
    faults: 'set-id-lost',
    fails: { 'set-user-id/root-keeps': 'bits-lost' },
  },
  { policy: 'auto+locks', faults: 'lock-refuses', fails: { 'locks/one-guest': 'not-granted' } },
];

/** What the guest is told to remember, in one run of mode-in-force (backend.test.ts). */
export const toldToRemember: readonly (Told & { readonly faults: string })[] = [
  {
    policy: 'never',
    faults: 'no-direct-io',
    fails: {
      'mode-in-force/data-caching': 'other-data-caching',
      'mode-in-force/shared-mapping': 'mmap-not-as-declared',
    },
  },
  {
    policy: 'metadata',
    faults: 'attr-timeout=1',
    fails: { 'mode-in-force/attribute-timeout': 'other-attribute-timeout' },
  },
  {
    policy: 'auto',
    faults: 'entry-timeout=60',
    fails: { 'mode-in-force/entry-timeout': 'other-entry-timeout' },
  },
  {
    policy: 'always',
    faults: 'no-keep-cache',
    fails: { 'mode-in-force/data-caching': 'other-data-caching' },
  },
];

const timeouts = {
  'mode-in-force/attribute-timeout': 'other-attribute-timeout',
  'mode-in-force/entry-timeout': 'other-entry-timeout',
};
const data = { 'mode-in-force/data-caching': 'other-data-caching' };
const writeback = { 'mode-in-force/writeback': 'writeback-not-as-declared' };
const directIo = { 'mode-in-force/direct-io': 'direct-io-not-as-declared' };
const mapping = { 'mode-in-force/shared-mapping': 'mmap-not-as-declared' };

/** A released daemon that is told one mode and serves another; in two labs (mode-in-force.test.ts). */
export interface ServingOtherwise extends Told {
  readonly really: string;
}

export const cachesOtherwise: readonly ServingOtherwise[] = [
  { policy: 'never', really: 'auto', fails: { ...timeouts, ...data, ...mapping } },
  { policy: 'metadata', really: 'always', fails: { ...data, ...mapping } },
  { policy: 'auto', really: 'always', fails: { ...timeouts, ...data } },
  { policy: 'auto+writeback', really: 'auto', fails: writeback },
  { policy: 'always', really: 'auto', fails: { ...timeouts, ...data } },
  { policy: 'always+writeback', really: 'always', fails: writeback },
  { policy: 'auto+allow-direct-io', really: 'auto', fails: directIo },
  { policy: 'never+allow-mmap', really: 'never', fails: mapping },
];

export const cachesLess: readonly ServingOtherwise[] = [
  { policy: 'never', really: 'never+allow-mmap', fails: mapping },
  { policy: 'metadata', really: 'never', fails: timeouts },
  { policy: 'auto', really: 'never', fails: { ...timeouts, ...data, ...mapping } },
  { policy: 'auto+writeback', really: 'auto+writeback+allow-direct-io', fails: directIo },
  { policy: 'always', really: 'always+writeback', fails: writeback },
  { policy: 'always+writeback', really: 'metadata+writeback', fails: { ...data, ...mapping } },
  { policy: 'auto+allow-direct-io', really: 'auto+allow-direct-io', fails: {} },
  { policy: 'never+allow-mmap', really: 'metadata+allow-mmap', fails: timeouts },
];

const keeps = { 'read-path/guest-warm': 'wrong-path', 'read-path/host-dropped': 'wrong-path' };
const overAnOpen = { 'read-path/guest-warm-reopened': 'wrong-path' };
const odirect = { 'read-path/o-direct': 'wrong-medium' };

/** The same for the ladder of reads (read-path.test.ts). */
export const readsOtherwise: readonly ServingOtherwise[] = [
  { policy: 'never', really: 'auto', fails: keeps },
  { policy: 'metadata', really: 'always', fails: { ...keeps, ...overAnOpen } },
  { policy: 'auto', really: 'always', fails: overAnOpen },
  { policy: 'auto+writeback', really: 'auto+writeback+allow-direct-io', fails: odirect },
  { policy: 'always', really: 'auto', fails: overAnOpen },
  { policy: 'always+writeback', really: 'metadata+writeback', fails: { ...keeps, ...overAnOpen } },
  { policy: 'auto+allow-direct-io', really: 'auto', fails: odirect },
];

/** A released daemon behind a shim (lies.test.ts, drop-caches.test.ts). */
export const throughShim = {
  'drop-write': {
    md5: { 'md5/guest-writes': 'agree-and-wrong|host-reads-wrong' },
    dropCaches: { 'drop-caches/guest-dirty': 'dirty-lost|data-changed' },
  },
  'flip-read': { dropCaches: { 'drop-caches/guest-file': 'data-changed' } },
} as const;

/** The backend in labs with disks that are cut off, filled and broken (durability.test.ts). */
type Acknowledging = Told & { readonly faults: string };
export const acknowledged: readonly [Acknowledging, ...Acknowledging[]] = [
  {
    policy: 'never, auto+writeback',
    faults: 'fsync-ignored fsyncdir-ignored syncfs-ignored enospc-swallowed',
    fails: {
      'fsync-durable/fsync': 'not-written-back',
      'fsync-durable/fdatasync': 'not-written-back',
      'fsync-durable/power-cut': 'synced-and-lost',
      'fsync-durable/power-cut-after-sync': 'synced-and-lost',
      'directory-fsync/power-cut': 'names-lost',
      'write-errors/no-space': 'swallowed',
      'write-errors/io-error': 'swallowed',
    },
  },
  {
    policy: 'never',
    faults: 'write-delay=60000',
    fails: { 'fsync-durable/daemon-kill': 'acknowledged-and-lost' },
  },
  { policy: 'never', faults: 'fsyncdir-error', fails: { 'directory-fsync/accepted': 'refused' } },
  {
    policy: 'never',
    faults: 'enospc-swallowed fsync-error=ENOSPC',
    fails: { 'write-errors/no-space': 'surfaced-late' },
  },
];
