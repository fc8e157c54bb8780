import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openEvidence } from '../../src/run/evidence.ts';
import { isDead, ownerWord, thisOwner } from '../../src/run/owner.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
  vi.stubEnv('TMPDIR', dir);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true, force: true });
});

const here = thisOwner();
const noSuchPid = 2 ** 22 + 1;

it('an owner is dead when its process, of this boot and start, is no more', () => {
  const start = here.start as string;
  expect(isDead(ownerWord(here), here)).toBe(false);
  expect(isDead(ownerWord({ ...here, pid: noSuchPid }), here)).toBe(true);
  expect(isDead(ownerWord({ ...here, start: `${start}1` }), here)).toBe(true);
  expect(isDead(ownerWord({ ...here, boot: 'other' }), here)).toBe(true);
  expect(isDead(ownerWord({ ...here, machine: 'elsewhere', pid: noSuchPid }), here)).toBe(false);
  expect(isDead('what-ever', here)).toBe(false);
});

it('evidence that nobody asked for is removed at the end; what a killed run left is swept by the next', async () => {
  const dead = ownerWord({ ...here, pid: noSuchPid });
  const names = [
    `vfs-verify-run-${dead}-abc123`,
    `vfs-verify-run-${ownerWord(here)}-abc123`,
    'vfs-verify-run-mine',
    'else',
  ];
  for (const name of names) await mkdir(path.join(dir, name, 'below'), { recursive: true });
  await symlink(path.join(dir, 'else'), path.join(dir, `vfs-verify-run-${dead}-link00`));
  const evidence = await openEvidence(undefined);
  expect((await readdir(dir)).sort()).toEqual(
    [...names.slice(1), `vfs-verify-run-${dead}-link00`, path.basename(evidence.directory)].sort(),
  );
  await evidence.close();
  expect(await readdir(dir)).not.toContain(path.basename(evidence.directory));
});

it('evidence that is asked for is kept in a directory that is made for it', async () => {
  const named = path.join(dir, 'a', 'b', 'c');
  for (const _ of [1, 2]) await (await openEvidence(named)).close();
  expect(await readdir(path.join(dir, 'a', 'b'))).toEqual(['c']);
});

it('a place where nothing can be kept is told with what to do, and is no defect of ours', async () => {
  const file = path.join(dir, 'file');
  await writeFile(file, '');
  await expect(openEvidence(path.join(file, 'below'))).rejects.toMatchObject({
    ...{ code: 'not-writable', message: expect.stringContaining('ENOTDIR') },
    cure: expect.stringContaining('--bundle'),
  });
  await expect(openEvidence('/proc/none')).rejects.toMatchObject({ code: 'not-writable' });
  vi.stubEnv('TMPDIR', path.join(dir, 'none'));
  await expect(openEvidence(undefined)).rejects.toMatchObject({
    ...{ code: 'not-writable', message: expect.stringContaining('ENOENT') },
    cure: expect.stringContaining('TMPDIR'),
  });
});
