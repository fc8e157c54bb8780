import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Check, Setting } from '../../src/model/check.ts';
import { loadBundle } from '../../src/run/bundle.ts';
import { runCell } from '../../src/run/cell.ts';
import { judgeBundle } from '../../src/run/judge.ts';
import { loadChecks } from '../../src/run/load-checks.ts';
import { scriptedBench, scriptedSession } from './sessions.ts';

let dir = '';
let checks: ReadonlyMap<string, Check>;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
  const loaded = await loadChecks(fileURLToPath(new URL('../selftest', import.meta.url)));
  checks = new Map(loaded.map(({ check }) => [check.name, check]));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** A side that waits as it is told and, as the probe does, gives up at the limit. */
const side = () =>
  scriptedSession(({ op, options }) => {
    if (op.do === 'wait' && op.ms > options.limitMs) {
      return { kind: 'stuck', limit: options.limitName, limitMs: options.limitMs, killed: true };
    }
    return { kind: 'value', value: {} };
  });

function run(name: string, args = {}) {
  const check = checks.get(name);
  if (check === undefined) throw new Error(`no check ${name}`);
  return runCell(check, scriptedBench(side(), side()), {
    bundleDir: path.join(dir, name),
    seed: 1,
    args,
    judgeLimitMs: 200,
  });
}

describe('a check made to', () => {
  it('pass, passes', async () => {
    expect((await run('passes')).verdict.kind).toBe('pass');
  });

  it('fail, fails with its code; with a code that it does not list it is unknown', async () => {
    const { cases, verdict } = await run('fails');
    expect(cases.map((each) => [each.name, each.verdict.kind, each.verdict.code])).toEqual([
      ['listed', 'fail', 'broken'],
      ['not-listed', 'unknown', 'crashed'],
    ]);
    expect(verdict.kind).toBe('fail');
  });

  it('skip, is skipped, and the need is named', async () => {
    const { verdict } = await run('skips');
    expect(verdict).toMatchObject({ kind: 'skip', reason: 'needs a second guest on this share' });
  });

  it('hang, is unknown: a step by its limit, a judge by its own', async () => {
    const { cases } = await run('hangs');
    expect(cases.map(({ verdict }) => [verdict.kind, verdict.code])).toEqual([
      ['unknown', 'stuck'],
      ['unknown', 'crashed'],
    ]);
  });

  it('pass, is unknown where its evidence was recorded with steps of another plan', async () => {
    await run('passes');
    const check = checks.get('passes');
    if (check === undefined) throw new Error('no such check');
    const cases = check.cases({} as Setting).map((each) => ({ ...each, steps: [] }));
    const directory = path.join(dir, 'passes');
    const { verdict } = await judgeBundle(directory, await loadBundle(directory), {
      ...check,
      cases: () => cases,
    });
    expect(verdict).toMatchObject({ kind: 'unknown', code: 'planned-otherwise' });
  });

  it.each(['cases', 'plan', 'next', 'judge'])('crash in its %s, is unknown and says so', async (where) => {
    const { verdict } = await run('crashes', { where });
    expect(verdict).toMatchObject({ kind: 'unknown', code: 'crashed' });
    expect(verdict.reason).toContain(where === 'plan' ? 'waits for itself' : `thrown in ${where}`);
  });
});
