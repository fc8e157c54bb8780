import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LocalShare, localShare, writeCheck } from './program.ts';

// The built program, with shares that flags name.

let local: LocalShare;
let two: readonly string[];
beforeEach(async () => {
  local = await localShare();
  const maps = [local.share, local.directory].flatMap((each) => ['--map', `${each}=${each}`]);
  two = ['--guest', 'local', ...maps, '--mode', 'never', '--checks', local.checks];
  await writeCheck(local.checks, 'trying', [{ name: 'one' }]);
});
afterEach(() => rm(local.directory, { recursive: true, force: true }));

describe('two shares in one mode', { timeout: 60_000 }, () => {
  it('are not checked as one: both are listed with the flag that picks each', async () => {
    const ran = await local.run('check', 'trying', ...two);
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain('several shares are in the mode never');
    expect(ran.stderr).toContain(`--share ${local.share} `);
    expect(ran.stderr).toContain(`--share ${local.directory} `);
  });

  it('are one where --share picks it', async () => {
    const ran = await local.run('check', 'trying', ...two, '--share', local.share);
    expect(ran.status, ran.stdout + ran.stderr).toBe(0);
    const other = await local.run('check', 'trying', ...two, '--share', '/nowhere');
    expect([other.status, other.stderr]).toEqual([2, expect.stringContaining('no share is mounted there')]);
  });
});
