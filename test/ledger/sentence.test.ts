import { describe, expect, it } from 'vitest';
import { percent, sentence } from '../../src/ledger/sentence.ts';
import type { Known, Ledger, LedgerLine, Source } from '../../src/model/account.ts';

function line(
  source: Source,
  bytes: number,
  known: Known = 'proved',
  interval?: [number, number],
): LedgerLine {
  const [path, medium] = source.split('/') as [LedgerLine['path'], LedgerLine['medium']];
  return {
    source,
    path,
    ...(medium === undefined ? {} : { medium }),
    bytes,
    requests: 1,
    known,
    ...(interval === undefined ? {} : { interval }),
    because: 'a test',
  };
}

function ledger(...lines: LedgerLine[]): Pick<Ledger, 'bytes' | 'lines'> {
  return { bytes: lines.reduce((sum, { bytes }) => sum + bytes, 0), lines };
}

describe('the one plain sentence', () => {
  it.each([
    [
      ledger(line('fuse/host-cache', 986), line('guest-cache', 11), line('fuse/disk', 3)),
      "98.6 % came from the host's page cache: this measures memory, not the disk.",
    ],
    [ledger(line('guest-cache', 10)), "100 % came from the guest's own page cache: the host was not asked."],
    [
      ledger(line('fuse/disk', 99), line('fuse/hole', 1)),
      '99.0 % came from the disk: this measures the disk.',
    ],
    [
      ledger(line('fuse/disk', 60), line('9p/host-cache', 40)),
      "60.0 % came from the disk, 40.0 % from the host's page cache: this measures neither alone.",
    ],
    [
      ledger(line('fuse/host-cache', 950, 'inferred'), line('fuse/disk', 50, 'inferred')),
      "Probably 95.0 % (inferred, not counted) came from the host's page cache: this measures memory, not the disk.",
    ],
    [
      ledger(line('fuse/host-cache', 950, 'bounded', [900, 950]), line('fuse/disk', 50)),
      "Between 90.0 % and 95.0 % came from the host's page cache: this measures memory, not the disk.",
    ],
    [
      ledger(line('unexplained', 70, 'unexplained'), line('fuse/disk', 30)),
      '70.0 % cannot be explained: a test.',
    ],
    [
      ledger(line('fuse/unexplained', 70, 'unexplained'), line('guest-cache', 30)),
      '70.0 % came from the host, and whether from its memory or the disk cannot be told: a test.',
    ],
    [
      { ...ledger(line('fuse/host-cache', 100)), storage: { storage: 'tmpfs' as const, fsType: 'tmpfs' } },
      "100 % came from the host's page cache: this measures memory, and there is no disk behind it (tmpfs).",
    ],
    [
      { ...ledger(line('fuse/disk', 100)), storage: { storage: 'network' as const, fsType: 'nfs' } },
      '100 % came from the disk: this measures another machine (nfs).',
    ],
    [ledger(), 'Nothing was read.'],
  ])('says what a run measured (%#)', (given, expected) => {
    expect(sentence(given)).toBe(expected);
  });

  it('never rounds to all or to nothing', () => {
    expect(percent(9999, 10_000)).toBe('over 99.9 %');
    expect(percent(1, 10_000)).toBe('under 0.1 %');
    expect(percent(5, 5)).toBe('100 %');
    expect(percent(0, 5)).toBe('0 %');
  });
});
