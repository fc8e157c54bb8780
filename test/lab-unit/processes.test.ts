import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import {
  endProcesses,
  identify,
  isRunning,
  processesMarked,
  withDescendants,
} from '../../src/lab/processes.ts';
import { workerOf } from '../../src/lab/vm/worker.ts';

const mark = `VFS_VERIFY_LAB=test-${process.pid}`;
const env = { ...process.env, VFS_VERIFY_LAB: `test-${process.pid}` };

afterEach(async () => void (await endProcesses(() => processesMarked(mark), 5000)));

/** A shell with a child of its own, both asleep. */
async function family(): Promise<number> {
  const shell = spawn('sh', ['-c', 'sleep 60 & echo ready; wait'], {
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(shell.stdout, 'data');
  return shell.pid as number;
}

test('a process is known by its number and its start, and one that ended is not running', async () => {
  const pid = await family();
  const identity = identify(pid);
  expect(identity?.pid).toBe(pid);
  expect(isRunning({ pid, startTime: (identity?.startTime ?? 0) + 1 })).toBe(false);
  await endProcesses(() => withDescendants(identity === undefined ? [] : [identity]), 5000);
  expect(identify(pid)).toBeUndefined();
});

test('a mark is inherited: processes that others left behind are found by it', async () => {
  const pid = await family();
  expect(processesMarked(mark).map((each) => each.pid)).toContain(pid);
  expect(processesMarked(mark)).toHaveLength(2);
  process.kill(pid, 'SIGKILL'); // Its child now has another parent.
  await expect.poll(() => processesMarked(mark).length).toBe(1);
  expect(await endProcesses(() => processesMarked(mark), 5000)).toEqual([]);
  expect(processesMarked(mark)).toEqual([]);
});

test('descendants are found without a mark, and none of a process that is another by now', async () => {
  const pid = await family();
  const identity = identify(pid);
  if (identity === undefined) throw new Error('the process has ended');
  expect(withDescendants([identity])).toHaveLength(2);
  expect(withDescendants([{ pid, startTime: identity.startTime + 1 }])).toEqual([]);
});

test('a process that cannot be ended is returned when the limit has passed', async () => {
  const immortal = { pid: process.pid, startTime: -1 }; // Is not running, yet is found again and again.
  expect(await endProcesses(() => [immortal], 30)).toEqual([immortal]);
});

test('the worker of a daemon is the last in the line that holds its socket', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'vfs-verify-worker-'));
  const socket = join(directory, 's.sock');
  try {
    // A wrapper, and below it the program that listens.
    const program = `require('net').createServer().listen(${JSON.stringify(socket)}, () => console.log('up'))`;
    const wrapper = spawn('sh', ['-c', '"$@"; true', 'sh', process.execPath, '-e', program], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(wrapper.stdout, 'data');
    const started = identify(wrapper.pid as number);
    if (started === undefined) throw new Error('the wrapper has ended');
    const worker = workerOf(started, socket);
    expect(worker.pid).not.toBe(started.pid);
    expect(withDescendants([started]).map(({ pid }) => pid)).toContain(worker.pid);
    // Without such a socket anywhere: whoever is last.
    expect(workerOf(started, join(directory, 'other.sock')).pid).toBe(worker.pid);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('a server of our own is not taken for a daemon’s', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const pid = await family();
  const started = identify(pid);
  if (started === undefined) throw new Error('the process has ended');
  expect(workerOf(started, '/nowhere').pid).not.toBe(process.pid);
  server.close();
  await sleep(0);
});
