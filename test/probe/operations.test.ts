import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EvictResult, ManyResult, PageState, Stat } from '../../src/model/operation.ts';
import { patternBytes } from '../../src/model/pattern.ts';
import { useSide } from './side.ts';

const side = useSide();
const base64 = (text: string) => Buffer.from(text).toString('base64');

test('hello says what and where the probe is', () => {
  const { hello } = side.session;
  expect(hello).toMatchObject({ protocol: 1, uid: process.getuid?.(), pageSize: expect.any(Number) });
  expect(hello.version).toBe(
    JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')).version,
  );
  expect(hello.features).toContain('md5');
});

test('stat says what node says of the same file', async () => {
  writeFileSync(join(side.root, 'seen'), 'twelve bytes');
  symlinkSync('seen', join(side.root, 'link-to-seen'));
  const stat = await side.value<Stat>({ do: 'stat', path: 'seen' });
  const expected = statSync(join(side.root, 'seen'), { bigint: true });
  expect(stat).toMatchObject({
    type: 'file',
    size: 12,
    mode: Number(expected.mode & 0o7777n),
    ino: `${expected.ino}`,
    dev: `${expected.dev}`,
    mtimeNs: `${expected.mtimeNs}`,
    ctimeNs: `${expected.ctimeNs}`,
    nlink: 1,
  });
  expect(await side.value({ do: 'stat', path: 'link-to-seen' })).toMatchObject({ type: 'link' });
  expect(await side.value({ do: 'stat', path: 'link-to-seen', follow: true, sync: 'force' })).toMatchObject({
    type: 'file',
  });
  expect(await side.refusal({ do: 'stat', path: 'nothing' })).toBe('ENOENT statx');
});

test('names are made, moved, linked, listed and removed', async () => {
  await side.value({ do: 'mkdir', path: 'names', mode: 0o750 });
  expect(statSync(join(side.root, 'names')).mode & 0o7777).toBe(0o750);
  writeFileSync(join(side.root, 'names/b'), 'b');
  writeFileSync(join(side.root, 'names/a'), 'a');
  await side.value({ do: 'link', path: 'names/a', to: 'names/hard' });
  await side.value({ do: 'symlink', target: 'nowhere at all', path: 'names/soft' });
  expect(await side.value({ do: 'readlink', path: 'names/soft' })).toEqual({ target: 'nowhere at all' });
  await side.value({ do: 'rename', path: 'names/b', to: 'names/B' });
  expect(await side.refusal({ do: 'rename', path: 'names/a', to: 'names/B', flags: ['noreplace'] })).toBe(
    'EEXIST renameat2',
  );
  await side.value({ do: 'rename', path: 'names/a', to: 'names/B', flags: ['exchange'] });
  expect(readFileSync(join(side.root, 'names/B'), 'utf8')).toBe('a');
  expect(await side.value({ do: 'list', path: 'names' })).toEqual({ names: ['B', 'a', 'hard', 'soft'] });
  const { names } = await side.value<{ names: string[] }>({ do: 'list', path: 'names', raw: true });
  expect([...names].sort()).toEqual(['B', 'a', 'hard', 'soft']);
  await side.value({ do: 'unlink', path: 'names/soft' });
  expect(await side.refusal({ do: 'rmdir', path: 'names' })).toBe('ENOTEMPTY rmdir');
  await side.value({ do: 'mkdir', path: 'names/empty' });
  await side.value({ do: 'rmdir', path: 'names/empty' });
  expect(await side.value({ do: 'list', path: 'names' })).toEqual({ names: ['B', 'a', 'hard'] });
});

test('resolve gives the canonical path without opening the file for reading', async () => {
  mkdirSync(join(side.root, 'real'));
  writeFileSync(join(side.root, 'real/file'), '', { mode: 0 });
  symlinkSync('real', join(side.root, 'alias'));
  expect(await side.value({ do: 'resolve', path: 'alias/../alias/file' })).toEqual({
    path: join(side.root, 'real/file'),
  });
});

test('attributes are changed: size, mode, times, extended attributes', async () => {
  const path = join(side.root, 'attributes');
  writeFileSync(path, 'some bytes');
  await side.value({ do: 'truncate', path: 'attributes', length: 4 });
  await side.value({ do: 'chmod', path: 'attributes', mode: 0o640 });
  await side.value({ do: 'utimens', path: 'attributes', mtimeNs: '1700000000123456789' });
  expect(await side.value({ do: 'stat', path: 'attributes' })).toMatchObject({
    size: 4,
    mode: 0o640,
    mtimeNs: '1700000000123456789',
  });
  await side.value({ do: 'setxattr', path: 'attributes', name: 'user.x', base64: base64('\0value') });
  expect(await side.value({ do: 'getxattr', path: 'attributes', name: 'user.x' })).toEqual({
    base64: base64('\0value'),
  });
  await side.value({ do: 'removexattr', path: 'attributes', name: 'user.x' });
  expect(await side.refusal({ do: 'getxattr', path: 'attributes', name: 'user.x' })).toBe('ENODATA getxattr');
});

test('chdir moves where relative paths start, for that actor only', async () => {
  mkdirSync(join(side.root, 'deeper'));
  writeFileSync(join(side.root, 'deeper/only here'), '');
  await side.request('mover', { do: 'chdir', path: 'deeper' });
  expect(await side.request('mover', { do: 'stat', path: 'only here' })).toMatchObject({ kind: 'value' });
  expect(await side.refusal({ do: 'stat', path: 'only here' })).toBe('ENOENT statx');
});

test('an open file is read, written, sized and synced at its position or anywhere', async () => {
  await side.value({ do: 'open', path: 'file', flags: ['rdwr', 'creat', 'excl'], mode: 0o600, as: 'f' });
  expect(await side.value({ do: 'write', file: 'f', base64: base64('hello world') })).toEqual({ bytes: 11 });
  expect(await side.value({ do: 'write', file: 'f', offset: 6, base64: base64('there') })).toEqual({
    bytes: 5,
  });
  expect(await side.value({ do: 'seek', file: 'f', offset: 6, whence: 'set' })).toEqual({ offset: 6 });
  expect(await side.value({ do: 'read', file: 'f', length: 100 })).toEqual({
    bytes: 5,
    base64: base64('there'),
  });
  expect(await side.value({ do: 'read', file: 'f', offset: 0, length: 5 })).toMatchObject({
    base64: base64('hello'),
  });
  await side.value({ do: 'fsync', file: 'f' });
  await side.value({ do: 'fsync', file: 'f', data: true });
  await side.value({ do: 'ftruncate', file: 'f', length: 100_000 });
  await side.value({ do: 'fchmod', file: 'f', mode: 0o644 });
  await side.value({ do: 'fallocate', file: 'f', offset: 4096, length: 8192, flags: ['punch-hole'] });
  await side.value({ do: 'advise', file: 'f', advice: 'random' });
  expect(await side.value({ do: 'fstat', file: 'f' })).toMatchObject({ size: 100_000, mode: 0o644 });
  expect(await side.value({ do: 'seek', file: 'f', offset: 0, whence: 'hole' })).toEqual({ offset: 4096 });
  expect(await side.refusal({ do: 'seek', file: 'f', offset: 90_000, whence: 'data' })).toBe('ENXIO lseek');
  await side.value({ do: 'close', file: 'f' });
  expect(await side.refusal({ do: 'read', file: 'f', length: 1 })).toBe('EBADF file f is not open');
});

test('fill writes the bytes that the model generates', async () => {
  const key = { seed: 0xdeadbeef, fileId: 0x80000001, writer: 0xfffe, generation: 0x8001 };
  await side.value({ do: 'open', path: 'filled', flags: ['wronly', 'creat'], as: 'filled' });
  for (const [offset, length, chunk] of [
    [0, 200_000, undefined],
    [5 * 1024 ** 3 + 7, 3_000_001, 999_983],
    [777, 1, 1],
  ] as const) {
    const range = { offset, length };
    await side.value({
      do: 'fill',
      file: 'filled',
      range,
      ...(chunk === undefined ? {} : { chunk }),
      ...key,
    });
    const all = await side.value<{ base64: string }>({
      do: 'many',
      list: [
        { do: 'open', path: 'filled', flags: ['rdonly'], as: 'check' },
        { do: 'read', file: 'check', offset, length: Math.min(length, 1024 * 1024) },
        { do: 'close', file: 'check' },
      ],
    });
    const read = (all as unknown as ManyResult).values[1] as { base64: string };
    const expected = patternBytes(key, offset, Math.min(length, 1024 * 1024));
    expect(Buffer.from(read.base64, 'base64').equals(Buffer.from(expected))).toBe(true);
  }
  await side.value({ do: 'close', file: 'filled' });
});

test('page state is told without changing it, and a file with dirty pages is not evicted', async () => {
  const pageSize = side.session.hello.pageSize;
  await side.value({ do: 'open', path: 'paged', flags: ['rdwr', 'creat'], as: 'p' });
  await side.value({
    do: 'fill',
    file: 'p',
    range: { offset: 0, length: 10 * pageSize + 1 },
    seed: 1,
    fileId: 1,
    writer: 1,
    generation: 1,
  });
  const dirty = await side.value<PageState>({ do: 'pages', file: 'p', map: true });
  expect(dirty).toMatchObject({ pages: 11, cached: 11, pageSize, runs: [0, 11] });
  if (dirty.by !== 'cachestat') return;
  expect(dirty.dirty).toBeGreaterThan(0);
  expect(await side.value<EvictResult>({ do: 'evict', file: 'p' })).toMatchObject({
    evicted: false,
    after: { cached: 11 },
  });
  await side.value({ do: 'fsync', file: 'p' });
  expect(await side.value<EvictResult>({ do: 'evict', file: 'p' })).toMatchObject({
    evicted: true,
    before: { cached: 11, dirty: 0, writeback: 0 },
    after: { cached: 0 },
  });
  await side.value({ do: 'advise', file: 'p', advice: 'random' });
  await side.value({ do: 'read', file: 'p', offset: 4 * pageSize, length: 2 * pageSize });
  expect(await side.value<PageState>({ do: 'pages', file: 'p', map: true })).toMatchObject({
    cached: 2,
    runs: [4, 2, 5],
  });
  const range = { offset: 5 * pageSize + 1, length: pageSize };
  expect(await side.value<PageState>({ do: 'pages', file: 'p', range, map: true })).toMatchObject({
    pages: 2,
    cached: 1,
    runs: [0, 1, 1],
  });
  await side.value({ do: 'close', file: 'p' });
});

test('a mapping is loaded, stored and synced, and outlives its descriptor', async () => {
  writeFileSync(join(side.root, 'mapped'), 'x'.repeat(5000));
  await side.value({ do: 'open', path: 'mapped', flags: ['rdwr'], as: 'm' });
  const map = { do: 'map', file: 'm', offset: 0, length: 5000, protection: 'read-write' } as const;
  await side.value({ ...map, as: 'shared', share: 'shared' });
  await side.value({ ...map, as: 'private', share: 'private' });
  await side.value({ do: 'close', file: 'm' });
  await side.value({ do: 'store', map: 'shared', offset: 4998, base64: base64('!!') });
  await side.value({ do: 'store', map: 'private', offset: 0, base64: base64('mine') });
  await side.value({ do: 'msync', map: 'shared' });
  expect(await side.value({ do: 'load', map: 'private', offset: 0, length: 5 })).toEqual({
    bytes: 5,
    base64: base64('minex'),
  });
  expect(readFileSync(join(side.root, 'mapped'), 'utf8')).toBe(`${'x'.repeat(4998)}!!`);
  await side.value({ do: 'unmap', map: 'shared' });
  await side.value({ do: 'unmap', map: 'private' });
  expect(await side.refusal({ do: 'load', map: 'shared', offset: 0, length: 1 })).toBe(
    'EBADF map shared is not open',
  );
});

test('many stops at the first operation that is refused, and times each', async () => {
  const result = await side.value<ManyResult>({
    do: 'many',
    list: [
      { do: 'wait', ms: 20 },
      { do: 'many', list: [] },
      { do: 'stat', path: 'never there' },
      { do: 'mkdir', path: 'not made' },
    ],
  });
  expect(result).toMatchObject({
    values: [{}, { values: [], timesNs: [] }],
    stopped: { errno: 'ENOENT', call: 'statx' },
  });
  expect(result.timesNs).toHaveLength(3);
  const [begin = 0, end = 0] = result.timesNs[0] ?? [];
  expect(end - begin).toBeGreaterThanOrEqual(20e6);
  expect(existsSync(join(side.root, 'not made'))).toBe(false);
});

test('remove-tree removes what is below, follows no link and never leaves the file system', async () => {
  mkdirSync(join(side.root, 'tree/a/b/c'), { recursive: true });
  mkdirSync(join(side.root, 'kept'));
  writeFileSync(join(side.root, 'kept/file'), '');
  writeFileSync(join(side.root, 'tree/a/file'), '');
  symlinkSync('../kept', join(side.root, 'tree/link'));
  expect(await side.value({ do: 'remove-tree', path: 'tree' })).toEqual({ removed: 6 });
  expect(existsSync(join(side.root, 'tree'))).toBe(false);
  expect(existsSync(join(side.root, 'kept/file'))).toBe(true);
  symlinkSync('kept', join(side.root, 'to-kept'));
  expect(await side.refusal({ do: 'remove-tree', path: 'to-kept' })).toBe('ENOTDIR open');
  expect(readlinkSync(join(side.root, 'to-kept'))).toBe('kept');
  expect(await side.refusal({ do: 'remove-tree', path: '/proc' })).toBe('EBUSY remove-tree: a mount point');
  expect(await side.refusal({ do: 'remove-tree', path: '/' })).toBe('EBUSY remove-tree: a mount point');
});

test('a request that makes no sense is a defect of the caller and says which', async () => {
  const send = (op: object) => side.request('main', op as never);
  await expect(send({ do: 'fly' })).rejects.toThrow('unknown operation fly');
  await expect(send({ do: 'stat' })).rejects.toThrow('"path" is missing or of the wrong type');
  await expect(send({ do: 'stat', path: 'a\0b' })).rejects.toThrow('has a NUL');
  await expect(send({ do: 'wait', ms: -1 })).rejects.toThrow('out of bounds');
  await expect(send({ do: 'open', path: 'x', flags: ['quickly'], as: 'x' })).rejects.toThrow('not known');
  await expect(send({ do: 'many', list: [{ do: 'fly' }] })).rejects.toThrow('unknown operation');
});

/** Some id that nobody has, so that what it may do nobody else may. */
const nobody = 61_183;

test.skipIf(process.getuid?.() !== 0)(
  'an actor that became an ordinary user may do what that user may, and has no way back',
  async () => {
    mkdirSync(join(side.root, 'closed/open'), { recursive: true });
    writeFileSync(join(side.root, 'closed/open/f'), 'bytes');
    chmodSync(join(side.root, 'closed'), 0o700);
    chmodSync(join(side.root, 'closed/open'), 0o777);
    const root = join(side.root, 'closed/open');
    await side.value({ do: 'chown', path: 'f', uid: nobody, gid: nobody }, { root });
    await side.value({ do: 'chmod', path: 'f', mode: 0o6710 }, { root });
    const outcome = await side.request(
      'ordinary',
      {
        do: 'many',
        anyway: true,
        list: [
          { do: 'become', uid: nobody, gid: nobody },
          { do: 'open', path: 'f', flags: ['rdwr'], as: 'f' },
          { do: 'write', file: 'f', base64: base64('B') },
          { do: 'fstat', file: 'f' },
          { do: 'open', path: '../new', flags: ['creat', 'rdwr'], as: 'new' },
          { do: 'chown', path: 'f', uid: 0 },
          { do: 'become', uid: 1, gid: 1 },
        ],
      },
      { root },
    );
    expect(outcome).toMatchObject({
      kind: 'value',
      value: {
        values: [
          {},
          {},
          { bytes: 1 },
          { mode: 0o710, uid: nobody, gid: nobody },
          { errno: 'EACCES' },
          { errno: 'EPERM', call: 'chown' },
          { errno: 'EPERM', call: 'setgroups' },
        ],
      },
    });
  },
);
