import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import type { Operation } from '../../src/model/operation.ts';
import { stateOf, useSide } from './side.ts';

const side = useSide();
const open: Operation = { do: 'open', path: 'file', flags: ['rdwr'], as: 'f' };

beforeAll(() => {
  mkdirSync(join(side.root, 'below'));
  writeFileSync(join(side.root, 'file'), 'x'.repeat(8192));
  writeFileSync(join(side.root, 'large'), Buffer.alloc(3 * 1024 ** 2));
});

/** What an actor did and its worker's process, which has been released. */
async function released(actor: string, ...ops: Operation[]): Promise<{ pid: number; kinds: string[] }> {
  const pid = await side.workerOf(actor);
  const kinds = [];
  for (const op of ops) kinds.push((await side.request(actor, op)).kind);
  await side.session.release(actor);
  return { pid, kinds };
}

test('the worker of a released actor serves the next one, with nothing of the first', async () => {
  const { pid, kinds } = await released(
    'first',
    open,
    { do: 'lock', file: 'f', family: 'flock', mode: 'exclusive' },
    { do: 'lock', file: 'f', family: 'posix', mode: 'exclusive' },
    { do: 'map', file: 'f', as: 'm', offset: 0, length: 4096, protection: 'read-write', share: 'shared' },
    { do: 'load', map: 'm', offset: 0, length: 10 },
    { do: 'watch', paths: ['below'], as: 'w' },
    { do: 'hash', path: 'file', algorithm: 'md5' },
    { do: 'chdir', path: 'below' },
  );
  expect(new Set(kinds)).toEqual(new Set(['value']));
  // By the time of the answer, and not when the next one comes.
  expect(readdirSync(`/proc/${pid}/fd`).sort()).toEqual(['0', '1', '2', '3']);
  expect(readlinkSync(`/proc/${pid}/cwd`)).toBe('/');
  expect(readFileSync(`/proc/${pid}/maps`, 'utf8')).not.toContain(side.root);
  expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^Umask:\s+0000$/m);

  expect(await side.workerOf('second')).toBe(pid);
  for (const gone of [
    { do: 'fstat', file: 'f' },
    { do: 'msync', map: 'm', how: 'sync' },
    { do: 'unwatch', watch: 'w' },
  ] as const)
    expect(await side.request('second', gone)).toMatchObject({ kind: 'errno', errno: 'EBADF' });
  // From the request's root, not from where the first one had gone.
  expect(await side.request('second', open)).toMatchObject({ kind: 'value' });
  await side.session.release('second');
});

test.each(['flock', 'posix', 'ofd'] as const)('a lock (%s) of a released actor is gone', async (family) => {
  const lock: Operation = { do: 'lock', file: 'f', family, mode: 'exclusive' };
  await side.request('other', open);
  expect((await released('locker', open, lock)).kinds).toEqual(['value', 'value']);
  expect(await side.request('other', lock)).toMatchObject({ kind: 'value' });
  await side.session.release('other');
});

const beyond: Operation[] = [
  open,
  { do: 'map', file: 'f', as: 'm', offset: 0, length: 65536, protection: 'read', share: 'shared' },
  { do: 'load', map: 'm', offset: 61440, length: 1 },
];
const spent: [string, Operation[], string][] = [
  ['a fault in a mapping', beyond, 'signal'],
  ['a second thread', [{ do: 'hash', path: 'large', algorithm: 'md5' }], 'value'],
  ['an operation that is not known to be harmless', [{ do: 'borrow', path: 'file', as: 'b' }], 'errno'],
  [
    'the same within many',
    [{ do: 'many', list: [{ do: 'borrow', path: 'file', as: 'b' }], anyway: true }],
    'value',
  ],
];

test.each(spent)('a worker that has seen %s ends with its actor', async (_, ops, last) => {
  const { pid, kinds } = await released('spent', ...ops);
  expect(kinds.at(-1)).toBe(last);
  expect(stateOf(pid)).toBeUndefined();
});

test.runIf(process.getuid?.() === 0)('a worker that became somebody else ends with its actor', async () => {
  const { pid, kinds } = await released('nobody', { do: 'become', uid: 65534, gid: 65534 });
  expect(kinds).toEqual(['value']);
  expect(stateOf(pid)).toBeUndefined();
  expect(await side.request('after', { do: 'mkdir', path: 'by-root' })).toMatchObject({ kind: 'value' });
  await side.session.release('after');
});

test('a worker that does not let go in time is ended, and serves nobody', async () => {
  const pid = await side.workerOf('standing');
  process.kill(pid, 'SIGSTOP');
  await side.session.release('standing');
  expect(stateOf(pid)).toBeUndefined();
  expect(await side.workerOf('standing')).not.toBe(pid);
});

test('a worker that is killed while it is idle serves nobody', async () => {
  const { pid } = await released('idle');
  process.kill(pid, 'SIGKILL');
  for (let i = 0; i < 500 && stateOf(pid) !== undefined; i += 1) await sleep(10);
  expect(await side.workerOf('after')).not.toBe(pid);
});

test('at most 16 workers are idle', async () => {
  const actors = Array.from({ length: 20 }, (_, i) => `actor-${i}`);
  const pids = await Promise.all(actors.map(side.workerOf));
  expect(new Set(pids).size).toBe(20);
  await Promise.all(actors.map((actor) => side.session.release(actor)));
  expect(pids.filter((pid) => stateOf(pid) !== undefined).length).toBeLessThanOrEqual(16);
  expect(new Set(await Promise.all(actors.map(side.workerOf))).size).toBe(20);
});
