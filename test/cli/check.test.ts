import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { reportFaults } from '../../src/report/validate.ts';
import { type LocalShare, localShare, namesIn, writeCheck } from './program.ts';

// The built program on a share of this machine with itself.

let local: LocalShare;
beforeEach(async () => {
  local = await localShare();
});
afterEach(() => rm(local.directory, { recursive: true, force: true }));

const at = (...names: string[]) => path.join(local.directory, ...names);
const check = (...args: string[]) => local.run('check', ...local.flags, ...args);

async function reportIn(file: string): Promise<Report> {
  const report = JSON.parse(await readFile(file, 'utf8')) as Report;
  expect(reportFaults(report)).toEqual([]);
  return report;
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let count = 0; count < 300 && !(await what()); count += 1) await sleep(50);
}

// Each test runs the program several times, beside other tests.
describe('a run of checks', { timeout: 60_000 }, () => {
  it('that is killed is continued: what was finished is not run again, and nothing is left behind', async () => {
    for (const name of ['quick-a', 'quick-b']) await writeCheck(local.checks, name, [{ name: 'one' }]);
    await writeCheck(local.checks, 'slow', [{ name: 'one', waitMs: 20_000 }]);
    const names = ['quick-a', 'quick-b', 'slow'];
    const done = () => namesIn(at('run')).then((found) => found.filter((each) => each.startsWith('quick')));
    const running = local.start('check', ...local.flags, ...names, '--bundle', at('run'), '--seed', '5');
    await until(async () => {
      const bundles = await Promise.all((await done()).map((each) => namesIn(at('run', each))));
      return bundles.filter((each) => each.includes('bundle.json')).length === 2;
    });
    running.kill('SIGKILL');
    await running;
    expect((await namesIn(local.share)).length).toBe(1);

    const before = await stat(at('run', 'quick-a.never', 'bundle.json'));
    await writeCheck(local.checks, 'slow', [{ name: 'one' }]);
    const again = await local.run(
      'check',
      ...local.flags,
      '--continue',
      at('run'),
      '--report',
      `json=${at('r.json')}`,
    );
    expect(again.status, again.stdout).toBe(0);
    const report = await reportIn(at('r.json'));
    expect(report.environment.seed).toBe(5);
    expect(report.results.map((each) => [each.check, each.verdict.kind])).toEqual(
      names.map((name) => [name, 'pass']),
    );
    expect((await stat(at('run', 'quick-a.never', 'bundle.json'))).mtimeMs).toBe(before.mtimeMs);
    expect(await namesIn(local.share)).toEqual([]);

    const other = await local.run('check', ...local.flags, '--continue', at('run'), '--seed', '6');
    expect(other).toMatchObject({ status: 2, stderr: expect.stringContaining('had 5') });
    const over = await check('quick-a', '--bundle', at('run'));
    expect(over).toMatchObject({ status: 2, stderr: expect.stringContaining('--continue') });
    // Four runs of the whole program: on a busy machine they take a while.
  }, 60_000);

  it('stops at the first fail where it is told to, and says what was not run', async () => {
    await writeCheck(local.checks, 'aa-fails', [
      { name: 'one', verdict: "{ kind: 'fail', code: 'broken', observed: 'x' }" },
    ]);
    await writeCheck(local.checks, 'slow', [{ name: 'one', waitMs: 30_000 }]);
    const ran = await check('aa-fails', 'slow', '--fail-fast', '--json');
    expect(ran.status).toBe(1);
    const report = JSON.parse(ran.stdout) as Report;
    expect(report.results.map(({ verdict }) => [verdict.kind, verdict.code])).toEqual([
      ['fail', 'broken'],
      ['unknown', 'not-run'],
    ]);
    expect(report.results[0]?.cases[0]?.rerun).toContain('check aa-fails/one --guest local');
  });

  it('ends judges that loop for ever, and goes on with the rest', async () => {
    await writeCheck(local.checks, 'loops', [
      { name: 'first' },
      { name: 'for-ever', verdict: '(() => { for (;;); })()' },
      { name: 'last' },
    ]);
    const { status, stdout } = await local.run(
      'check',
      ...local.flags,
      'loops',
      '--json',
      '--judge-limit',
      '1',
    );
    const report = JSON.parse(stdout) as Report;
    expect(status).toBe(2);
    expect(report.results[0]?.cases.map(({ verdict }) => verdict.kind)).toEqual(['pass', 'unknown', 'pass']);
    expect(report.results[0]?.cases[1]?.verdict.reason).toContain('no answer for 1 s');
  });

  it('in several rounds has a seed for each, and one result that counts them', async () => {
    const odd = "observed.setting.seed % 2 ? { kind: 'fail', code: 'broken' } : { kind: 'pass' }";
    await writeCheck(local.checks, 'odd', [{ name: 'one', verdict: odd }]);
    const ran = await check('odd', '--repeat', '4', '--seed', '10', '--report', `json=${at('r.json')}`);
    expect(ran.status, ran.stderr).toBe(1);
    const [result] = (await reportIn(at('r.json'))).results;
    const [one] = result?.cases ?? [];
    expect(one?.rounds).toEqual({ pass: 2, fail: 2, unknown: 0, skip: 0 });
    // The command has the seed of a round that failed.
    const seed = /--seed ([0-9a-f]+)$/.exec(one?.rerun ?? '')?.[1] as string;
    expect(Number.parseInt(seed, 16) % 2).toBe(1);
  });

  it('is compared with an earlier one, and only what is new ends in 1', async () => {
    const fail = "{ kind: 'fail', code: 'broken' }";
    await writeCheck(local.checks, 'fails', [{ name: 'old', verdict: fail }, { name: 'new' }]);
    expect((await check('fails', '--report', `json=${at('old.json')}`)).status).toBe(1);
    const same = await check('fails', '--baseline', at('old.json'));
    expect(same.status, same.stdout).toBe(0);
    await writeCheck(local.checks, 'fails', [{ name: 'old' }, { name: 'new', verdict: fail }]);
    const worse = await check('fails', '--baseline', at('old.json'), '--report', `json=${at('new.json')}`);
    expect(worse.status).toBe(1);
    expect((await reportIn(at('new.json'))).baseline?.changes.map((each) => [each.what, each.case])).toEqual([
      ['better', 'old'],
      ['worse', 'new'],
    ]);
  });

  it('with known findings still shows the fail, and ends in 0', async () => {
    await writeCheck(local.checks, 'fails', [{ name: 'one', verdict: "{ kind: 'fail', code: 'broken' }" }]);
    const finding = { id: 'f-1', title: 'it is known', check: 'fails', code: 'broken', modes: ['never'] };
    await writeFile(at('known.json'), JSON.stringify(finding));
    const ran = await check('fails', '--known', at('known.json'), '--json');
    expect(ran.status).toBe(0);
    const report = JSON.parse(ran.stdout) as Report;
    expect(report.verdict).toEqual({
      kind: 'pass',
      counts: { pass: 0, fail: 1, unknown: 0, skip: 0, known: 1 },
    });
    expect(report.results[0]?.cases[0]?.known?.id).toBe('f-1');
  });

  it('is judged again from its evidence, against findings, an earlier run, and into files', async () => {
    await writeCheck(local.checks, 'fails', [{ name: 'one', verdict: "{ kind: 'fail', code: 'broken' }" }]);
    const evidence = at('judged-again');
    const first = await check('fails', '--bundle', evidence, '--report', `json=${at('first.json')}`);
    expect(first.status).toBe(1);
    const judge = (...flags: string[]) => local.run('judge', evidence, '--checks', local.checks, ...flags);
    expect((await judge()).status).toBe(1);
    expect((await judge('--baseline', at('first.json'))).status).toBe(0);
    const finding = { id: 'f-1', title: 'it is known', check: 'fails', code: 'broken', modes: ['never'] };
    await writeFile(at('known.json'), JSON.stringify(finding));
    const files = ['--report', `json=${at('again.json')}`, '--report', `junit=${at('again.xml')}`];
    expect((await judge('--known', at('known.json'), ...files)).status).toBe(0);
    const again = await reportIn(at('again.json'));
    expect(again.results[0]?.cases[0]?.known?.id).toBe('f-1');
    expect(again.checks).toHaveProperty('fails.codes.broken');
    expect(await readFile(at('again.xml'), 'utf8')).toContain('<testsuite');
    expect(await judge('--known', '/no/such/file')).toMatchObject({ status: 2 });
  });

  it.each([
    [['--report', 'pdf=x'], 'names no format'],
    [['--report', 'json=/no/such/place/x'], 'cannot be written'],
    [['one-case/none'], 'has no case "none"'],
    [['--baseline', '/no/such/file'], 'cannot be read'],
    [['--known', '/no/such/file'], 'cannot be read'],
    [['--repeat', '0'], '--repeat'],
  ])('refuses %j in one line', async (args, words) => {
    await writeCheck(local.checks, 'one-case', [{ name: 'one' }]);
    const ran = await check(...args);
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain(words);
    expect(ran.stderr).not.toContain('    at ');
  });

  it('of a guest that is not reached is in the reports that were asked for too', async () => {
    await writeCheck(local.checks, 'passes', [{ name: 'one' }]);
    const nowhere = ['--guest', 'ssh://root@127.0.0.1:1', '--map', `/x=${local.share}`];
    const files = ['--report', `json=${at('r.json')}`, '--report', `junit=${at('r.xml')}`];
    const ran = await local.run('check', 'passes', ...nowhere, '--checks', local.checks, ...files);
    expect(ran).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('127.0.0.1:1') });
    const { results } = await reportIn(at('r.json'));
    expect(results.map(({ check: name, verdict }) => [name, verdict.kind])).toEqual([['passes', 'unknown']]);
    expect(await readFile(at('r.xml'), 'utf8')).toContain('<error');
  });

  it('writes reports in several formats at once', async () => {
    await writeCheck(local.checks, 'passes', [{ name: 'one' }]);
    const files = ['json', 'text', 'junit'].flatMap((each) => ['--report', `${each}=${at(`r.${each}`)}`]);
    expect((await check('passes', ...files)).status).toBe(0);
    expect((await reportIn(at('r.json'))).verdict.kind).toBe('pass');
    expect(await readFile(at('r.text'), 'utf8')).toContain('every promise was kept');
    expect(await readFile(at('r.junit'), 'utf8')).toContain('<testsuite');
  });
});
