import { describe, expect, it } from 'vitest';
import type { LedgerLine, Source } from '../../src/model/account.ts';
import type { ProgramAccount } from '../../src/model/program-account.ts';
import { advice } from '../../src/workload/explain/advice.ts';
import { endOf, mib } from '../ledger/program.ts';

function line(source: Source, bytes: number): LedgerLine {
  const [path, medium] = source.split('/') as [LedgerLine['path'], LedgerLine['medium']];
  return {
    source,
    path,
    ...(medium === undefined ? {} : { medium }),
    bytes,
    requests: 1,
    known: 'proved',
    because: 'test',
  };
}

function accountOf(reads: readonly LedgerLine[], rest: Partial<ProgramAccount> = {}): ProgramAccount {
  const bytes = reads.reduce((sum, each) => sum + each.bytes, 0);
  const asked = { bytes: [bytes, bytes], requests: [1, 1], because: 'test' } as const;
  return {
    reads: { asked, bytes, lines: reads, sentence: '' },
    writes: {
      asked: { ...asked, bytes: [0, 0] },
      bytes: 0,
      lines: [],
      sentence: '',
      atEnd: {},
    },
    end: endOf({}),
    files: [
      {
        path: "/mnt/auto/it's",
        hostPath: '/srv/f',
        size: 16 * mib,
        held: { read: true, write: false, direct: false, sync: false, mapped: false },
        guestCached: [0, 0],
        hostCached: [16 * mib, 16 * mib],
      },
    ],
    unseen: [],
    ...rest,
  };
}

describe('what to change to measure the other medium', () => {
  it('is to drop both caches where the host’s served, with the command quoted for a shell', () => {
    const [first, second] = advice(accountOf([line('fuse/host-cache', 16 * mib)]), {
      hostMemoryBytes: 1024 * mib,
    });
    expect(first).toContain("vfs-verify drop '/mnt/auto/it'\\''s' --side both");
    expect(second).toContain("fits in the host's memory");
  });

  it('is the daemon’s flag where the program was direct already', () => {
    const account = accountOf([line('fuse/host-cache', 16 * mib)]);
    const [file] = account.files;
    if (file?.held === undefined) throw new Error('no file');
    const direct = { ...account, files: [{ ...file, held: { ...file.held, direct: true } }] };
    expect(advice(direct, { allowDirectIo: false }).join(' ')).toContain(
      'which this daemon does not hand on',
    );
  });

  it('says that a cache was there and did not serve', () => {
    const account = accountOf([line('fuse/host-cache', 16 * mib)]);
    const files = account.files.map((each) => ({ ...each, guestCached: [16 * mib, 0] as const }));
    expect(advice({ ...account, files }, {})[0]).toContain('--invalidate=0');
  });

  it('draws no conclusion from what is not explained', () => {
    const account = accountOf([line('unexplained', 16 * mib)]);
    const files = account.files.map((each) => ({ ...each, guestCached: [16 * mib, 0] as const }));
    expect(advice({ ...account, files }, {}).join(' ')).not.toContain('nothing came from there');
  });

  it('is an fsync where writes were left in memory', () => {
    const account = accountOf([]);
    const bytes = 8 * mib;
    const writes = { ...account.writes, bytes, lines: [line('fuse/host-cache', bytes)] };
    const device = { readBytes: 0, reads: 0, writtenBytes: 0, writes: 0, flushes: 0 };
    expect(advice({ ...account, writes, device }, {})).toEqual([
      expect.stringContaining('no fsync reached the disk'),
    ]);
  });

  it('is to time the fsync where it was made outside', () => {
    const account = accountOf([]);
    const writes = { ...account.writes, bytes: 8 * mib, lines: [line('fuse/disk', 8 * mib)] };
    const syncs = { calls: 1, seconds: 3, isUntimed: true, because: 'test' };
    expect(advice({ ...account, writes, syncs }, {})).toEqual([
      expect.stringContaining('outside the timed part: put it in'),
    ]);
    const left = { ...writes, lines: [line('fuse/host-cache', 8 * mib)] };
    expect(advice({ ...account, writes: left, syncs: { calls: 0, because: 'test' } }, {})).toEqual([
      expect.stringContaining('the program made no fsync'),
    ]);
  });
});
