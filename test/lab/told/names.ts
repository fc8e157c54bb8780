import type { Told } from './told.ts';

/** The lab's own backend with faults. */
export interface LyingBackend extends Told {
  /** src/lab/backend/README.md. */
  readonly faults: string;
}

export const liesAboutNames: readonly LyingBackend[] = [
  {
    policy: 'never',
    faults: 'entry-timeout attr-timeout',
    fails: {
      'attributes/host-by-path': 'stale',
      'lookup/unlinked': 'stale',
      'rename-over/by-path': 'stale',
      'recreate/directory': 'stale',
      'links/new-target': 'stale',
    },
  },
  {
    policy: 'auto',
    faults: 'entry-timeout=60 attr-timeout=60',
    fails: {
      'attributes/host-by-descriptor': 'stale-too-long',
      'lookup/renamed-away': 'stale-too-long',
      'recreate/guest-after-host-in-time': 'stale-too-long',
    },
  },
  { policy: 'auto', faults: 'readdir-stale', fails: { 'create-storm/host-seen-names': 'stale-too-long' } },
  { policy: 'always', faults: 'mode-stale', fails: { 'attributes/host-by-path': 'stale-after-event' } },
  {
    policy: 'never',
    faults: 'chmod-ignored rename-lost unlink-silent',
    fails: {
      'attributes/guest-changes': 'not-done',
      'lookup/guest-changes-names': 'not-done',
      'rename-over/guest-renames-over': 'not-done',
      'rename-over/kept-descriptor': 'not-done',
    },
  },
  { policy: 'never+xattr', faults: 'xattr-stale', fails: { 'attributes/xattr-from-host': 'stale' } },
  { policy: 'never', faults: 'lookup-gone', fails: { 'rename-over/mapped': 'refused' } },
  {
    policy: 'never',
    faults: 'lookup-wrong-inode',
    fails: { 'lookup/never-looked-for': 'never-was' },
  },
  {
    policy: 'never',
    faults: 'lookup-wrong-inode=1',
    fails: { 'create-storm/host-new-names': 'other-file' },
  },
  {
    policy: 'never',
    faults: 'readdir-drop=7',
    fails: {
      'readdir/complete': 'name-missing',
      'readdir/while-names-come-and-go': 'name-missing',
      'create-storm/host-new-names': 'missing',
    },
  },
  {
    policy: 'never',
    faults: 'readdir-stale',
    fails: { 'readdir/host-changes': 'stale', 'readdir/guest-changes': 'not-done' },
  },
  {
    policy: 'never',
    faults: 'link-new-inode symlink-other-target',
    fails: { 'links/guest-links': 'other-inode', 'links/targets-under-signals': 'other-target' },
  },
  {
    policy: 'never',
    faults: 'create-lost',
    fails: { 'create-storm/guest': 'refused', 'recreate/guest-after-host': 'refused' },
  },
  { policy: 'never', faults: 'write-flip=5', fails: { 'create-storm/guest': 'wrong-bytes' } },
  {
    policy: 'never',
    faults: 'offsets-32 readlink-short write-keeps-mtime',
    fails: {
      'far-offsets/guest-writes': 'never-was',
      'far-offsets/host-writes': 'never-was',
      'links/targets-under-signals': 'other-target',
      'attributes/guest-writes': 'not-done',
    },
  },
  {
    policy: 'never',
    faults: 'lookup-caseless rename-flags-ignored readdir-skip unlink-closes',
    fails: {
      'lookup/guest-odd-names': 'refused',
      'lookup/unlinked-while-open': 'refused',
      'rename-over/guest-exchanges': 'refused',
      'readdir/complete': 'name-missing',
    },
  },
  {
    policy: 'never',
    faults: 'name-cut nlink-one utimens-ignored',
    fails: {
      'lookup/host-odd-names': 'stale',
      'links/one-file': 'never-was',
      'attributes/guest-changes': 'never-was',
    },
  },
  {
    policy: 'never',
    faults: 'mtime-coarse readdir-duplicate=7',
    fails: {
      'attributes/host-by-path': 'never-was',
      'readdir/complete': 'name-twice',
    },
  },
  {
    policy: 'never',
    faults: 'negative-timeout ino-changes',
    fails: { 'lookup/created-after-failed-lookup': 'stale', 'links/number': 'other-inode' },
  },
  {
    policy: 'never',
    faults: 'readdir-error link-error',
    fails: { 'readdir/while-names-come-and-go': 'refused', 'links/guest-links': 'refused' },
  },
  {
    policy: 'never',
    faults: 'mkdir-error mtime-frozen',
    fails: {
      'create-storm/parallel-mkdir': 'refused',
      'attributes/read-then-stat': 'stale',
      'attributes/host-by-descriptor': 'stale',
    },
  },
  {
    policy: 'never+xattr',
    faults: 'xattr-lost rename-copies',
    fails: { 'attributes/xattr-from-guest': 'not-done', 'create-storm/guest': 'left-over' },
  },
];
