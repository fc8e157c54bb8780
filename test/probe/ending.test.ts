import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { localEndpoint } from '../../src/endpoint/local.ts';
import { startProbe } from '../../src/probe/install.ts';
import type { ProbeSession } from '../../src/probe/session.ts';
import { builtProbe } from './side.ts';

const request = { root: '/', limitMs: 20_000, limitName: 'test' };
let session: ProbeSession | undefined;

beforeAll(async () => void (await builtProbe()), 120_000);
afterEach(async () => void (await session?.close()));

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function workersOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? [] : children.split(' ').map(Number);
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 100 && !condition(); i += 1) await sleep(20);
  expect(condition()).toBe(true);
}

test('close ends the probe and its workers, idle ones too, answers what is pending, and may be called twice', async () => {
  session = await startProbe(localEndpoint());
  const { pid } = session.hello;
  const pending = session.request('a', { do: 'wait', ms: 10_000 }, request);
  // Its worker waits for another actor.
  await session.request('b', { do: 'wait', ms: 0 }, request);
  await session.release('b');
  const workers = workersOf(pid);
  expect(workers).toHaveLength(2);
  const began = performance.now();
  expect(await session.close()).toEqual({ leftBehind: [] });
  expect(performance.now() - began).toBeLessThan(1000);
  expect(await pending).toEqual({ kind: 'gone', reason: 'the session was closed' });
  expect(await session.close()).toEqual({ leftBehind: [] });
  expect(await session.request('a', { do: 'wait', ms: 0 }, request)).toMatchObject({ kind: 'gone' });
  expect([pid, ...workers].filter(isAlive)).toEqual([]);
});

test('a probe that is killed makes everything pending gone, with the reason', async () => {
  session = await startProbe(localEndpoint());
  const { pid } = session.hello;
  const pending = session.request('a', { do: 'wait', ms: 10_000 }, request);
  await sleep(50);
  const workers = workersOf(pid);
  process.kill(pid, 'SIGKILL');
  expect(await pending).toEqual({
    kind: 'gone',
    reason: 'the probe on this machine is gone: it was ended by SIGKILL',
  });
  await until(() => !workers.some(isAlive));
  await expect(session.clock()).rejects.toMatchObject({ code: 'side-gone' });
});

test('a probe that does not answer any more is gone after a while of silence', async () => {
  session = await startProbe(localEndpoint(), {
    limits: { heartbeatMs: 100, silenceMs: 500, controlMs: 200 },
  });
  const { pid } = session.hello;
  process.kill(pid, 'SIGSTOP');
  try {
    expect(await session.request('a', { do: 'wait', ms: 0 }, request)).toEqual({
      kind: 'gone',
      reason: 'no answer from this machine',
    });
  } finally {
    process.kill(pid, 'SIGCONT');
  }
});

test('a limit that passes on a probe that does not answer means gone, not stuck', async () => {
  session = await startProbe(localEndpoint(), { limits: { controlMs: 200 } });
  const { pid } = session.hello;
  process.kill(pid, 'SIGSTOP');
  try {
    const outcome = await session.request('a', { do: 'wait', ms: 0 }, { ...request, limitMs: 200 });
    expect(outcome).toEqual({ kind: 'gone', reason: 'no answer from this machine' });
  } finally {
    process.kill(pid, 'SIGCONT');
  }
});

test('the clock is bracketed by our own', async () => {
  session = await startProbe(localEndpoint());
  const first = await session.clock();
  const second = await session.clock();
  expect(first.receivedMs).toBeGreaterThanOrEqual(first.sentMs);
  expect(second.nowNs).toBeGreaterThan(first.nowNs);
  const realtimeMs = Number(BigInt(first.realtimeNs) / 1_000_000n);
  expect(Math.abs(realtimeMs - first.sentMs)).toBeLessThan(1000);
});
