import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { backendProgram } from '../../src/lab/vm/backend.ts';

// The lab's own backend as a program on this machine. What it does in a guest: test/lab/backend*.test.ts.

const run = (...words: string[]) => execa(backendProgram(), words, { reject: false });

test('the backend refuses an option that it does not have', async () => {
  const { exitCode, stderr } = await run('--socket-path=/nowhere', '--thread-pool-size=4');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('thread-pool-size');
});

test.each(['read-nonsense', 'write-drop=0', 'fsync-error=NOTHING', 'keep-cache=1'])(
  'the backend names no fault that it does not have: %s',
  async (fault) => {
    const { exitCode, stderr } = await run(`--fault=${fault}`);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`there is no fault "${fault}"`);
  },
);

test('the page of the backend lists its faults', async () => {
  const { stdout } = await run('--list-faults');
  const page = await readFile(new URL('../../src/lab/backend/README.md', import.meta.url), 'utf8');
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| `') && line.split('|').length === 5)
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const listed = stdout.split('\n').map((line) => {
    const [fault, unit, value, text] = line.split('\t');
    return ['', `\`${fault}\``, unit === '' ? '' : `${unit} (${value})`, text, ''];
  });
  expect(rows).toEqual(listed);
});
