import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { builtProbe } from './side.ts';

let program = '';
let probe: ChildProcessWithoutNullStreams | undefined;
let lines: AsyncIterator<string>;

beforeAll(async () => {
  program = await builtProbe();
}, 120_000);
afterEach(() => void probe?.kill('SIGKILL'));

function start(args: readonly string[] = [], path = program): ChildProcessWithoutNullStreams {
  probe = spawn(path, ['serve', ...args]);
  probe.stdin.on('error', () => {});
  lines = createInterface({ input: probe.stdout })[Symbol.asyncIterator]();
  return probe;
}

const next = async (): Promise<Record<string, unknown>> => JSON.parse((await lines.next()).value);
const ended = (child: ChildProcessWithoutNullStreams) =>
  new Promise<number | null>((resolve) => child.once('exit', resolve));

test('a line that is no request ends the probe with a fatal line and status 2', async () => {
  const hostile = [
    'not json',
    '[]',
    '{"id":1} trailing',
    '{"id":-1,"do":"ping"}',
    '{"id":1.5,"do":"ping"}',
    '{"do":"ping"}',
    '{"id":1,"do":"ping",}',
    '{"id":01,"do":"ping"}',
    `{"id":1,"x":"${'\x01'}"}`,
    '{"id":1,"x":"\\ud800"}',
    '{"id":1,"x":"\\u12"}',
    `${'['.repeat(100_000)}`,
    `{"id":1,"x":[${'1,'.repeat(300_000)}1]}`,
  ];
  for (const line of [...hostile.map((each) => Buffer.from(each)), Buffer.from([0x22, 0xff, 0x22])]) {
    const child = start();
    await next();
    const status = ended(child);
    child.stdin.write(Buffer.concat([line, Buffer.from('\n')]));
    expect(await next()).toEqual({ fatal: expect.any(String) });
    expect(await status).toBe(2);
  }
});

test('a line longer than 2 MiB is fatal, one just below is not', async () => {
  const child = start();
  await next();
  child.stdin.write(`{"id":1,"do":"ping","x":"${'x'.repeat(2 * 1024 * 1024 - 100)}"}\n`);
  expect(await next()).toMatchObject({ id: 1, value: { nowNs: expect.any(Number) } });
  const status = ended(child);
  child.stdin.write('y'.repeat(2 * 1024 * 1024 + 10));
  expect(await next()).toEqual({ fatal: 'a request is longer than 2 MiB' });
  expect(await status).toBe(2);
});

test('random bytes and mutilated requests never crash it', async () => {
  const good = Buffer.from(
    '{"id":7,"actor":"a","root":"/","op":{"do":"stat","path":"\\udcff\\u00e9\\ud83d\\ude00","x":[1,-2.5e3,null]}}',
  );
  for (let round = 0; round < 30; round += 1) {
    const child = start();
    await next();
    const status = ended(child);
    for (let i = 0; i < 30; i += 1) {
      const line = Buffer.from(round % 3 === 0 ? randomBytes(1 + Math.floor(Math.random() * 300)) : good);
      for (let flips = round % 3; flips > 0; flips -= 1) {
        line[Math.floor(Math.random() * line.length)] = Math.floor(Math.random() * 256);
      }
      child.stdin.write(Buffer.concat([line, Buffer.from('\n')]));
    }
    child.stdin.end();
    child.stdout.resume();
    expect([0, 2]).toContain(await status);
  }
}, 60_000);

test('unknown verbs, unknown operations and too many actors are answered, not fatal', async () => {
  const child = start();
  await next();
  const ask = (request: object) => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    return next();
  };
  expect(await ask({ id: 1, do: 'dance' })).toMatchObject({ id: 1, error: expect.any(String) });
  expect(await ask({ id: 2, actor: 'a', op: { do: 'dance' } })).toEqual({
    id: 2,
    error: 'unknown operation dance',
  });
  expect(await ask({ id: 3, actor: 'a', op: { do: 'stat', path: 'relative' } })).toEqual({
    id: 3,
    error: 'a relative path needs an absolute root',
  });
  expect(await ask({ id: 4, do: 'inspect', actor: 'nobody' })).toEqual({ id: 4, value: { alive: false } });
  expect(await ask({ id: 5, do: 'abandon', actor: 'nobody' })).toEqual({ id: 5, value: { killed: false } });
  for (let i = 0; i < 191; i += 1) {
    expect(await ask({ id: 10 + i, actor: `b${i}`, op: { do: 'wait', ms: 0 } })).toHaveProperty('value');
  }
  expect(await ask({ id: 6, actor: 'one more', op: { do: 'wait', ms: 0 } })).toEqual({
    id: 6,
    error: 'more than 192 actors at once',
  });
});

test('a client that does not read costs no memory, and nothing is lost when it does', async () => {
  const child = start();
  const { pid } = (await next()).hello as { pid: number };
  child.stdout.pause();
  const requests = 600;
  for (let id = 1; id <= requests; id += 1) {
    const op = {
      do: 'many',
      list: [
        { do: 'open', path: program, flags: ['rdonly'], as: 'f' },
        { do: 'read', file: 'f', offset: 0, length: 100_000 },
        { do: 'close', file: 'f' },
      ],
    };
    child.stdin.write(`${JSON.stringify({ id, actor: `a${id % 4}`, root: '/', op })}\n`);
  }
  await sleep(700);
  const peak = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  expect(peak).toBeLessThan(24 * 1024);
  child.stdout.resume();
  const seen = new Set<unknown>();
  while (seen.size < requests) {
    const answer = await next();
    expect(answer).toHaveProperty('value');
    seen.add(answer.id);
  }
}, 60_000);

test('it ends by itself when its input ends, and after silence', async () => {
  const child = start();
  await next();
  const status = ended(child);
  child.stdin.end();
  expect(await status).toBe(0);
  const silent = start(['--silence', '1']);
  await next();
  const began = performance.now();
  expect(await ended(silent)).toBe(0);
  expect(performance.now() - began).toBeGreaterThan(700);
});

test('its own file and private directory are gone as soon as it runs', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'vfs-probe-own-'));
  const own = join(directory, 'vfs-probe');
  copyFileSync(program, own);
  try {
    start(['--unlink', own], own);
    await next();
    expect(existsSync(directory)).toBe(false);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
