import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { reportFaults } from '../../src/report/validate.ts';
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
    expect((await namesIn(at('evidence'))).length).toBe(1);
    expect(await namesIn(local.directory)).toContain('r.xml');
    const html = await local.run(...run, '--report', `html=${at('r.html')}`);
    expect(html).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('is for one guest, and 2 are named'),
    });
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
});
