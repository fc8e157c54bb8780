import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EventsResult } from '../../src/model/operation.ts';
import { useSide } from './side.ts';

const side = useSide();

async function events(limits: { quietMs: number; limitMs: number; count?: number }): Promise<EventsResult> {
  return await side.value<EventsResult>({ do: 'events', watch: 'w', ...limits });
}

test('what happens in watched directories is told in its order', async () => {
  mkdirSync(join(side.root, 'a'));
  mkdirSync(join(side.root, 'b'));
  await side.value({
    do: 'watch',
    paths: ['a', 'b'],
    as: 'w',
    events: ['create', 'close-write', 'moved-from', 'moved-to', 'delete', 'delete-self'],
  });
  writeFileSync(join(side.root, 'a/file'), 'x');
  mkdirSync(join(side.root, 'a/dir'));
  renameSync(join(side.root, 'a/file'), join(side.root, 'b/moved'));
  rmSync(join(side.root, 'b/moved'));
  const found = await events({ quietMs: 30, limitMs: 5000 });
  expect(found.overflow).toBeUndefined();
  expect(found.events).toMatchObject([
    { path: 'a', mask: ['create'], name: 'file' },
    { path: 'a', mask: ['close-write'], name: 'file' },
    { path: 'a', mask: ['create', 'directory'], name: 'dir' },
    { path: 'a', mask: ['moved-from'], name: 'file', cookie: expect.any(Number) },
    { path: 'b', mask: ['moved-to'], name: 'moved', cookie: found.events[3]?.cookie },
    { path: 'b', mask: ['delete'], name: 'moved' },
  ]);
  expect(found.events[0]?.atNs).toBeGreaterThan(0);
});

test('no event is an answer too, after the quiet time or at the limit', async () => {
  expect(await events({ quietMs: 20, limitMs: 5000 })).toEqual({ events: [] });
  expect(await events({ quietMs: 5000, limitMs: 20 })).toEqual({ events: [] });
});

test('a watch ends with its directory, or when it is told to', async () => {
  rmSync(join(side.root, 'b'), { recursive: true });
  expect((await events({ quietMs: 5000, limitMs: 5000, count: 2 })).events).toMatchObject([
    { path: 'b', mask: ['delete-self'] },
    { path: 'b', mask: ['ignored'] },
  ]);
  await side.value({ do: 'unwatch', watch: 'w' });
  expect(await side.refusal({ do: 'events', watch: 'w', quietMs: 0, limitMs: 0 })).toBe(
    'EBADF watch w is not open',
  );
  expect(await side.refusal({ do: 'watch', paths: ['a', 'nowhere'], as: 'w' })).toBe(
    'ENOENT inotify_add_watch',
  );
  await side.value({ do: 'watch', paths: ['a'], as: 'w' });
});
