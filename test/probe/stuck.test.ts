import { execFileSync } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { stateOf, useSide } from './side.ts';

const side = useSide();

test('a worker that hangs is abandoned and named, and the session lives on', async () => {
  execFileSync('mkfifo', [join(side.root, 'fifo')]);
  const open = { do: 'open', path: 'fifo', flags: ['rdonly'], as: 'f' } as const;
  const hanging = side.request('hanging', open, { limitMs: 300, limitName: '--timeout' });
  const behind = side.request('hanging', { do: 'stat', path: 'fifo' });
  expect(await side.request('other', { do: 'stat', path: 'fifo' })).toMatchObject({ kind: 'value' });
  const outcome = await hanging;
  expect(outcome).toMatchObject({
    kind: 'stuck',
    limit: '--timeout',
    limitMs: 300,
    state: 'S',
    killed: true,
    pid: expect.any(Number),
  });
  expect(await behind).toMatchObject({ kind: 'gone', reason: 'the worker was abandoned' });
  expect(stateOf((outcome as { pid: number }).pid)).toBeUndefined();
  expect(await side.request('hanging', { do: 'stat', path: 'fifo' })).toMatchObject({ kind: 'value' });
});

test('a worker that stands still during a hash is told from one that makes progress', async () => {
  writeFileSync(join(side.root, 'large'), '');
  truncateSync(join(side.root, 'large'), 64 * 1024 ** 3);
  const pid = await side.workerOf('hasher');
  const began = performance.now();
  const hashing = side.request(
    'hasher',
    { do: 'hash', path: 'large', algorithm: 'md5' },
    { limitMs: 400, silent: true, limitName: '--timeout' },
  );
  await sleep(1000);
  process.kill(pid, 'SIGSTOP');
  expect(await hashing).toMatchObject({ kind: 'stuck', pid, killed: true });
  // The limit is one of silence: it began anew with every progress.
  expect(performance.now() - began).toBeGreaterThan(1300);
});

test('a limit that is not one of silence ends even a lively operation', async () => {
  const hashing = side.request(
    'lively',
    { do: 'hash', path: 'large', algorithm: 'md5' },
    { limitMs: 500, limitName: 'step' },
  );
  expect(await hashing).toMatchObject({ kind: 'stuck', limit: 'step', killed: true });
});

test('a limit counts from when an actor takes the request up', async () => {
  const options = { limitMs: 400, limitName: 'step' };
  const outcomes = await Promise.all(
    Array.from({ length: 4 }, () => side.request('patient', { do: 'wait', ms: 200 }, options)),
  );
  expect(outcomes.map(({ kind }) => kind)).toEqual(['value', 'value', 'value', 'value']);
});

test('a worker that a signal kills is an outcome, and the actor gets a new one', async () => {
  const pid = await side.workerOf('killed');
  const waiting = side.request('killed', { do: 'wait', ms: 10_000 });
  const behind = side.request('killed', { do: 'wait', ms: 0 });
  await sleep(100);
  process.kill(pid, 'SIGKILL');
  expect(await waiting).toMatchObject({ kind: 'signal', signal: 'SIGKILL', beginNs: expect.any(Number) });
  expect(await behind).toMatchObject({
    kind: 'gone',
    reason: 'the worker was killed by SIGKILL before this',
  });
  expect(await side.request('killed', { do: 'wait', ms: 0 })).toMatchObject({ kind: 'value' });
});

test('release lets an actor finish what it was asked', async () => {
  const last = side.request('released', { do: 'wait', ms: 100 });
  await side.session.release('released');
  expect(await last).toMatchObject({ kind: 'value' });
  await side.session.release('never there');
});

test('begun is told when a worker takes a request up, and not before', async () => {
  const events: string[] = [];
  const first = side
    .request('beginner', { do: 'wait', ms: 50 }, { onBegun: () => void events.push('1 begun') })
    .then(() => events.push('1 ended'));
  const second = side
    .request('beginner', { do: 'wait', ms: 1 }, { onBegun: () => void events.push('2 begun') })
    .then(() => events.push('2 ended'));
  await Promise.all([first, second]);
  expect(events.filter((event) => event.endsWith('begun'))).toEqual(['1 begun', '2 begun']);
  expect([events[0], events[3]]).toEqual(['1 begun', '2 ended']);
});

const bulkyBytes = 512 * 1024 ** 2;

test('a receiver of bulk items that is slow loses nothing and stops nothing', async () => {
  writeFileSync(join(side.root, 'bulky'), '');
  truncateSync(join(side.root, 'bulky'), bulkyBytes);
  let received = 0;
  const outcome = await side.request(
    'slow',
    { do: 'hash', path: 'bulky', algorithm: 'xxh3', block: 4096 },
    {
      limitMs: 1500,
      silent: true,
      onBulk: async (items) => {
        for (const { base64 } of items as { base64: string }[])
          received += Buffer.from(base64, 'base64').length;
        await sleep(25);
      },
    },
  );
  expect(outcome.kind).toBe('value');
  expect(received).toBe((bulkyBytes / 4096) * 16);
});

test('a receiver that fails ends its request with that error and nothing else', async () => {
  const failing = side.request(
    'failing',
    { do: 'hash', path: 'bulky', algorithm: 'xxh3', block: 4096 },
    { onBulk: () => Promise.reject(new Error('the disk is full')) },
  );
  await expect(failing).rejects.toThrow('the disk is full');
  expect(await side.request('failing', { do: 'wait', ms: 0 })).toMatchObject({ kind: 'value' });
});
