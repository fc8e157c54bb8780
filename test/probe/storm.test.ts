import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { DirectoryEntry, ReadLinksResult } from '../../src/model/operation.ts';
import { patternBytes } from '../../src/model/pattern.ts';
import { type StormPlan, type StormResult, stormFiles } from '../../src/model/storm.ts';
import { useSide } from './side.ts';

const side = useSide();

function filesOf(path: string): string[] {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();
}

const plan: StormPlan = {
  path: 'storm',
  seed: 0xfedcba98,
  slots: 200,
  dirs: 7,
  steps: 3000,
  acts: ['remove', 'rename', 'link', 'rewrite', 'replace'],
  writer: 3,
  verify: true,
};

function expectLeft(root: string, all: StormPlan): void {
  const files = stormFiles(all);
  expect(filesOf(root)).toEqual(files.map(({ path }) => path).sort());
  for (const { path, size, key } of files)
    expect(readFileSync(join(root, path)).equals(Buffer.from(patternBytes(key, 0, size)))).toBe(true);
}

test('a storm leaves what the model computes, byte for byte', async () => {
  const root = join(side.root, 'storm');
  mkdirSync(root);
  const result = await side.value<StormResult>({ do: 'storm', ...plan });
  expect(result).toEqual({ steps: 3000, left: stormFiles(plan).length, errorsInAll: 0, errors: [] });
  expectLeft(root, plan);
  await side.value({ do: 'storm', ...plan, from: 3000, steps: 500 });
  expectLeft(root, { ...plan, from: 3000, steps: 500 });
  const more = { ...plan, from: 3500, steps: 900_000 };
  const { steps } = await side.value<StormResult>({ do: 'storm', ...more, limitMs: 20 });
  expect(steps).toBeGreaterThan(0);
  expectLeft(root, { ...more, steps });
});

test('a storm without directories has all names in one, and says what went wrong', async () => {
  const root = join(side.root, 'flat');
  mkdirSync(root);
  const flat: StormPlan = { path: 'flat', seed: 1, slots: 50, dirs: 0, steps: 400, writer: 1 };
  await side.value({ do: 'storm', ...flat });
  expectLeft(root, flat);
  for (const { path } of stormFiles(flat)) rmSync(join(root, path));
  const second = await side.value<StormResult>({ do: 'storm', ...flat, from: 400, steps: 50, verify: true });
  expect(second.errorsInAll).toBeGreaterThan(0);
  expect(second.errors[0]).toMatchObject({ step: expect.any(Number), errno: 'ENOENT' });
});

test('links are read under a rain of signals, and what they show is compared', async () => {
  mkdirSync(join(side.root, 'links'));
  const links = Array.from({ length: 20 }, (_, n) => ({ path: `links/${n}`, target: `target-${n}` }));
  for (const { path, target } of links) symlinkSync(target, join(side.root, path));
  const clean = await side.value<ReadLinksResult>({
    do: 'read-links',
    links,
    rounds: 2000,
    signalEveryUs: 100,
  });
  expect(clean).toMatchObject({ rounds: 2000, wrong: [], errors: [], wrongInAll: 0, errorsInAll: 0 });
  expect(clean.reads).toBe(40_000 + clean.interrupted);
  expect(clean.signals).toBeGreaterThan(0);
  const bad = await side.value<ReadLinksResult>({
    do: 'read-links',
    links: [
      { path: 'links/0', target: 'target-' },
      { path: 'links/none', target: 'x' },
    ],
    rounds: 60,
    signalEveryUs: 0,
  });
  expect(bad).toMatchObject({ wrongInAll: 60, errorsInAll: 60, signals: 0 });
  expect(bad.wrong[0]).toEqual({ path: 'links/0', target: 'target-0', expected: 'target-', round: 0 });
  expect(bad.errors[1]).toEqual({ path: 'links/none', errno: 'ENOENT', round: 1 });
});

test('a directory is read call by call, in the order and with the numbers of its file system', async () => {
  mkdirSync(join(side.root, 'many'));
  for (let n = 0; n < 300; n += 1) writeFileSync(join(side.root, `many/name-${n}`), '');
  await side.value({ do: 'open', path: 'many', flags: ['rdonly', 'directory'], as: 'd' });
  const read = async (more: object = {}) =>
    (await side.value<{ entries: DirectoryEntry[] }>({ do: 'entries', file: 'd', ...more })).entries;
  const first = await read({ calls: 1, buffer: 512 });
  expect(first.length).toBeLessThan(30);
  const rest = await read();
  const names = [...first, ...rest].map(({ name }) => name);
  expect(names.sort()).toEqual(['.', '..', ...readdirSync(join(side.root, 'many'))].sort());
  expect(await read()).toEqual([]);
  await side.value({ do: 'seek', file: 'd', offset: 0, whence: 'set' });
  const file = (await read()).find(({ name }) => name === 'name-7');
  expect(file).toMatchObject({ type: 'file' });
  expect(await side.value({ do: 'stat', path: 'many/name-7' })).toMatchObject({ ino: file?.ino });
  await side.value({ do: 'fsync', file: 'd' });
  await side.value({ do: 'syncfs', file: 'd' });
});

test('a side tells of its file system, its extended attributes and its clocks', async () => {
  expect(await side.value({ do: 'statfs', path: 'many' })).toMatchObject({
    magic: expect.any(Number),
    blockSize: expect.any(Number),
    nameMax: 255,
    fsid: expect.stringMatching(/^[0-9a-f]{16}$/),
  });
  await side.value({ do: 'setxattr', path: 'many', name: 'user.b', base64: '' });
  await side.value({ do: 'setxattr', path: 'many', name: 'user.a', base64: 'AA==' });
  expect(await side.value({ do: 'listxattr', path: 'many' })).toEqual({ names: ['user.a', 'user.b'] });
  const clock = await side.value<{ realtimeNs: string; nowNs: number }>({ do: 'clock' });
  expect(Math.abs(Number(clock.realtimeNs) / 1e6 - Date.now())).toBeLessThan(5000);
  expect(clock.nowNs).toBeGreaterThan(0);
});
