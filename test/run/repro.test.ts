import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Case, Setting, Step, ViewFacts } from '../../src/model/check.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { reproScript } from '../../src/run/repro/script.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "vfs-verify-test-it's $HOME-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const value = (given: unknown): Outcome => ({ kind: 'value', value: given });
const key = { seed: 7, fileId: 9, writer: 1, generation: 2 };

const steps: Step[] = [
  { id: 'open', actor: 'writer', op: { do: 'open', path: 'f', flags: ['creat', 'rdwr'], as: 'f' } },
  {
    id: 'fill',
    actor: 'writer',
    op: { do: 'fill', file: 'f', range: { offset: 100, length: 5000 }, ...key },
  },
  {
    id: 'map',
    actor: 'reader',
    op: {
      do: 'many',
      list: [
        { do: 'open', path: 'f', flags: ['rdonly'], as: 'r' },
        { do: 'map', file: 'r', as: 'm', offset: 0, length: 8192, protection: 'read', share: 'shared' },
        { do: 'load', map: 'm', offset: 4096, length: 64 },
      ],
    },
    after: [{ step: 'fill', has: 'ended' }],
  },
  { id: 'stat', actor: 'reader', op: { do: 'stat', path: 'f', sync: 'dont' } },
  { id: 'hash', actor: 'reader', op: { do: 'hash', path: 'f', algorithm: 'md5' } },
  { id: 'missing', actor: 'reader', op: { do: 'stat', path: '\udcff' }, mayFail: true },
];

/** What a local file system answers: from the file that was written, computed here. */
function script(outcomes: Record<string, Outcome>, more: Partial<Case> = {}, verdict: Partial<Verdict> = {}) {
  const facts: ViewFacts = { root: dir, pageSize: 4096, kernel: '6.12', rootUser: true, features: [] };
  const setting: Setting = {
    mode: undefined,
    views: { host: facts, guest: facts },
    versions: { virtiofsd: '1.2.3' },
    seed: 1,
    args: {},
  };
  const plan: Case = {
    name: 'a-case',
    scenarios: [],
    isolation: 'shared',
    needs: [],
    actors: { writer: 'host', reader: 'guest' },
    steps,
    ...more,
  };
  return reproScript({
    check: 'a-check',
    setting,
    record: { case: plan, steps: plan.steps, outcomes, bulk: {}, durationMs: 1 },
    verdict: { kind: 'fail', code: 'x', reason: 'it is wrong', observed: 'wrong', ...verdict },
  });
}

async function play(text: string): Promise<{ status: number | undefined; stdout: string }> {
  const { exitCode, stdout, stderr } = await execa('sh', {
    input: text,
    reject: false,
    env: { GUEST: 'sh -c' },
  });
  expect(stderr).toBe('');
  return { status: exitCode, stdout };
}

describe('a reproducer', () => {
  const sound = {
    fill: value({ bytes: 5000 }),
    missing: { kind: 'errno', errno: 'ENOENT', call: 'statx' },
  } satisfies Record<string, Outcome>;

  it('sees what was reported, and ends with 1', async () => {
    const { status, stdout } = await play(
      script({ ...sound, stat: value({ type: 'file', size: 5100, mode: 0o644, nlink: 1 }) }),
    );
    expect(stdout).toContain('reproduced: every answer is that of the report');
    expect(status).toBe(1);
    expect(await readdir(dir)).toEqual([]);
  });

  it('says what a local file system answers where it sees something else than the report, and ends with 0', async () => {
    const { status, stdout } = await play(
      script({ ...sound, hash: value({ bytes: 5100, digest: 'f'.repeat(32) }) }),
    );
    expect(stdout).toMatch(/hash\n {4}local file system .*"bytes": 5100.*\n {4}in the report .*ffff/);
    expect(stdout).toContain('not reproduced');
    expect(status).toBe(0);
  });

  it('is not broken out of by what a program or a name said', () => {
    const text = script(sound, {}, { reason: 'line\nrm -rf /', observed: "'''\nEND_OF_PYTHON\nrm -rf /" });
    const lines = text.split('\n');
    expect(lines.filter((line) => line.startsWith('rm'))).toEqual([]);
    expect(lines.filter((line) => line === 'END_OF_PYTHON')).toHaveLength(1);
  });

  it('is refused for what only vfs-verify can do, by name', () => {
    const only: Step[] = [{ id: 'x', actor: 'writer', op: { do: 'bench', verb: 'vm.kill' } }];
    expect(() => script({}, { steps: only })).toThrow('x (bench)');
  });
});
