import { appendFileSync, mkdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ObserveResult } from '../../src/model/observation.ts';
import { useSide } from './side.ts';

const side = useSide();

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

test('a change is seen with the times around it, and ends the observation', async () => {
  writeFileSync(join(side.root, 'growing'), 'ab');
  await side.request('watcher', { do: 'open', path: 'growing', flags: ['rdonly'], as: 'f' });
  const observing = side.request('watcher', {
    do: 'observe',
    looks: [
      { see: 'stat', path: 'growing', fields: ['size'], sync: 'dont', until: { is: { size: 4 } } },
      { see: 'fstat', file: 'f', fields: ['size', 'type'] },
      { see: 'read', file: 'f', offset: 0, length: 100, until: { isNot: { base64: base64('ab') } } },
      { see: 'read', file: 'f', offset: 0, length: 100, how: 'mmap' },
      { see: 'content', path: 'growing', offset: 1, length: 2 },
    ],
    everyUs: 500,
    limitMs: 5000,
    thenMs: 20,
  });
  await sleep(100);
  appendFileSync(join(side.root, 'growing'), 'cd');
  const outcome = await observing;
  if (outcome.kind !== 'value') throw new Error(JSON.stringify(outcome));
  const { reached, rounds, looks } = outcome.value as ObserveResult;
  expect(reached).toBe(true);
  expect(looks.map(({ seen }) => seen.map(({ value }) => value))).toEqual([
    [{ size: 2 }, { size: 4 }],
    [
      { type: 'file', size: 2 },
      { type: 'file', size: 4 },
    ],
    [
      { bytes: 2, base64: base64('ab') },
      { bytes: 4, base64: base64('abcd') },
    ],
    [
      { bytes: 2, base64: base64('ab') },
      { bytes: 4, base64: base64('abcd') },
    ],
    [
      { bytes: 1, base64: base64('b') },
      { bytes: 2, base64: base64('bc') },
    ],
  ]);
  const [before, after] = looks[0]?.seen ?? [];
  if (before === undefined || after === undefined) throw new Error('two sightings');
  expect(before.count + after.count).toBe(rounds);
  expect(before.first[0]).toBeGreaterThanOrEqual(outcome.beginNs ?? Number.NaN);
  expect(before.last[1]).toBeLessThanOrEqual(after.first[0]);
  expect(after.last[0] - after.first[0]).toBeGreaterThan(10e6);
  expect((outcome.endNs ?? 0) - (outcome.beginNs ?? 0)).toBeGreaterThan(100e6);
});

test('names come and go, by lookup and by listing', async () => {
  mkdirSync(join(side.root, 'dir'));
  // Its worker is there when the observation is asked for: on a busy machine that alone takes longer than the sleep.
  await side.value({ do: 'wait', ms: 1 });
  const observing = side.value<ObserveResult>({
    do: 'observe',
    looks: [
      { see: 'name', path: 'dir/new', until: { is: { exists: true } } },
      { see: 'listed', path: 'dir', name: 'new', until: { is: { listed: true } } },
      { see: 'list', path: 'dir' },
      { see: 'stat', path: 'dir/new', fields: ['type'], until: { is: { type: 'file' } } },
    ],
    everyUs: 0,
    limitMs: 5000,
  });
  await sleep(200);
  writeFileSync(join(side.root, 'other'), '');
  renameSync(join(side.root, 'other'), join(side.root, 'dir/new'));
  const { reached, looks } = await observing;
  expect(reached).toBe(true);
  expect(looks.map(({ seen }) => seen.map(({ value }) => value))).toMatchObject([
    [{ exists: false }, { exists: true, ino: expect.any(String) }],
    [{ listed: false }, { listed: true }],
    [{ names: 0 }, { names: 1, fnv1a: expect.stringMatching(/^[0-9a-f]{8}$/) }],
    [{ errno: 'ENOENT', call: 'statx' }, { type: 'file' }],
  ]);
  rmSync(join(side.root, 'dir/new'));
});

test('an observation ends at its limit, and says that it did not reach what it waited for', async () => {
  writeFileSync(join(side.root, 'still'), '');
  for (const until of [{ is: { size: 1 } }, { isNot: { size: 0 } }, undefined]) {
    const { reached, looks } = await side.value<ObserveResult>({
      do: 'observe',
      looks: [{ see: 'stat', path: 'still', ...(until === undefined ? {} : { until }) }],
      limitMs: 30,
    });
    expect(reached).toBe(false);
    expect(looks[0]?.seen).toHaveLength(1);
    expect(looks[0]?.seen[0]?.count).toBeGreaterThan(1);
  }
});

test('a mapping is watched to its end by SIGBUS, and pages and locks too', async () => {
  writeFileSync(join(side.root, 'mapped'), 'x'.repeat(9000));
  await side.value({ do: 'open', path: 'mapped', flags: ['rdwr'], as: 'f' });
  const map = { do: 'map', file: 'f', as: 'm', offset: 0, length: 9000, share: 'shared' } as const;
  await side.value({ ...map, protection: 'read' });
  const observing = side.value<ObserveResult>({
    do: 'observe',
    looks: [
      { see: 'load', map: 'm', offset: 8190, length: 4, until: { is: { signal: 'SIGBUS' } } },
      { see: 'pages', file: 'f', range: { offset: 0, length: 4096 } },
      { see: 'lock', file: 'f', family: 'ofd', mode: 'exclusive' },
    ],
    limitMs: 5000,
  });
  await sleep(30);
  truncateSync(join(side.root, 'mapped'), 100);
  const { looks } = await observing;
  expect(looks.map(({ seen }) => seen.at(-1)?.value)).toMatchObject([
    { signal: 'SIGBUS' },
    { by: expect.any(String) },
    { locked: true },
  ]);
  expect(await side.value({ do: 'test-lock', file: 'f', family: 'ofd', mode: 'exclusive' })).toEqual({
    free: true,
  });
});

test('changes beyond the first five hundred are counted and not kept', async () => {
  await side.request('writer', { do: 'open', path: 'records', flags: ['wronly', 'creat'], as: 'r' });
  const observing = side.value<ObserveResult>({
    do: 'observe',
    looks: [{ see: 'stat', path: 'records', fields: ['size'], until: { is: { size: 64 * 4000 } } }],
    everyUs: 0,
    limitMs: 10_000,
  });
  await side.request('writer', {
    do: 'fill',
    file: 'r',
    range: { offset: 0, length: 64 * 4000 },
    chunk: 64,
    pauseUs: 100,
    ...{ seed: 1, fileId: 1, writer: 1, generation: 1 },
  });
  const { reached, looks } = await observing;
  expect(reached).toBe(true);
  expect(looks[0]?.seen).toHaveLength(500);
  expect(looks[0]?.dropped).toBeGreaterThan(0);
});

test('a look that makes no sense is a defect of the caller', async () => {
  const send = (look: object) => side.request('main', { do: 'observe', looks: [look], limitMs: 1 } as never);
  await expect(send({ see: 'stars' })).rejects.toThrow('unknown look stars');
  await expect(send({ see: 'stat' })).rejects.toThrow('"path" is missing');
  await expect(send({ see: 'content', path: 'x', offset: 0, length: 5000 })).rejects.toThrow('out of bounds');
});
