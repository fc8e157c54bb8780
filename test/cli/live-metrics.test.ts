import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withMetrics } from '../../src/cli/live-metrics.ts';
import { drawsBlocks } from '../../src/cli/print.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const run = { attended: { status: 7 } };

it('metrics are there before a program runs, follow it, and say how it ended', async () => {
  const file = path.join(directory, 'run.prom');
  const text = () => readFile(file, 'utf8');
  await withMetrics(file, { program: '/usr/bin/fio' }, async (see) => {
    expect(await text()).toContain('vfs_verify_explain_running{program="fio"} 1\n');
    see({ askedReads: 41 });
    see({ askedReads: 42, hostDirtyBytes: 0 });
    await expect.poll(text, { timeout: 30_000 }).toContain('asked_reads_total{program="fio"} 42\n');
    expect(await text()).toMatch(/# EOF\n$/);
    see({ askedReads: 43 });
    return run;
  });
  expect(await text()).toContain('asked_reads_total{program="fio"} 43\n');
  expect(await text()).toContain('vfs_verify_explain_exit_status{program="fio"} 7\n');
  // Nothing half written is left.
  expect(await readdir(directory)).toEqual(['run.prom']);
});

it('metrics of a run that is given up say that it runs no more', async () => {
  const file = path.join(directory, 'failed.prom');
  const failing = withMetrics(file, { program: 'fio', state: 'cold' }, () =>
    Promise.reject(new Error('gone')),
  );
  await expect(failing).rejects.toThrow('gone');
  expect(await readFile(file, 'utf8')).toContain('running{program="fio",state="cold"} 0\n');
});

it('metrics that cannot be written are told before anything runs', async () => {
  let ran = false;
  const watched = withMetrics(path.join(directory, 'no', 'such.prom'), { program: 'fio' }, async () => {
    ran = true;
    return run;
  });
  await expect(watched).rejects.toMatchObject({ code: 'report-not-written' });
  expect(ran).toBe(false);
});

it('blocks are drawn unless the locale says that the terminal has none', () => {
  expect(drawsBlocks({})).toBe(true);
  expect(drawsBlocks({ LANG: 'de_DE.UTF-8' })).toBe(true);
  expect(drawsBlocks({ LANG: 'C.utf8' })).toBe(true);
  expect(drawsBlocks({ LANG: 'de_DE.UTF-8', LC_ALL: 'C' })).toBe(false);
  expect(drawsBlocks({ LC_ALL: '', LC_CTYPE: 'POSIX' })).toBe(false);
});
