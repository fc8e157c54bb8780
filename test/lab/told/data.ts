import type { Lie } from '../lying-daemon.ts';
import type { Told } from './told.ts';

/** A released daemon with a shim before it (shims/lie.c), or with a policy that it was not told to have. */
export interface LyingDaemon extends Told {
  readonly lie: Lie | 'cache-always';
}

export const liesAboutData: readonly LyingDaemon[] = [
  { policy: 'never', lie: 'drop-all', fails: { 'guest-write/write-fsync': 'stale' } },
  { policy: 'never', lie: 'shift-write', fails: { 'guest-write/host-mapped': 'wrong-bytes' } },
  {
    policy: 'never',
    lie: 'whole-page',
    fails: { 'guest-write/append': 'wrong-size', 'tail-page/guest-writes': 'wrong-size' },
  },
  {
    policy: 'never',
    lie: 'flip-read',
    fails: { 'access-paths/first-vectored': 'wrong-bytes', 'host-rewrite/reopened': 'wrong-bytes' },
  },
  { policy: 'never', lie: 'old-read', fails: { 'host-rewrite/reopened': 'stale' } },
  { policy: 'auto', lie: 'old-read', fails: { 'host-rewrite/kept-descriptor': 'stale-too-long' } },
  {
    policy: 'auto+writeback',
    lie: 'old-read',
    fails: { 'host-rewrite/kept-descriptor': 'stale-after-event' },
  },
  {
    policy: 'never',
    lie: 'nul-tail',
    fails: { 'host-append/read': 'wrong-bytes', 'tail-page/host-grows': 'wrong-bytes' },
  },
  {
    policy: 'never',
    lie: 'old-size',
    // It remembers by inode number: that of a file that is gone gives a size that this one never had.
    fails: { 'host-append/size': 'stale|wrong-size', 'host-truncate/host-cut-size': 'stale|wrong-size' },
  },
  { policy: 'never', lie: 'keep-cut', fails: { 'host-truncate/guest-cut-and-regrow': 'stale' } },
  { policy: 'never', lie: 'no-data', fails: { 'holes/host-sparse': 'hole-over-data' } },
  { policy: 'never', lie: 'keep-punched', fails: { 'holes/guest-punches': 'wrong-bytes' } },
  { policy: 'never', lie: 'empty-copy', fails: { 'access-paths/first-copy-file-range': 'stale' } },
  {
    policy: 'auto',
    lie: 'cache-always',
    fails: { 'host-append/size': 'stale-too-long', 'host-rewrite/reopened': 'stale' },
  },
];
