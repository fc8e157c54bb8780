import { describe, expect, it } from 'vitest';
import { programAccount } from '../../src/ledger/program-account.ts';
import type { ExplainEvidence } from '../../src/model/explain-evidence.ts';
import { judgedAgain } from '../../src/workload/explain/again.ts';
import { page } from '../ledger/build.ts';
import { endOf, fileOf, programOf, served } from '../ledger/program.ts';

const size = 64 * page;
const [all, none] = ['#'.repeat(64), '.'.repeat(64)];
const samples = programOf({
  end: endOf({ rchar: 7000 + size, syscr: 9 + 64 }),
  files: [fileOf({ read: true }, { guest: none, host: all }, { guest: all, host: all })],
  daemon: served({ read: size, reads: 64, kicks: 64 }),
  messages: 64,
});
const evidence: ExplainEvidence = {
  kind: 'explain',
  command: ['fio'],
  status: 0,
  seconds: 1,
  account: programAccount(samples),
  advice: [],
  share: { mode: 'auto', how: 'test' },
  disturbed: [],
};
const saved = { reason: 'as it was', by: '0.1.0' };

describe('a program’s evidence that is judged again', () => {
  it('passes where its samples make the account that was saved', () => {
    expect(judgedAgain(evidence, samples, saved)).toMatchObject({ kind: 'pass', reason: 'as it was' });
  });

  it('fails where somebody has improved one of them, and names the fields', () => {
    const reads = { ...evidence.account.reads, bytes: 2 * size };
    const better = { ...evidence, account: { ...evidence.account, reads } };
    expect(judgedAgain(better, samples, saved)).toMatchObject({
      kind: 'fail',
      code: 'account-differs',
      reason: expect.stringMatching(/version 0\.1\.0: reads\.bytes$/),
    });
    const daemon = served({ read: size, reads: 64, kicks: 64 }, { readBytes: size });
    const { before, after } = samples.counters;
    const other = { ...samples, counters: { before, after: { ...after, daemon } } };
    const verdict = judgedAgain(evidence, other, saved);
    expect(verdict.evidence).toMatchObject({ account: { daemonDiskBytes: size } });
  });
});
