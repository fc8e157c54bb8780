import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { LockFamily } from '../../src/model/observation.ts';
import type { Operation } from '../../src/model/operation.ts';
import { useSide } from './side.ts';

const side = useSide();
const families: LockFamily[] = ['flock', 'posix', 'ofd'];

beforeAll(async () => {
  writeFileSync(join(side.root, 'locked'), 'x'.repeat(100));
  for (const actor of ['one', 'two'])
    await side.request(actor, { do: 'open', path: 'locked', flags: ['rdwr'], as: 'f' });
});

test.each(families)(
  '%s: an exclusive lock excludes, shared ones do not, and unlocking frees',
  async (family) => {
    const lock = (mode: 'shared' | 'exclusive' | 'unlock'): Operation => ({
      do: 'lock',
      file: 'f',
      family,
      mode,
    });
    const kinds = async (...steps: [string, Operation][]) => {
      const found = [];
      for (const [actor, op] of steps) {
        const outcome = await side.request(actor, op);
        found.push(outcome.kind === 'errno' ? outcome.errno : outcome.kind);
      }
      return found;
    };
    expect(
      await kinds(
        ['one', lock('exclusive')],
        ['two', lock('shared')],
        ['one', lock('shared')],
        ['two', lock('shared')],
        ['two', lock('exclusive')],
        ['one', lock('unlock')],
        ['two', lock('exclusive')],
        ['two', lock('unlock')],
      ),
    ).toEqual(['value', 'EAGAIN', 'value', 'value', 'EAGAIN', 'value', 'value', 'value']);
  },
);

test.each(families)('%s: a lock is waited for until its limit, or until it is free', async (family) => {
  const lock = { do: 'lock', file: 'f', family } as const;
  await side.request('one', { ...lock, mode: 'exclusive' });
  const late = await side.request('two', { ...lock, mode: 'shared', waitMs: 60 });
  expect(late).toMatchObject({
    kind: 'errno',
    errno: 'ETIMEDOUT',
    call: family === 'flock' ? 'flock' : 'fcntl',
  });
  expect((late.endNs ?? 0) - (late.beginNs ?? 0)).toBeGreaterThan(60e6);
  const waiting = side.request('two', { ...lock, mode: 'shared', waitMs: 10_000 });
  await side.request('one', { do: 'wait', ms: 50 });
  await side.request('one', { ...lock, mode: 'unlock' });
  expect(await waiting).toMatchObject({ kind: 'value', value: {} });
  await side.request('two', { ...lock, mode: 'unlock' });
});

test('ranges exclude each other where they overlap, and the holder is named', async () => {
  const range = { offset: 10, length: 5 };
  await side.request('one', { do: 'lock', file: 'f', family: 'posix', mode: 'exclusive', range });
  const test = async (family: 'posix' | 'ofd', where: { offset: number; length?: number }) => {
    const outcome = await side.request('two', {
      do: 'test-lock',
      file: 'f',
      family,
      mode: 'shared',
      range: where,
    });
    return outcome.kind === 'value' ? outcome.value : outcome;
  };
  expect(await test('posix', { offset: 0, length: 10 })).toEqual({ free: true });
  expect(await test('ofd', { offset: 15 })).toEqual({ free: true });
  expect(await test('posix', { offset: 14 })).toEqual({
    free: false,
    mode: 'exclusive',
    pid: expect.any(Number),
    range,
  });
  expect(
    await side.request('two', {
      do: 'lock',
      file: 'f',
      family: 'ofd',
      mode: 'shared',
      range: { offset: 15 },
    }),
  ).toMatchObject({ kind: 'value' });
  await expect(
    side.request('two', { do: 'lock', file: 'f', family: 'flock', mode: 'shared', range }),
  ).rejects.toThrow('flock has no "range"');
});
