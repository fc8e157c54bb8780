import { lstat, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { replaceFile, requireWritable } from '../../src/cli/replace-file.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const at = (name: string) => path.join(directory, name);

describe('a report that is written', () => {
  it('takes the place of an earlier one in one step', async () => {
    await writeFile(at('report'), 'the earlier one');
    const { ino } = await stat(at('report'));
    await replaceFile(at('report'), 'this one');
    expect(await readFile(at('report'), 'utf8')).toBe('this one');
    expect((await stat(at('report'))).ino).not.toBe(ino);
    expect(await readdir(directory)).toEqual(['report']);
  });

  it('goes where a link leads, which stays a link', async () => {
    await writeFile(at('report'), 'the earlier one');
    await symlink('report', at('latest'));
    await replaceFile(at('latest'), 'this one');
    expect([await readlink(at('latest')), await readFile(at('report'), 'utf8')]).toEqual([
      'report',
      'this one',
    ]);
  });

  it('goes into a pipe', async () => {
    await execa('mkfifo', [at('pipe')]);
    const read = execa('cat', [at('pipe')]);
    await requireWritable(at('pipe'));
    await replaceFile(at('pipe'), 'this one');
    expect((await read).stdout).toBe('this one');
    expect((await lstat(at('pipe'))).isFIFO()).toBe(true);
  });

  it('may be a device, whoever may write beside it', async () => {
    await expect(requireWritable('/dev/null')).resolves.toBeUndefined();
  });

  it('is told where it cannot be written', async () => {
    const error = { code: 'report-not-written', message: expect.stringContaining('ENOENT') };
    await expect(requireWritable(at('none/report'))).rejects.toMatchObject(error);
    await expect(replaceFile(at('none/report'), '')).rejects.toMatchObject(error);
  });
});
