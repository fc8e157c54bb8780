import type { Liar } from '../lying-backend.ts';
import type { Told } from './told.ts';

/** The lab's own backend with faults and options, on which some cases fail and others pass. */
export interface Misbehaving extends Liar, Told {
  /** Without any: all of the cases pass. */
  readonly fails: Readonly<Record<string, string>>;
  /** Cases that pass, where some fail. */
  readonly passes?: readonly string[];
}

export const misbehaviours: readonly Misbehaving[] = [
  { policy: 'never', fails: {} },
  // What the guest's own kernel does, whatever the daemon: docs/findings.md.
  {
    policy: 'auto',
    passes: [
      'shared-mapping/guest-mapped-host-buffered',
      'shared-mapping/guest-mapped-guest-direct',
      'same-page-writers/buffered-in-turns',
      'concurrent-append/two-sides',
    ],
    fails: { 'concurrent-append/seen-by-mapping': 'guest-sees-other-bytes' },
  },
  {
    policy: 'never',
    faults: 'write-drop',
    fails: {
      'direct-and-buffered/guest-direct-host-buffered': 'stale',
      'same-page-writers/buffered-in-turns': 'own-lost',
      'concurrent-append/one-guest': 'lost',
      'small-writes/one-byte': 'stale',
      'open-flags/guest-opens': 'other-bytes',
      'events/host-watch-writes': 'missing',
      'benchmark-plausibility/write-host-warm': 'not-passed-on',
    },
  },
  {
    policy: 'never',
    faults: 'write-pages',
    fails: { 'small-writes/one-byte': 'wrong-size', 'same-page-writers/buffered-host-first': 'wrong-bytes' },
  },
  {
    policy: 'never',
    faults: 'read-old',
    fails: {
      'direct-and-buffered/host-buffered-guest-direct': 'stale',
      'md5/host-rewrites': 'stale-forbidden',
      'benchmark-plausibility/read-cold': 'no-disk-read',
    },
  },
  {
    policy: 'never+allow-direct-io',
    faults: 'no-direct-io direct-ignored fsync-ignored',
    fails: {
      'benchmark-plausibility/read-guest-warm': 'did-not-cross',
      'benchmark-plausibility/read-direct': 'no-disk-read',
      'benchmark-plausibility/write-guest-warm': 'not-on-disk',
    },
  },
  {
    policy: 'never',
    faults: 'write-delay=3000',
    fails: {
      'direct-and-buffered/guest-direct-host-buffered': 'stale',
      'events/host-watch-writes': 'missing',
    },
  },
  {
    policy: 'auto',
    faults: 'write-drop',
    fails: {
      'shared-mapping/guest-mapped-host-buffered': 'stale',
      'shared-mapping/guest-mapped-guest-direct': 'stale',
    },
  },
  // The mode that the user asked for is not the one that is in force.
  {
    policy: 'auto',
    options: '--writeback',
    fails: { 'same-page-writers/buffered-in-turns': 'lost', 'concurrent-append/two-sides': 'lost' },
  },
  { policy: 'never', faults: 'append-races', fails: { 'concurrent-append/two-sides': 'lost' } },
  { policy: 'never', faults: 'o-trunc-ignored', fails: { 'open-flags/guest-opens': 'other-bytes' } },
  { policy: 'never', faults: 'open-error=EINVAL', fails: { 'open-flags/guest-opens': 'refused' } },
  {
    policy: 'never',
    options: '--locks',
    faults: 'lock-grants-all',
    fails: { 'locks/one-guest': 'both-hold', 'locks/wait-one-guest': 'both-hold' },
  },
  // Linux asks no daemon to give back an OFD lock when its descriptor is closed.
  {
    policy: 'never',
    options: '--locks',
    passes: ['locks/one-guest'],
    fails: { 'locks/closed-in-one-guest': 'not-released' },
  },
  {
    policy: 'never',
    options: '--locks',
    faults: 'lock-refuses',
    fails: { 'locks/one-guest': 'not-granted' },
  },
  { policy: 'never', faults: 'unlink-silent', fails: { 'events/host-watch-names': 'missing' } },
  {
    policy: 'never',
    options: '--locks',
    faults: 'lock-shared-excludes',
    fails: { 'locks/one-guest': 'shared-refused' },
  },
  {
    policy: 'never',
    options: '--locks',
    faults: 'lock-whole-file',
    fails: { 'locks/one-guest': 'range-refused' },
  },
  {
    policy: 'never',
    faults: 'append-twice rename-by-link readdir-type create-mode',
    fails: {
      'concurrent-append/one-guest': 'twice',
      'events/host-watch-names': 'other-kind',
      'readdir/complete': 'wrong-type',
      'open-flags/guest-creates': 'other-name',
    },
  },
  {
    policy: 'never',
    faults: 'append-late unlink-late',
    fails: { 'concurrent-append/one-guest': 'out-of-order', 'events/host-watch-names': 'out-of-order' },
  },
  {
    policy: 'never',
    faults: 'append-split',
    fails: { 'concurrent-append/one-guest': 'torn' },
  },
  {
    policy: 'never',
    faults: 'write-flip=5 read-flip',
    fails: {
      'concurrent-append/one-guest': 'wrong-bytes',
      'md5/guest-writes': 'both-wrong',
      'md5/host-writes': 'guest-reads-wrong',
    },
  },
  {
    policy: 'never',
    faults: 'write-shift=65536',
    fails: { 'same-page-writers/buffered-host-first': 'wrong-size' },
  },
  {
    policy: 'never',
    faults: 'fallocate-ignored zero-range-ignored copy-range-shift',
    fails: {
      'holes/guest-allocates': 'wrong-size',
      'holes/guest-zeroes': 'wrong-bytes',
      'access-paths/first-copy-file-range': 'wrong-size',
    },
  },
  { policy: 'never', faults: 'read-last-byte', fails: { 'host-append/read': 'wrong-size' } },
  { policy: 'never', faults: 'lookup-error', fails: { 'open-flags/guest-opens': 'other-errno' } },
  { policy: 'never', faults: 'lookup-invents', fails: { 'open-flags/guest-opens': 'not-refused' } },
  { policy: 'never', faults: 'rename-copies', fails: { 'events/host-watch-names': 'unasked' } },
];
