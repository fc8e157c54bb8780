import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareFile } from '../../checks/compare/file.ts';
import type { ComparisonEvidence } from '../../src/model/comparison.ts';
import { parseMode } from '../../src/model/mode.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { runCell } from '../../src/run/cell.ts';
import { scriptedBench } from '../run/sessions.ts';
import { type MemoryFile, memorySide } from './memory-side.ts';

let dir = '';
let count = 0;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Runs the comparison on two sides in memory, through the bundle, and gives its verdict. */
async function compare(
  guest: MemoryFile,
  host: MemoryFile,
  { mode = 'auto', expect: wanted }: { mode?: string; expect?: string } = {},
) {
  const bench = scriptedBench(memorySide(guest), memorySide(host));
  const args = {
    guestPath: '/mnt/auto/f',
    hostPath: '/srv/f',
    algorithm: 'md5',
    timeoutMs: 1000,
    ...(wanted === undefined ? {} : { expect: wanted }),
  };
  count += 1;
  const result = await runCell(
    compareFile,
    { ...bench, share: { ...bench.share, mode: parseMode(mode) } },
    { bundleDir: path.join(dir, String(count)), seed: 0, args },
  );
  return { verdict: result.verdict, evidence: result.verdict.evidence as unknown as ComparisonEvidence };
}

const old = new Uint8Array(3 * 4096 + 5).fill(1);
const changed = old.slice();
changed[4096] = 2;
const errno = (name: string): Outcome => ({ kind: 'errno', errno: name, call: 'openat' });

describe('a file that is the same on both sides', () => {
  it('passes with the digest of both', async () => {
    const { verdict, evidence } = await compare({ cached: old }, { cached: old });
    expect(verdict.kind).toBe('pass');
    expect(evidence.guest?.digest).toBe(evidence.host?.digest);
  });

  it('passes when it is empty', async () => {
    expect((await compare({ cached: new Uint8Array() }, { cached: new Uint8Array() })).verdict.kind).toBe(
      'pass',
    );
  });

  it('and not what was expected fails: both agree and both are wrong', async () => {
    const { verdict } = await compare({ cached: old }, { cached: old }, { expect: '0'.repeat(32) });
    expect(verdict).toMatchObject({ kind: 'fail', code: 'agree-and-wrong' });
  });
});

describe('a file that differs', () => {
  it.each([
    ['always', 'differs-permitted'],
    ['auto', 'differs-forbidden'],
    ['9p:loose', 'differs-permitted'],
    ['9p:none', 'differs-forbidden'],
    ['auto+flag-that-nobody-read', 'differs'],
  ])('because the guest cache is stale is %s: %s', async (mode, code) => {
    const { verdict, evidence } = await compare(
      { cached: old, below: changed },
      { cached: changed },
      { mode },
    );
    expect(verdict).toMatchObject({ kind: 'fail', code });
    expect(evidence.layer).toBe('stale-guest-cache');
    expect(evidence.ranges).toEqual([{ offset: 4096, length: 4096 }]);
    expect(evidence.votes.find(({ who }) => who === 'guest-evicted')?.agreesWith).toContain('host-cache');
  });

  it('and stays different after eviction is the daemon, which no mode permits', async () => {
    const { verdict, evidence } = await compare({ cached: old }, { cached: changed }, { mode: 'always' });
    expect(verdict.code).toBe('differs-forbidden');
    expect(evidence.layer).toBe('daemon');
  });

  it('with dirty guest pages is never evicted, and that vote is left out and said', async () => {
    const { evidence } = await compare(
      { cached: old, dirty: 2 },
      { cached: changed },
      { mode: 'auto+writeback' },
    );
    expect(evidence.layer).toBe('guest-not-written-back');
    expect(evidence.votes.find(({ who }) => who === 'guest-evicted')?.note).toContain('2 dirty pages');
  });

  it('only beyond the end of the shorter side has a stale size', async () => {
    const { verdict, evidence } = await compare({ cached: old.subarray(0, 4096) }, { cached: old });
    expect(evidence.layer).toBe('stale-size');
    expect(evidence.ranges).toEqual([{ offset: 4096, length: old.length - 4096 }]);
    expect(verdict.code).toBe('differs-permitted');
  });

  it.each([
    ['auto', /^repeat when it should have ended by itself \(stale for at most 1 s .*--cache=never$/],
    ['9p:loose', /^waiting does not end it \(stale until eviction .*drop_caches there.*cache=none$/],
    ['never', /^drop the guest's dentries .*this mode promises otherwise$/],
  ])('is waited for in %s only where that ends it', async (mode, advice) => {
    const { verdict } = await compare({ cached: old.subarray(0, 4096) }, { cached: old }, { mode });
    expect(verdict.next).toMatch(advice);
  });

  it('under another inode is a stale name', async () => {
    expect((await compare({ cached: old, ino: '8' }, { cached: changed })).evidence.layer).toBe('stale-name');
  });

  it('below the host cache names that layer', async () => {
    const { evidence } = await compare({ cached: changed }, { cached: old, below: changed });
    expect(evidence.layer).toBe('host-cache-vs-medium');
  });

  it('says which side has what was expected', async () => {
    const { evidence } = await compare({ cached: old }, { cached: changed });
    const { verdict } = await compare(
      { cached: old },
      { cached: changed },
      { expect: evidence.host?.digest ?? '' },
    );
    expect(verdict.reason).toContain('the host has what was expected');
  });
});

describe('what cannot be told is unknown', () => {
  it('when the file changes while it is hashed', async () => {
    const host: MemoryFile = { cached: changed };
    host.before = ({ op }) => {
      if (op.do === 'hash') host.mtimeNs = '2';
    };
    expect((await compare({ cached: old }, host)).verdict).toMatchObject({
      kind: 'unknown',
      code: 'changed-while-hashed',
    });
  });

  it.each<[string, MemoryFile, MemoryFile, Partial<Verdict>]>([
    [
      'a path that neither side has',
      { cached: old, instead: { stat: errno('ENOENT') } },
      { cached: old, instead: { stat: errno('ENOENT') } },
      { kind: 'unknown', code: 'no-such-file' },
    ],
    [
      'a path that only the host has',
      { cached: old, instead: { stat: errno('ENOENT') } },
      { cached: old },
      { kind: 'fail', code: 'only-on-host' },
    ],
    [
      'a path that only the guest has',
      { cached: old },
      { cached: old, instead: { stat: errno('ENOENT'), open: errno('ENOENT') } },
      { kind: 'fail', code: 'only-on-guest' },
    ],
    [
      'a file that the host may not read',
      { cached: old },
      { cached: old, instead: { open: errno('EACCES') } },
      { kind: 'unknown', code: 'not-readable' },
    ],
    [
      'a directory',
      { cached: old, type: 'directory' },
      { cached: old, type: 'directory' },
      { kind: 'unknown', code: 'not-a-file' },
    ],
    [
      'a guest that is gone',
      { cached: old, instead: { hash: { kind: 'gone', reason: 'the connection was lost' } } },
      { cached: old },
      { kind: 'unknown', code: 'gone' },
    ],
    [
      'a guest that hangs',
      {
        cached: old,
        instead: {
          hash: { kind: 'stuck', limit: '--timeout', limitMs: 1000, pid: 812, state: 'D', killed: false },
        },
      },
      { cached: old },
      { kind: 'unknown', code: 'stuck' },
    ],
  ])('%s', async (_, guest, host, verdict) => {
    expect((await compare(guest, host)).verdict).toMatchObject(verdict);
  });

  it('and a hang names the process and says that only a reboot ends it', async () => {
    const { verdict } = await compare(
      {
        cached: old,
        instead: {
          hash: { kind: 'stuck', limit: '--timeout', limitMs: 1000, pid: 812, state: 'D', killed: false },
        },
      },
      { cached: old },
    );
    expect(verdict.observed).toContain('812');
    expect(verdict.observed).toContain('only a reboot');
  });
});
