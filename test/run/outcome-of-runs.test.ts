import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CaseResult, Report, Result } from '../../src/model/report.ts';
import { runVerdict, type Verdict } from '../../src/model/verdict.ts';
import { baselineOf, compareWith, exitStatusAgainst, loadBaseline } from '../../src/run/baseline.ts';
import { loadFindings, markKnown } from '../../src/run/known.ts';
import { makeReport } from '../../src/run/report.ts';
import { mergeRounds } from '../../src/run/rounds.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const one = (name: string, kind: Verdict['kind'], code?: string): CaseResult => ({
  name,
  verdict: { kind, reason: kind, ...(code === undefined ? {} : { code }) },
  durationMs: 1,
});
const result = (cases: readonly CaseResult[], mode = 'auto'): Result => ({
  check: 'locks',
  mode,
  verdict: (cases.find(({ verdict }) => verdict.kind === 'fail') ?? cases[0])?.verdict as Verdict,
  cases,
  durationMs: 1,
});
const environment = { startedAt: '2026-01-01T00:00:00Z', durationMs: 1, seed: 1, shares: [], versions: {} };
const report = (...results: Result[]): Report => makeReport('check', '0', environment, results);

describe('a comparison with an earlier run', () => {
  const compared = (before: CaseResult[], after: CaseResult[]) =>
    compareWith(report(result(before)), report(result(after)), 'old.json');

  it('says nothing of what is as it was, a fail included', () => {
    const same = compared(
      [one('a', 'fail', 'x'), one('b', 'pass')],
      [one('a', 'fail', 'x'), one('b', 'pass')],
    );
    expect(same).toMatchObject({ changes: [], unchanged: 2 });
    expect(exitStatusAgainst(same)).toBe(0);
  });

  it.each([
    ['a fail where there was none', one('a', 'pass'), one('a', 'fail', 'x'), 'worse', 1],
    ['a fail with another code', one('a', 'fail', 'y'), one('a', 'fail', 'x'), 'worse', 1],
    ['a fail where it was skipped', one('a', 'skip'), one('a', 'fail', 'x'), 'worse', 1],
    ['what can no longer be told', one('a', 'pass'), one('a', 'unknown'), 'worse', 2],
    ['a fail that is gone', one('a', 'fail', 'x'), one('a', 'pass'), 'better', 0],
    ['a skip that became a pass', one('a', 'skip'), one('a', 'pass'), 'other', 0],
  ] as const)('tells of %s', (_, before, after, what, status) => {
    const told = compared([before], [after]);
    expect(told.changes).toMatchObject([{ what, check: 'locks', mode: 'auto', case: 'a' }]);
    expect(exitStatusAgainst(told)).toBe(status);
  });

  it('tells of cases that only one of the runs has; a new one that fails is new', () => {
    const told = compared([one('gone', 'fail', 'x')], [one('new', 'fail', 'x')]);
    expect(told.changes.map(({ what, case: name }) => [what, name])).toEqual([
      ['gone', 'gone'],
      ['new', 'new'],
    ]);
    expect(exitStatusAgainst(told)).toBe(1);
  });

  it('refuses a file that is no report of check', async () => {
    const file = path.join(dir, 'no.json');
    await writeFile(file, '{"schema":"else"}');
    await expect(loadBaseline(file)).rejects.toMatchObject({ code: 'bad-baseline' });
  });
});

describe('an earlier run of several guests', () => {
  const of = (guest: string, ...cases: CaseResult[]): Result => ({ ...result(cases), guest });
  const row = (guest: string) => ({ guest, verdict: runVerdict(['pass']), durationMs: 1 });
  const fleet = {
    ...report(of('web', one('a', 'pass')), of('db', one('a', 'fail', 'x'))),
    guests: [row('web'), row('db')],
  };
  const changes = (old: Report, now: Result[]) =>
    compareWith(old, report(...now), 'old.json').changes.map((each) => [each.what, each.guest, each.case]);

  it('is held against each guest of its own, and says who is new and who is gone', () => {
    const now = [of('db', one('a', 'pass')), of('mail', one('a', 'pass'))];
    expect(changes(baselineOf(fleet, ['db', 'mail']), now)).toEqual([
      ['gone', 'web', 'a'],
      ['better', 'db', 'a'],
      ['new', 'mail', 'a'],
    ]);
  });

  it('is held against one guest alone by its name, and refused where that was none of them', () => {
    expect(changes(baselineOf(fleet, 'db'), [result([one('a', 'fail', 'x')])])).toEqual([]);
    for (const stranger of ['mail', undefined])
      expect(() => baselineOf(fleet, stranger)).toThrow(expect.objectContaining({ code: 'bad-baseline' }));
  });

  it('may have been of one guest, which is then held against each', () => {
    const old = baselineOf(report(result([one('a', 'pass')])), ['web', 'db']);
    expect(changes(old, [of('web', one('a', 'pass')), of('db', one('a', 'fail', 'x'))])).toEqual([
      ['worse', 'db', 'a'],
    ]);
  });
});

describe('a known finding', () => {
  const finding = {
    id: 'stale-locks',
    title: 'locks are stale',
    check: 'locks',
    case: ['a', 'c'],
    code: 'x',
    modes: ['auto'],
    versions: { virtiofsd: { from: '1.10', before: '1.14' } },
  };
  const versions = { virtiofsd: '1.13.2' };

  it('is read from the files of a folder, and one that lacks its code is refused', async () => {
    const folder = path.join(dir, 'findings');
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, 'one.json'), JSON.stringify(finding));
    await writeFile(path.join(folder, 'two.json'), JSON.stringify([finding, finding]));
    expect(await loadFindings(folder)).toHaveLength(3);
    await writeFile(path.join(folder, 'three.json'), JSON.stringify({ ...finding, code: undefined }));
    await expect(loadFindings(folder)).rejects.toMatchObject({ code: 'bad-findings' });
  });

  it('is marked where check, case, code, mode and version are its own, and the run then passes', () => {
    const told = markKnown(result([one('a', 'fail', 'x'), one('b', 'pass')]), [finding], versions);
    expect(told.cases[0]?.known).toEqual({ id: 'stale-locks', title: 'locks are stale' });
    expect(report(told).verdict).toEqual({
      kind: 'pass',
      counts: { pass: 0, fail: 1, unknown: 0, skip: 0, known: 1 },
    });
  });

  it.each([
    ['another code', result([one('a', 'fail', 'y')]), versions],
    ['another case', result([one('b', 'fail', 'x')]), versions],
    ['another mode', result([one('a', 'fail', 'x')], 'never'), versions],
    ['a later version', result([one('a', 'fail', 'x')]), { virtiofsd: '1.14.0' }],
    ['a version that is not known', result([one('a', 'fail', 'x')]), {}],
  ])('is not found in %s', (_, given, here) => {
    const told = markKnown(given, [finding], here);
    expect(told.cases[0]?.known).toBeUndefined();
    expect(report(told).verdict.kind).toBe('fail');
  });

  it('hides neither another fail nor an unknown beside it', () => {
    const kinds = (['fail', 'unknown'] as const).map((kind) => {
      const told = markKnown(result([one('a', 'fail', 'x'), one('b', kind, 'z')]), [finding], versions);
      return report(told).verdict.kind;
    });
    expect(kinds).toEqual(['fail', 'unknown']);
  });
});

describe('rounds', () => {
  it('are put together case by case, with the worst verdict and how they ended', () => {
    const rounds = [
      [result([one('a', 'pass'), one('b', 'pass')])],
      [result([one('a', 'fail', 'x'), one('b', 'pass')])],
      [result([one('a', 'pass'), one('b', 'unknown')])],
    ];
    const [merged] = mergeRounds(rounds);
    expect(merged?.verdict.kind).toBe('fail');
    expect(merged?.cases.map(({ verdict, rounds: counts }) => [verdict.kind, counts])).toEqual([
      ['fail', { pass: 2, fail: 1, unknown: 0, skip: 0 }],
      ['unknown', { pass: 2, fail: 0, unknown: 1, skip: 0 }],
    ]);
  });
});
