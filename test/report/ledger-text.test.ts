import { describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/model/account.ts';
import { ledgerLines } from '../../src/report/ledger-text.ts';

const mib = 1024 * 1024;

const ledger: Ledger = {
  sentence: "98.6 % came from the host's page cache: this measures memory, not the disk.",
  bytes: 100 * mib,
  requests: 25_600,
  emptyReads: 0,
  lines: [
    {
      source: 'fuse/host-cache',
      path: 'fuse',
      medium: 'host-cache',
      bytes: 98 * mib,
      requests: 25_000,
      known: 'proved',
      because: 'counted',
    },
    {
      source: 'fuse/disk',
      path: 'fuse',
      medium: 'disk',
      bytes: 2 * mib - 512,
      requests: 599,
      known: 'bounded',
      interval: [0, 2 * mib],
      because: 'absent before; no counter tells disk reads for this share',
    },
    {
      source: 'unexplained',
      path: 'unexplained',
      bytes: 512,
      requests: 1,
      known: 'unexplained',
      because: 'a reason that is long enough to need more than one line of a terminal of eighty columns',
    },
  ],
  unexplainedBytes: 512,
  guestCaches: 'yes',
  daemon: {
    bytes: [100 * mib, 100 * mib + 4096],
    requests: [25_600, 25_600],
    kicks: [25_601, 26_113],
    how: 'request sizes mix: 2 numbers of kicks fit the counters',
    diskBytes: 3 * mib,
  },
  readahead: { askedBytes: 99 * mib, fetchedBytes: 100 * mib, usedBytes: 99 * mib, known: 'proved' },
  otherTraffic: { bytes: [0, 4096], because: 'other files of the share' },
  evictedMeanwhile: { guestPages: 0, hostPages: 7 },
  hostPages: { reached: 25_600, residentBefore: 25_088 },
  latency: {
    'fuse/host-cache': { count: 25_000, p50Ns: 46_000, p99Ns: 65_000, maxNs: 4_888_000, log2: bins(15, 22) },
    'fuse/disk': { count: 599, p50Ns: 6_040_000, p99Ns: 1e7, maxNs: 4.2e9, log2: bins(22, 32) },
  },
  crossChecks: [],
  unseen: [{ what: 'device', why: 'a \u001b[31mstrange\u001b[0m reason' }],
};

function bins(from: number, to: number): number[] {
  return Array.from({ length: to + 1 }, (_, bin) => (bin < from ? 0 : 2 ** (to - bin)));
}

describe('a ledger in print', () => {
  const lines = ledgerLines(ledger, { color: false, width: 80 });
  const text = lines.join('\n');

  it('fits 80 columns', () => {
    for (const line of lines) expect([...line].length, line).toBeLessThanOrEqual(80);
  });

  it('shows every line with its bytes and its share, never rounded to all or nothing', () => {
    expect(text).toMatch(/fuse\/host-cache +█+.* +98\.0 MiB +98\.0 %/);
    expect(text).toMatch(/unexplained +▏ +512 B +<0\.1 %/);
  });

  it('says how a line is known that is not proved', () => {
    expect(text).toContain('between 0 B and 2.0 MiB: absent before');
    expect(text).not.toContain('counted');
  });

  it('names readahead, other traffic, evictions and what was not seen', () => {
    expect(text).toContain('readahead: asked for 99.0 MiB, fetched 100.0 MiB, used 99.0 MiB');
    expect(text).toContain('other traffic: 0 B to 4.0 KiB, not booked here');
    expect(text).toContain('evicted meanwhile: 7 on the host');
    expect(text).toContain('not seen: device');
  });

  it('says which latencies were calibrated, and which not and why', () => {
    const one = { fromNs: 0, toNs: 21_000, samples: 200, mistaken: 0.005, undecided: 0.005 };
    const calibrated = ledgerLines(
      {
        ...ledger,
        calibration: {
          classes: [
            { source: 'guest-cache', ...one },
            { source: 'disk', fromNs: 2_000_000, samples: 200, mistaken: 0.005, undecided: 0.1 },
          ],
          refused: [{ source: 'host-cache', why: 'a reason' }],
        },
      },
      { color: false, width: 200 },
    ).join('\n');
    expect(calibrated).toContain(
      'latency classes of this run: guest-cache to 21 µs (200 reads), disk 2 ms and more (200 reads); host-cache not: a reason',
    );
  });

  it('says in words that the daemon read nothing', () => {
    const daemon = { bytes: [0, 0], requests: [0, 0], kicks: [4, 4], how: 'a test', diskBytes: 0 } as const;
    const quiet = ledgerLines({ ...ledger, daemon }, { color: false, width: 80 }).join('\n');
    expect(quiet).toContain('the daemon read nothing (a test)');
  });

  it('lets nothing through that a terminal would obey', () => {
    expect(text).not.toContain('\u001b');
  });
});
