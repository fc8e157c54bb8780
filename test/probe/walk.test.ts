import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TreeEntry } from '../../src/model/operation.ts';
import { compareTreePaths, pathFromBytes, pathToBytes } from '../../src/model/path.ts';
import { useSide, withBulk } from './side.ts';

const side = useSide();

function walk(path: string, algorithm?: 'md5'): Promise<TreeEntry[]> {
  return withBulk<TreeEntry>((options) =>
    side.value({ do: 'walk', path, ...(algorithm === undefined ? {} : { algorithm }) }, options),
  );
}

test('names with spaces, quotes, newlines, leading dashes and invalid UTF-8 go both ways', async () => {
  const names = [
    ' leading and trailing ',
    '-rf',
    '"double" and \'single\'',
    'two\nlines\tand a tab',
    'back\\slash',
    'ünïcödé \u{1f480}',
    pathFromBytes(Buffer.from([0x66, 0xff, 0xfe, 0x2e, 0x80])),
    pathFromBytes(Buffer.from([0xed, 0xa0, 0x80, 0xc0, 0xaf, 0xf5])),
    '\x01\x1f\x7f',
    '~$(reboot)`;&|<>*?[]',
    'n'.repeat(255),
  ];
  await side.value({ do: 'mkdir', path: 'names' });
  for (const [index, name] of names.entries()) {
    const path = `names/${name}`;
    await side.value({ do: 'open', path, flags: ['wronly', 'creat', 'excl'], as: name });
    await side.value({ do: 'write', file: name, base64: Buffer.from(`${index}`).toString('base64') });
    await side.value({ do: 'close', file: name });
    // Node sees the very same bytes.
    expect(readFileSync(Buffer.from(pathToBytes(join(side.root, path))), 'utf8')).toBe(`${index}`);
  }
  const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(pathToBytes(a)), pathToBytes(b)));
  expect(await side.value({ do: 'list', path: 'names' })).toEqual({ names: sorted });
  const entries = await walk('names', 'md5');
  expect(entries.map(({ path }) => path)).toEqual(['', ...sorted]);
  for (const { path, digest } of entries.slice(1)) {
    expect(digest).toBe(
      createHash('md5')
        .update(`${names.indexOf(path)}`)
        .digest('hex'),
    );
  }
});

test('a tree comes in the order of the model, with types, sizes, targets and digests', async () => {
  const root = join(side.root, 'tree');
  mkdirSync(join(root, 'a/deep/er'), { recursive: true });
  mkdirSync(join(root, 'a-b'));
  const bytes = randomBytes(3_000_000);
  writeFileSync(join(root, 'a/deep/file'), bytes);
  writeFileSync(join(root, 'a.txt'), '');
  symlinkSync('../a nowhere', join(root, 'a-b/link'));
  linkSync(join(root, 'a.txt'), join(root, 'hard'));
  const entries = await walk('tree', 'md5');
  const paths = entries.map(({ path }) => path);
  expect(paths).toEqual(['', 'a', 'a/deep', 'a/deep/er', 'a/deep/file', 'a-b', 'a-b/link', 'a.txt', 'hard']);
  expect([...paths].sort(compareTreePaths)).toEqual(paths);
  expect(entries.find(({ path }) => path === 'a/deep/file')).toEqual({
    path: 'a/deep/file',
    type: 'file',
    size: bytes.length,
    digest: createHash('md5').update(bytes).digest('hex'),
  });
  expect(entries.find(({ path }) => path === 'a-b/link')).toMatchObject({
    type: 'link',
    target: '../a nowhere',
  });
  expect((await walk('tree')).every(({ digest }) => digest === undefined)).toBe(true);
  expect(await walk('tree/a-b/link')).toEqual([expect.objectContaining({ path: '', type: 'link' })]);
  expect(await side.refusal({ do: 'walk', path: 'no tree' })).toBe('ENOENT statx');
});

test('a tree deeper than PATH_MAX and than the open directories is walked and removed', async () => {
  const depth = 400;
  const name = 'd'.repeat(200);
  const steps = [];
  for (let i = 0; i < depth; i += 1) {
    steps.push({ do: 'mkdir', path: name } as const, { do: 'chdir', path: name } as const);
  }
  mkdirSync(join(side.root, 'deep'));
  await side.request('digger', { do: 'chdir', path: 'deep' });
  expect(await side.request('digger', { do: 'many', list: steps })).toMatchObject({
    kind: 'value',
    value: { values: { length: 2 * depth } },
  });
  await side.request('digger', { do: 'open', path: 'zz', flags: ['creat', 'wronly'], as: 'bottom' });
  writeFileSync(join(side.root, 'deep/zz'), '');
  const entries = await walk('deep', 'md5');
  expect(entries).toHaveLength(depth + 3);
  expect(entries.some(({ error }) => error !== undefined)).toBe(false);
  expect(entries.at(-2)?.path).toHaveLength(depth * 201 + 2);
  expect(entries.at(-1)?.path).toBe('zz');
  expect(await side.value({ do: 'remove-tree', path: 'deep' })).toEqual({ removed: depth + 3 });
});

test('what cannot be read is an entry with its reason, and the walk goes on', async () => {
  mkdirSync(join(side.root, 'partly/locked'), { recursive: true });
  writeFileSync(join(side.root, 'partly/z'), 'z');
  chmodSync(join(side.root, 'partly/locked'), 0);
  const entries = await walk('partly', 'md5');
  expect(entries.map(({ path }) => path)).toEqual(['', 'locked', 'z']);
  if (process.getuid?.() !== 0) expect(entries[1]).toMatchObject({ error: 'EACCES' });
});
