import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explainedAt, judgeExplained } from '../../src/cli/judge-explained.ts';

// What `explain --bundle` kept of `dd if=/dev/zero of=/mnt/auto/f bs=64k count=16 conv=fsync` in a lab's guest.

const kept = path.join(import.meta.dirname, 'explained');
let scratch = '';

beforeAll(async () => {
  scratch = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

async function judged(directory: string) {
  const report = await explainedAt(directory);
  if (report === undefined) throw new Error('not a bundle of explain');
  const [result] = await judgeExplained(directory, report);
  return result?.verdict;
}

/** The bundle with something changed in one of its files. */
async function changed(file: string, from: string | RegExp, to: string): Promise<string> {
  const directory = await mkdtemp(path.join(scratch, 'changed-'));
  await cp(kept, directory, { recursive: true });
  const text = await readFile(path.join(directory, file), 'utf8');
  const other = text.replace(from, to);
  expect(other).not.toBe(text);
  await writeFile(path.join(directory, file), other);
  return directory;
}

describe('the evidence of a program that was explained', () => {
  it('makes the same account again, by this version’s ledger', async () => {
    expect(await judged(kept)).toMatchObject({
      kind: 'pass',
      evidence: { account: { syncs: { calls: 1 }, writes: { lines: [{ source: 'fuse/disk' }] } } },
    });
  });

  it('is a fail where its samples make another', async () => {
    const directory = await changed('samples.json', '"calls": 1,', '"calls": 2,');
    expect(await judged(directory)).toMatchObject({
      kind: 'fail',
      code: 'account-differs',
      reason: expect.stringContaining('syncs.calls'),
    });
  });

  it('is refused where it is not sound, and left to others where it is something else', async () => {
    const unsound = await changed('report.json', '"because"', '"becaus"');
    await expect(explainedAt(unsound)).rejects.toThrow('because');
    const without = await changed('samples.json', /^.*$/s, '');
    await expect(judged(without)).rejects.toThrow('the samples of the run are not there');
    expect(await explainedAt(scratch)).toBeUndefined();
  });
});
