import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, it } from 'vitest';

const tasks = ['setup', 'build', 'docs', 'demo', 'story', 'test', 'qa', 'bench', 'soak'];

function task(name: string, ...words: readonly string[]) {
  const file = fileURLToPath(new URL(`../../tasks/${name}.mjs`, import.meta.url));
  return execa(process.execPath, [file, ...words], { reject: false });
}

it.each(tasks)('%s --help prints its usage and does nothing else', { timeout: 30_000 }, async (name) => {
  const { exitCode, stdout, stderr } = await task(name, '--help');
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(new RegExp(`^npm (run )?${name}\\b`));
});

it('a wrong flag or value is one line, with the usage', { timeout: 60_000 }, async () => {
  const wrong = await task('soak', '--round', '3');
  expect([wrong.exitCode, wrong.stdout]).toEqual([1, '']);
  expect(wrong.stderr).toMatch(/^Unknown option '--round'\nnpm run soak -- /);
  const without = await task('bench', '--pairs', 'many');
  expect([without.exitCode, without.stderr]).toEqual([1, '--pairs many is no number above 0']);
});
