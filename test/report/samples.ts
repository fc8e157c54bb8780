import type { ComparisonEvidence } from '../../src/model/comparison.ts';
import type { Environment, Report, Result } from '../../src/model/report.ts';
import { runVerdict, type Verdict } from '../../src/model/verdict.ts';

/** Literal reports, as a run would hand them over. */
const environment: Environment = {
  startedAt: '2025-01-02T03:04:05.678Z',
  durationMs: 6300,
  seed: 0x91c2,
  lab: 'demo',
  host: { name: 'this machine', kernel: '6.1.0-42-amd64', arch: 'x86_64', uid: 0, pageSize: 4096 },
  guest: { name: 'root@127.0.0.1:2222', kernel: '6.12.43', arch: 'x86_64', uid: 0, pageSize: 4096 },
  shares: [{ mode: 'auto', how: "the lab's own daemon", type: 'virtiofs', server: 'virtiofsd 1.13.2' }],
  versions: {
    virtiofsd: '1.13.2',
    qemu: '11.1.3',
    'guest-kernel': '6.12.43',
    'host-kernel': '6.1.0-42-amd64',
  },
};

export const stale = '9b1c7e0f5a2d4c6b8a9f0e1d2c3b4a59';
export const fresh = '5fd0c1b2a3948576f0e1d2c3b4a59687';

export const comparison: ComparisonEvidence = {
  kind: 'comparison',
  path: '/mnt/auto/disk.img',
  hostPath: '/srv/share/disk.img',
  algorithm: 'md5',
  guest: { digest: fresh, bytes: 4 * 1024 ** 3, seconds: 6.3 },
  host: { digest: fresh, bytes: 4 * 1024 ** 3, seconds: 6.1 },
  ranges: [],
  rangesTotal: 0,
  blockSize: 4096,
  votes: [],
  share: { mode: 'auto', how: "the lab's own daemon", server: 'virtiofsd 1.13.2', lab: 'demo' },
  disturbed: [],
};

export const staleCache: ComparisonEvidence = {
  ...comparison,
  path: '/mnt/always/config.db',
  hostPath: '/srv/share/config.db',
  guest: { digest: stale, bytes: 1_261_568, seconds: 0.02 },
  host: { digest: fresh, bytes: 1_261_568, seconds: 0.01 },
  ranges: [{ offset: 0x1c000, length: 4096 }],
  rangesTotal: 1,
  votes: [
    { who: 'guest-cache', digest: '1111111111111111' },
    { who: 'host-cache', digest: '2222222222222222' },
    { who: 'guest-evicted', digest: '2222222222222222', note: 'evicting the file mends it' },
    { who: 'host-direct', note: 'O_DIRECT is refused here (EINVAL)' },
  ],
  layer: 'stale-guest-cache',
  share: { ...comparison.share, mode: 'always' },
  permitted: {
    words: 'Mode always permits this: stale for at most 24 h after the last refresh.',
    sources: ['Linux 6.12 fs/fuse/dir.c fuse_update_attributes()', 'virtiofsd 1.13.2 src/main.rs'],
  },
  disturbed: [
    'opening the file in the guest may have dropped its clean pages there, and written its dirty ones back',
  ],
};

export const staleVerdict: Verdict = {
  kind: 'fail',
  code: 'differs-permitted',
  reason: "the guest's page cache is stale",
  promised: 'Mode always permits this: stale for at most 24 h after the last refresh.',
  observed: 'two digests',
  sources: staleCache.permitted?.sources ?? [],
  next: 'vfs-verify drop /mnt/always/config.db --side guest   (or cache=auto)',
  evidence: staleCache,
};

/** One path's result. */
export function pathResult(verdict: Verdict, path = '/mnt/auto/disk.img'): Result {
  return {
    check: 'md5',
    mode: 'auto',
    path,
    verdict,
    cases: [{ name: 'your-file', verdict, durationMs: 5 }],
    durationMs: 5,
  };
}

/** A report over results. */
export function reportOf(command: Report['command'], results: readonly Result[]): Report {
  return {
    schema: 'vfs-verify/report/1',
    tool: { name: 'vfs-verify', version: '0.1.0' },
    command,
    verdict: runVerdict(results.map((each) => each.verdict.kind)),
    environment,
    results,
  };
}
