import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { localEndpoint } from '../../src/endpoint/local.ts';
import { runningWith } from './running.ts';

const local = localEndpoint();
afterAll(() => local.close());

test('a non-zero exit status is a result', async () => {
  expect(await local.exec(['sh', '-c', 'cat; echo oops >&2; exit 3'], { input: 'in\n' })).toEqual({
    status: 3,
    signal: undefined,
    stdout: 'in\n',
    stderr: 'oops\n',
    truncated: false,
  });
});

test('no shell reads the arguments', async () => {
  const weird = ['$(id)', "it's", 'a\nb', '', '-n', '*', '\\'];
  const { stdout } = await local.exec(['printf', '[%s]', ...weird]);
  expect(stdout).toBe(weird.map((word) => `[${word}]`).join(''));
});

test('a program that does not exist is named with its cure', async () => {
  await expect(local.exec(['no-such-program'])).rejects.toMatchObject({
    code: 'command-not-started',
    message: expect.stringContaining('not found'),
  });
  await expect(local.spawn(['/etc/passwd'])).rejects.toMatchObject({ code: 'command-not-started' });
  await expect(local.exec(['nul\0byte'])).rejects.toMatchObject({ code: 'command-not-started' });
});

test('output beyond the limit is dropped and the program still ends by itself', async () => {
  const result = await local.exec(['sh', '-c', 'head -c 3000000 /dev/zero; echo end >&2; exit 7'], {
    maxBytes: 1000,
  });
  expect(result.stdout).toHaveLength(1000);
  expect(result).toMatchObject({ status: 7, truncated: true, stderr: 'end\n' });
});

test('input that is never read does not matter', async () => {
  expect((await local.exec(['true'], { input: Buffer.alloc(4 << 20) })).status).toBe(0);
});

test('a limit that passes ends the whole process tree', async () => {
  const began = Date.now();
  const marker = `7${process.pid}.25`;
  await expect(
    local.exec(['sh', '-c', `sleep ${marker} & sleep ${marker}`], { timeoutMs: 200 }),
  ).rejects.toMatchObject({ code: 'command-timeout', message: expect.stringContaining('0.2 s') });
  expect(Date.now() - began).toBeLessThan(2000);
  await expect.poll(() => runningWith(marker), { timeout: 3000 }).toEqual([]);
});

test('something left running in the background does not hold the result back', async () => {
  const began = Date.now();
  expect((await local.exec(['sh', '-c', 'sleep 4 & echo x'])).stdout).toBe('x\n');
  expect(Date.now() - began).toBeLessThan(3000);
});

test('a spawned program keeps its output until somebody reads it', async () => {
  const program = await local.spawn(['sh', '-c', 'echo $GREETING; kill -9 $$'], {
    env: { GREETING: 'hello' },
  });
  await sleep(100);
  expect(await program.ended).toEqual({ signal: 'SIGKILL' });
  expect(Buffer.concat(await program.stdout.toArray()).toString()).toBe('hello\n');
});

test('kill ends a spawned program', async () => {
  const program = await local.spawn(['cat']);
  program.kill();
  expect(await program.ended).toEqual({ signal: 'SIGTERM' });
});
