import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ground } from '../../src/model/ground.ts';
import { doctorFaults } from '../../src/report/validate.ts';
import { type LocalShare, localShare } from './program.ts';

// The built program on a share of this machine with itself; test/lab/discover.test.ts has real guests.

let local: LocalShare;
let sides: readonly string[];
beforeEach(async () => {
  local = await localShare();
  sides = ['--guest', 'local', '--map', `${local.share}=${local.share}`];
});
afterEach(() => rm(local.directory, { recursive: true, force: true }));

function factOf({ places }: Ground, where: string, about: string) {
  return places.find((each) => each.where === where)?.facts.find((each) => each.about === about);
}

describe('doctor', () => {
  it('answers for both sides and the share, and leaves nothing behind', async () => {
    const before = (await readdir(local.directory, { recursive: true })).sort();
    const ran = await local.run('doctor', ...sides, '--mode', 'never', '--json');
    expect(ran.status, ran.stderr).toBe(0);
    const ground = JSON.parse(ran.stdout) as Ground;
    expect(doctorFaults(ground)).toEqual([]);
    expect(ground.abilities[0]).toEqual({ command: 'md5', can: 'yes' });
    expect(factOf(ground, 'share', 'place')).toMatchObject({ state: 'ok' });
    expect(factOf(ground, 'share', 'mode')?.said).toBe('never (--mode)');
    expect(factOf(ground, 'share', 'daemon')?.state).toBe('limited');
    expect(factOf(ground, 'guest', 'clock')?.state).toBe('ok');
    expect((await readdir(local.directory, { recursive: true })).sort()).toEqual(before);
  });

  it('looks at the host although the guest is not reached, says why, and ends with 2', async () => {
    const nowhere = ['--guest', 'ssh://root@127.0.0.1:1', '--map', `/x=${local.share}`];
    const ran = await local.run('doctor', ...nowhere, '--json');
    expect(ran.status, ran.stderr).toBe(2);
    const ground = JSON.parse(ran.stdout) as Ground;
    expect(factOf(ground, 'host', 'reached')?.state).toBe('ok');
    expect(factOf(ground, 'guest', 'reached')).toMatchObject({
      state: 'missing',
      said: expect.stringContaining('127.0.0.1:1'),
      cure: expect.any(String),
    });
    expect((await local.run('doctor', ...nowhere)).stdout).toMatch(
      /^Nothing can be verified here: the guest/,
    );
  });

  it('sees a host directory that is not there', async () => {
    const absent = path.join(local.directory, 'absent');
    const ran = await local.run('doctor', '--guest', 'local', '--map', `${local.share}=${absent}`, '--json');
    expect(ran.status).toBe(2);
    expect(factOf(JSON.parse(ran.stdout) as Ground, 'share', 'place')?.state).toBe('missing');
  });
});

describe('--print-privileged', () => {
  it('says what would be done as root, and does nothing', async () => {
    const ran = await local.run(
      'reads',
      '/nowhere',
      ...sides,
      '--drop',
      'both',
      '--system-wide',
      '--print-privileged',
    );
    expect([ran.status, ran.stderr]).toEqual([0, '']);
    expect(ran.stdout).toContain('/proc/PID/io');
    expect(ran.stdout).toContain('drop_caches');
    const other = await local.run('md5', '/nowhere', '--print-privileged');
    expect([other.status, other.stdout.includes('drop_caches')]).toEqual([0, false]);
  });
});
