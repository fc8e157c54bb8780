import type { Ledger } from '../../src/model/account.ts';
import type { Report } from '../../src/model/report.ts';
import type { StalenessEvidence } from '../../src/model/staleness.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { comparison, reportOf } from './samples.ts';

/** What a file's name may hold: markup, quotes, controls, an invalid byte, a reordering, no text at all. */
export const hostile =
  `<img src=x onerror=alert(1)>"'&amp;]]></script><!--\u001b[31m\n\0\udcff\u202e\u2028\ufffe` +
  '</style></title><svg onload=alert(2)>';

const staleness: StalenessEvidence = {
  kind: 'staleness',
  series: [
    {
      what: `size, by stat ${hostile}`,
      boundMs: 1000,
      intervalsMs: Array.from({ length: 40 }, (_, index) => [20 * index, 20 * index + 30] as const),
    },
    {
      what: 'a page, kept descriptor',
      boundMs: 86_400_000,
      intervalsMs: [],
      neverSeen: { count: 12, watchedMs: 3000 },
    },
    {
      what: 'fresh',
      boundMs: 0,
      intervalsMs: [
        [0, 2],
        [0, 3],
        [4, 9],
      ],
    },
    { what: 'no bound', intervalsMs: [[0, 0]] },
    { what: 'nothing seen', intervalsMs: [] },
  ],
};

const ledger: Ledger = {
  sentence: `50 % from the disk ${hostile}`,
  bytes: 600_000,
  requests: 148,
  emptyReads: 0,
  lines: [
    {
      source: 'fuse/disk',
      path: 'fuse',
      medium: 'disk',
      bytes: 300_000,
      requests: 74,
      known: 'bounded',
      interval: [0, 300_000],
      because: hostile,
    },
    {
      source: 'guest-cache',
      path: 'guest-cache',
      bytes: 300_000,
      requests: 74,
      known: 'proved',
      because: 'counted',
    },
    {
      source: 'unexplained',
      path: 'unexplained',
      bytes: 0,
      requests: 0,
      known: 'unexplained',
      because: 'nothing remains',
    },
  ],
  unexplainedBytes: 0,
  guestCaches: 'yes',
  readahead: { askedBytes: 300_000, fetchedBytes: 300_000, usedBytes: 300_000, known: 'proved' },
  evictedMeanwhile: {},
  latency: {
    'fuse/disk': {
      count: 74,
      p50Ns: 1_234_567_890,
      p99Ns: 98_765_432_109,
      maxNs: 987_654_321_098,
      log2: [...Array(16).fill(0), 4, 30, 30, 8, 2],
    },
    // All zero: a clock too coarse.
    'guest-cache': { count: 74, p50Ns: 0, p99Ns: 0, maxNs: 0, log2: [74] },
  },
  crossChecks: [{ name: hostile, expected: hostile, observed: 'none', agrees: false }],
  unseen: [{ what: hostile, why: hostile }],
};

/** A report in which everything that can be a name is a hostile one. */
export function hostileReport(): Report {
  const text = {
    reason: hostile,
    promised: hostile,
    observed: `seen: ${hostile}`,
    sources: [hostile],
    next: hostile,
  };
  const evidence: readonly NonNullable<Verdict['evidence']>[] = [
    {
      ...comparison,
      path: hostile,
      hostPath: hostile,
      layerWords: hostile,
      disturbed: [hostile],
      ranges: [{ offset: 4096, length: 4096 }],
      rangesTotal: 5,
    },
    {
      kind: 'tree',
      path: hostile,
      hostPath: hostile,
      algorithm: 'md5',
      entries: 2,
      bytes: 3,
      seconds: 1,
      differences: [{ path: hostile, what: 'target', guest: hostile, host: hostile }],
      differencesTotal: 7,
      counts: { target: 7 },
      share: { mode: hostile, how: hostile },
      disturbed: [],
    },
    staleness,
    { ledgers: { [hostile]: ledger } },
    {
      [hostile]: [
        { offset: 0, length: 4096, found: hostile },
        { offset: 8192, length: 1, found: null },
      ],
    },
    {
      mixed: [1, hostile, [2, { deep: { deeper: { deepest: { lost: { far: { gone: { on: 1 } } } } } } }]],
      many: Array(500).fill({ a: hostile, b: true }),
    },
  ];
  const report = reportOf('check', [
    {
      check: hostile,
      mode: hostile,
      path: hostile,
      bundle: hostile,
      durationMs: 12,
      verdict: { kind: 'fail', code: hostile, ...text },
      cases: [
        ...evidence.map((each, index) => ({
          name: `${index} ${hostile}`,
          durationMs: 1,
          rerun: `vfs-verify check '${hostile}'`,
          verdict: { kind: 'fail', code: hostile, ...text, evidence: each } as const,
        })),
        {
          name: hostile,
          durationMs: 1,
          known: { id: hostile, title: hostile, where: hostile },
          rounds: { pass: 1, fail: 2, unknown: 0, skip: 0 },
          verdict: { kind: 'fail', code: hostile, ...text },
        },
        { name: hostile, durationMs: 1, verdict: { kind: 'unknown', ...text } },
        { name: hostile, durationMs: 1, verdict: { kind: 'skip', ...text } },
      ],
    },
    {
      check: hostile,
      mode: 'auto',
      cases: [],
      durationMs: 0,
      verdict: { kind: 'unknown', code: 'crashed', ...text },
    },
  ]);
  return {
    ...report,
    tool: { name: 'vfs-verify', version: hostile },
    environment: {
      ...report.environment,
      startedAt: hostile,
      lab: hostile,
      host: { name: hostile, kernel: hostile, arch: hostile },
      guest: { name: hostile, kernel: hostile, arch: hostile },
      shares: [
        { mode: hostile, how: hostile, tag: hostile, server: hostile, guestDir: hostile, hostDir: hostile },
      ],
      versions: { [hostile]: hostile },
    },
    checks: { [hostile]: { title: hostile, codes: { [hostile]: hostile } } },
    baseline: {
      file: hostile,
      startedAt: hostile,
      versions: { [hostile]: 'another' },
      changes: [
        {
          what: 'worse',
          check: hostile,
          mode: hostile,
          case: hostile,
          before: { kind: 'pass' },
          after: { kind: 'fail', code: hostile },
        },
        { what: 'gone', check: hostile, mode: hostile, case: '', before: { kind: 'unknown' } },
      ],
      unchanged: 3,
    },
  };
}
