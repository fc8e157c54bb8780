import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withLock } from '../../src/lab/lock.ts';
import { makeOnce } from '../../src/lab/make-once.ts';
import { identify, processesMarked } from '../../src/lab/processes.ts';

let directory: string;
const options = { what: 'the thing', limitMs: 10_000, onProgress: () => {} };

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vfs-verify-once-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('of two makers at a time one makes and the other waits', async () => {
  const target = join(directory, 'thing');
  let made = 0;
  const make = () =>
    makeOnce(target, options, async (making) => {
      made += 1;
      await sleep(100);
      writeFileSync(join(making.directory, 'content'), 'whole');
      expect(existsSync(target)).toBe(false);
    });
  await Promise.all([make(), make()]);
  expect(made).toBe(1);
  expect(readFileSync(join(target, 'content'), 'utf8')).toBe('whole');
});

test('what fails leaves nothing, and can be made again', async () => {
  const target = join(directory, 'thing');
  const fail = makeOnce(target, options, async () => {
    throw new Error('no');
  });
  await expect(fail).rejects.toThrow('no');
  expect(readdirSync(directory)).toEqual(['thing.lock']);
  await makeOnce(target, options, async () => {});
  expect(existsSync(target)).toBe(true);
});

test('what a killed maker left is removed, and its programs are ended', async () => {
  const target = join(directory, 'thing');
  const abandoned = `${target}.fresh-0123456789ab`;
  mkdirSync(abandoned);
  const program = spawn('sleep', ['60'], { env: { ...process.env, VFS_VERIFY_MAKES: abandoned } });
  // A program that is only just being executed has no environment yet.
  await expect.poll(() => processesMarked(`VFS_VERIFY_MAKES=${abandoned}`)).toHaveLength(1);
  await makeOnce(target, options, async () => {});
  expect(existsSync(abandoned)).toBe(false);
  expect(identify(program.pid as number)).toBeUndefined();
});

test('a lock is released when its holder is killed, and not before', async () => {
  const file = join(directory, 'lock');
  const holder = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { createJiti } from ${JSON.stringify(import.meta.resolve('jiti'))};
       const { withLock } = await createJiti(import.meta.url).import(${JSON.stringify(
         join(import.meta.dirname, '../../src/lab/lock.ts'),
       )});
       await withLock(${JSON.stringify(file)}, { limitMs: 5000, what: 'x' }, async () => {
         console.log('held');
         await new Promise((resolve) => setTimeout(resolve, 60_000));
       });`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(holder.stdout, 'data');
  let waited = false;
  let got = false;
  const second = withLock(
    file,
    {
      limitMs: 10_000,
      what: 'x',
      onWait: () => {
        waited = true;
      },
    },
    async () => {
      got = true;
    },
  );
  await expect.poll(() => waited).toBe(true);
  expect(got).toBe(false);
  holder.kill('SIGKILL');
  await second;
  expect(got).toBe(true);
});

test('waiting for a lock has a limit', async () => {
  const file = join(directory, 'lock');
  await withLock(file, { limitMs: 1000, what: 'the thing' }, async () => {
    const second = withLock(file, { limitMs: 1000, what: 'the thing' }, async () => {});
    await expect(second).rejects.toMatchObject({ code: 'lock-timeout' });
  });
});
