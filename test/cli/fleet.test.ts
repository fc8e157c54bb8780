import { existsSync, statSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseHTML } from 'linkedom';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GroundOfMany } from '../../src/model/ground.ts';
import type { Report } from '../../src/model/report.ts';
import { doctorFaults, reportFaults } from '../../src/report/validate.ts';
import { type LocalShare, localShare, namesIn, writeCheck } from './program.ts';

// Guests are shells of this machine, each reached by a command of its own.

let local: LocalShare;
beforeEach(async () => {
  local = await localShare();
});
afterEach(() => rm(local.directory, { recursive: true, force: true }));

const at = (...names: string[]) => path.join(local.directory, ...names);
const map = () => ['--map', `${local.share}=${local.share}`];

/** A guest that is well, one that takes its time, and five ways of being dead. */
const well = (name: string) => `exec:sh -c 'exec "$@"' ${name}`;
const slow = (name: string) => `exec:sh -c 'sleep 2; exec "$@"' ${name}`;
const silent = `exec:sh -c 'exec sleep 300' silent`;
const dead = [
  silent,
  `exec:sh -c 'exit 1' gone`,
  `exec:sh -c 'echo "no such container" >&2; exit 1' removed`,
  `exec:sh -c 'echo "sudo: a terminal is required to read the password" >&2; exit 1' asks`,
  'exec:no-such-command',
];

function several<T>(count: number, make: (name: string) => T, name: string): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(`${name}-${index}`));
}

function parsed(stdout: string): Report {
  const report = JSON.parse(stdout) as Report;
  expect(reportFaults(report)).toEqual([]);
  return report;
}

describe('fifty guests', () => {
  it('of which five are dead and five slow are all told of, and nobody waits for those', async () => {
    const guests = [...dead, ...several(5, slow, 'slow'), ...several(40, well, 'well')];
    await writeFile(at('guests'), `# a list\n\n${guests.join('\n')}\n`);
    await writeFile(path.join(local.share, 'f'), 'the same on both sides');
    const file = path.join(local.share, 'f');
    const { status, stdout, stderr } = await local.run(
      'md5',
      file,
      ...['--guests', at('guests'), '--jobs', '4', ...map(), '--json'],
    );
    expect(status, stderr).toBe(2);
    const { guests: rows = [], results, verdict } = parsed(stdout);
    expect(rows.map(({ guest }) => guest)).toEqual(guests);
    expect(rows.map((row) => row.verdict.kind)).toEqual(
      guests.map((each) => (dead.includes(each) ? 'unknown' : 'pass')),
    );
    expect(rows.flatMap(({ trouble }) => trouble?.code ?? [])).toEqual([
      'unreachable',
      'unreachable',
      'unreachable',
      'auth',
      'unreachable',
    ]);
    expect(verdict).toMatchObject({ kind: 'unknown', counts: { pass: 45, unknown: 5 } });
    expect(results.map((each) => each.guest)).toEqual(guests);
    // The silent one was asked first, and took the longest that a guest may before it is given up.
    const others = rows.filter(({ guest }) => guest !== silent).map(({ durationMs }) => durationMs);
    expect(rows[0]?.durationMs).toBeGreaterThan(Math.min(...others));
  }, 240_000);
});

describe('several guests', () => {
  it('are a table for a person, what is not well first, and the end of each is told as it comes', async () => {
    await writeFile(path.join(local.share, 'f'), 'bytes');
    const guests = [well('one'), dead[2] ?? '', well('two')].flatMap((each) => ['--guest', each]);
    const { status, stdout, stderr } = await local.run(
      'md5',
      path.join(local.share, 'f'),
      ...guests,
      ...map(),
    );
    expect(status).toBe(2);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^1 UNKNOWN, 2 same of 3 guests in /);
    expect(
      lines
        .slice(2)
        .filter((line) => /^ {2}\w/.test(line))
        .map((line) => line.trim().split(' ')[0]),
    ).toEqual(['UNKNOWN', 'same', 'same']);
    expect(stdout).toContain('the command ended with status 1 before a shell answered');
    expect(stderr).toContain('3 of 3: ');
  }, 60_000);

  it('run checks, each with evidence of its own, and one that breaks a promise decides', async () => {
    await writeCheck(local.checks, 'told', [
      { name: 'one', verdict: "{ kind: 'fail', code: 'broken', observed: 'x' }" },
    ]);
    const guests = [well('one'), dead[1] ?? ''].flatMap((each) => ['--guest', each]);
    const run = ['check', 'told', ...guests, ...map(), '--checks', local.checks];
    const { status, stdout } = await local.run(
      ...run,
      '--bundle',
      at('evidence'),
      '--report',
      `junit=${at('r.xml')}`,
      '--json',
    );
    expect(status).toBe(1);
    expect(parsed(stdout).results.map(({ guest, verdict }) => [guest, verdict.kind])).toEqual([
      [well('one'), 'fail'],
      [dead[1], 'unknown'],
    ]);
    // What all were asked, and a directory for each that was reached.
    expect(await namesIn(at('evidence'))).toEqual([encodeURIComponent(well('one')), 'run.json']);
    expect(await namesIn(local.directory)).toContain('r.xml');
    const via = await local.run(...run, '--via', 'remount');
    expect(via).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--via is for one guest, and 2 are named'),
    });
  }, 60_000);

  it('are one page, with a row for each that leads to its matrix, and a JUnit suite for each', async () => {
    await writeCheck(local.checks, 'told', [{ name: 'one' }]);
    const names = [well('one'), dead[1] ?? '', well('two')];
    const ran = await local.run(
      ...['check', 'told', ...names.flatMap((each) => ['--guest', each]), ...map()],
      ...['--checks', local.checks, '--report', `html=${at('r.html')}`, '--report', `junit=${at('r.xml')}`],
    );
    expect(ran.status, ran.stderr).toBe(2);
    const { document } = parseHTML(await readFile(at('r.html'), 'utf8'));
    const links = [...document.querySelectorAll('#guests tbody th a')];
    expect(links.map((link) => link.textContent)).toEqual([names[1], names[0], names[2]]);
    const matrices = links.map((link) =>
      document
        .getElementById((link.getAttribute('href') ?? '').slice(1))
        ?.querySelectorAll('.matrix .cell.pass'),
    );
    expect(matrices.map((cells) => cells?.length)).toEqual([0, 1, 1]);
    const xml = await readFile(at('r.xml'), 'utf8');
    const suites = xml.match(/<testsuite [^>]*/g) ?? [];
    expect(suites.map((suite) => /tests="1" failures="0" errors="(\d)"/.exec(suite)?.[1])).toEqual([
      '0',
      '1',
      '0',
    ]);
  }, 60_000);

  it('have a limit each, after which nobody waits for them', async () => {
    const guests = [silent, dead[1] ?? ''].flatMap((each) => ['--guest', each]);
    const { status, stdout } = await local.run(
      'md5',
      '/f',
      ...guests,
      ...map(),
      '--guest-limit',
      '1',
      '--json',
    );
    expect(status).toBe(2);
    expect(parsed(stdout).guests?.[0]?.trouble).toMatchObject({
      code: 'guest-limit',
      reason: expect.stringContaining('--guest-limit'),
    });
  }, 60_000);

  it('are compared with an earlier run, each with itself, and only what is new ends in 1', async () => {
    const verdict = "{ kind: 'fail', code: 'broken', observed: 'x' }";
    await writeCheck(local.checks, 'told', [{ name: 'one', verdict }, { name: 'two' }]);
    const names = [well('one'), dead[1] ?? ''];
    const check = (...more: readonly string[]) =>
      local.run(
        ...['check', 'told', ...names.flatMap((each) => ['--guest', each]), ...map()],
        ...['--checks', local.checks, ...more],
      );
    expect((await check('--report', `json=${at('fleet.json')}`)).status).toBe(1);
    const same = await check('--baseline', at('fleet.json'));
    expect(same, 'what was dead before is no news').toMatchObject({
      status: 0,
      stdout: expect.stringContaining('nothing changed since the earlier run'),
    });
    await writeCheck(local.checks, 'told', [{ name: 'one' }, { name: 'two', verdict }]);
    const worse = await check('--baseline', at('fleet.json'), '--json');
    expect(worse.status).toBe(1);
    const { changes = [] } = parsed(worse.stdout).baseline ?? {};
    expect(changes.map((each) => [each.what, each.guest, each.case])).toEqual([
      ['better', names[0], 'one'],
      ['worse', names[0], 'two'],
    ]);
  }, 120_000);

  it('that are killed go on: what a guest had finished is not run again', async () => {
    await writeCheck(local.checks, 'quick', [{ name: 'one' }]);
    await writeCheck(local.checks, 'slow', [{ name: 'one', waitMs: 120_000 }]);
    const [one, two, gone] = [well('one'), well('two'), dead[1] ?? ''];
    const named = [one, two, gone].flatMap((each) => ['--guest', each]);
    const asked = [...named, ...map(), '--mode', 'never'];
    const done = (guest: string) => at('run', encodeURIComponent(guest), 'quick.never', 'bundle.json');
    const running = local.start(
      ...['check', 'quick', 'slow', ...asked, '--checks', local.checks],
      ...['--bundle', at('run'), '--seed', '5'],
    );
    await expect
      .poll(() => [one, two].every((each) => existsSync(done(each))), { timeout: 60_000 })
      .toBe(true);
    running.kill('SIGKILL');
    await running;
    const before = statSync(done(one)).mtimeMs;

    await writeCheck(local.checks, 'slow', [{ name: 'one' }]);
    const again = await local.run('check', ...asked, '--continue', at('run'), '--json');
    expect(again.status, again.stderr).toBe(2);
    const { environment, results, guests = [] } = parsed(again.stdout);
    expect(environment.seed).toBe(5);
    expect(guests.map(({ verdict }) => verdict.kind)).toEqual(['pass', 'pass', 'unknown']);
    expect(results.map(({ check }) => check)).toEqual(['quick', 'slow', 'quick', 'slow', 'quick', 'slow']);
    expect(statSync(done(one)).mtimeMs).toBe(before);
    expect(await namesIn(local.share)).toEqual([]);

    const alone = await local.run('check', '--guest', one, ...map(), '--continue', at('run'));
    expect(alone).toMatchObject({ status: 2, stderr: expect.stringContaining('is of 3 guests') });
    const over = await local.run(
      ...['check', 'quick', ...asked, '--checks', local.checks, '--bundle', at('run')],
    );
    expect(over).toMatchObject({ status: 2, stderr: expect.stringContaining('--continue') });
    const judged = await local.run('judge', at('run'), '--checks', local.checks, '--json');
    expect(judged.status, judged.stderr).toBe(2);
    expect(parsed(judged.stdout).guests?.map(({ guest, verdict }) => [guest, verdict.kind])).toEqual([
      [one, 'pass'],
      [two, 'pass'],
      [gone, 'unknown'],
    ]);
  }, 180_000);
});

describe('doctor', () => {
  it('has a row for each guest of several, dead ones too', async () => {
    const names = [dead[1] ?? '', well('one'), dead[3] ?? ''];
    await writeFile(at('guests'), names.join('\n'));
    const doctor = (...more: readonly string[]) =>
      local.run('doctor', '--guests', at('guests'), ...map(), '--mode', 'never', ...more);
    const [text, json] = await Promise.all([doctor(), doctor('--json')]);
    expect([text.status, json.status]).toEqual([2, 2]);
    expect(text.stdout).toMatch(
      /^Of 3 guests: in 1 (everything|something).*, in 2 nothing can be verified\./,
    );
    expect(text.stdout).toMatch(/no +exec:sh -c 'echo .* asks\n.*password/s);
    const all = JSON.parse(json.stdout) as GroundOfMany;
    expect(doctorFaults(all)).toEqual([]);
    expect(all.guests.map(({ guest }) => guest)).toEqual(names);
    expect(all.guests.map(({ abilities }) => abilities[0]?.can)).toEqual(['no', 'yes', 'no']);
  }, 60_000);
});
