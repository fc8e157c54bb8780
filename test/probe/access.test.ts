import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ManyResult, Operation, ReadHow, WriteHow } from '../../src/model/operation.ts';
import { patternBytes } from '../../src/model/pattern.ts';
import { useSide } from './side.ts';

const side = useSide();
const key = { seed: 7, fileId: 8, writer: 9, generation: 10 };
const content = Buffer.from(patternBytes(key, 0, 300_001));

function base64(bytes: Uint8Array | string): string {
  return Buffer.from(bytes).toString('base64');
}

test('every way to read gives the same bytes: aligned, odd, across the end and beyond it', async () => {
  writeFileSync(join(side.root, 'read'), content);
  await side.value({ do: 'open', path: 'read', flags: ['rdonly'], as: 'f' });
  await side.value({ do: 'open', path: 'scratch', flags: ['rdwr', 'creat'], as: 's' });
  const hows: ReadHow[] = ['read', 'vectored', 'sendfile', 'splice', 'mmap', 'copy-file-range'];
  for (const how of hows) {
    for (const [offset, length] of [
      [0, 300_001],
      [4096, 8192],
      [4095, 4098],
      [300_000, 100],
      [300_001, 100],
      [400_000, 1],
    ] as const) {
      const read = await side.value({ do: 'read', file: 'f', offset, length, how, through: 's' });
      const expected = content.subarray(offset, offset + length);
      expect([how, offset, read]).toEqual([
        how,
        offset,
        { bytes: expected.length, base64: base64(expected) },
      ]);
    }
  }
});

test('without an offset the file position is read and moves', async () => {
  for (const how of ['read', 'vectored', 'sendfile', 'splice'] as const) {
    await side.value({ do: 'seek', file: 'f', offset: 100, whence: 'set' });
    const read = await side.value({ do: 'read', file: 'f', length: 5000, how, pieces: [3, 0, 17] });
    expect(read).toEqual({ bytes: 5000, base64: base64(content.subarray(100, 5100)) });
    expect(await side.value({ do: 'seek', file: 'f', offset: 0, whence: 'cur' })).toEqual({ offset: 5100 });
  }
  await expect(side.request('main', { do: 'read', file: 'f', length: 1, how: 'mmap' })).rejects.toThrow(
    'needs an offset',
  );
});

test('every way to write puts the same bytes in the same place', async () => {
  const hows: WriteHow[] = ['write', 'vectored', 'splice', 'mmap', 'copy-file-range'];
  for (const how of hows) {
    for (const [offset, length] of [
      [0, 9000],
      [4095, 200_000],
      [100_001, 7],
    ] as const) {
      writeFileSync(join(side.root, 'written'), Buffer.alloc(300_001));
      const list: Operation[] = [
        { do: 'open', path: 'written', flags: ['rdwr'], as: 'w' },
        {
          do: 'write',
          file: 'w',
          offset,
          how,
          through: 's',
          base64: base64(content.subarray(offset, offset + length)),
        },
        { do: 'close', file: 'w' },
      ];
      const { values, stopped } = await side.value<ManyResult>({ do: 'many', list });
      expect([how, stopped, values[1]]).toEqual([how, undefined, { bytes: length }]);
      const expected = Buffer.alloc(300_001);
      content.copy(expected, offset, offset, offset + length);
      expect(readFileSync(join(side.root, 'written')).equals(expected)).toBe(true);
    }
  }
});

test('RWF_APPEND writes at the end whatever the offset says, and so does fill with O_APPEND', async () => {
  writeFileSync(join(side.root, 'appended'), 'x'.repeat(64));
  await side.value({ do: 'open', path: 'appended', flags: ['wronly'], as: 'a' });
  await side.value({ do: 'write', file: 'a', offset: 0, base64: base64('one'), flags: ['append'] });
  await side.value({
    do: 'write',
    file: 'a',
    offset: 0,
    base64: base64('two!'),
    how: 'vectored',
    flags: ['append', 'dsync'],
  });
  await side.value({ do: 'close', file: 'a' });
  expect(readFileSync(join(side.root, 'appended'), 'utf8')).toBe(`${'x'.repeat(64)}onetwo!`);
  await side.value({ do: 'open', path: 'appended', flags: ['wronly', 'append'], as: 'a' });
  const range = { offset: 0, length: 192 };
  await side.value({ do: 'fill', file: 'a', range, chunk: 64, pauseUs: 1000, ...key });
  await side.value({ do: 'close', file: 'a' });
  expect(readFileSync(join(side.root, 'appended')).subarray(71).equals(content.subarray(0, 192))).toBe(true);
});

test('copy moves a range between two open files by each of its calls', async () => {
  await side.value({ do: 'open', path: 'copied', flags: ['rdwr', 'creat'], as: 'c' });
  for (const how of ['copy-file-range', 'sendfile', 'splice'] as const) {
    await side.value({ do: 'ftruncate', file: 'c', length: 0 });
    await side.value({ do: 'seek', file: 'c', offset: 0, whence: 'set' });
    expect(await side.value({ do: 'copy', file: 'f', offset: 1, to: 'c', length: 1_000_000, how })).toEqual({
      bytes: 300_000,
    });
    expect(readFileSync(join(side.root, 'copied')).equals(content.subarray(1))).toBe(true);
  }
  await side.value({ do: 'copy', file: 'f', offset: 0, to: 'c', toOffset: 500, length: 10 });
  expect(readFileSync(join(side.root, 'copied')).subarray(500, 510).equals(content.subarray(0, 10))).toBe(
    true,
  );
});

test('a descriptor tells its flags, and some of them can be changed', async () => {
  await side.value({ do: 'open', path: 'flagged', flags: ['rdwr', 'creat', 'append', 'sync'], as: 'g' });
  expect(await side.value({ do: 'flags', file: 'g' })).toEqual({ flags: ['rdwr', 'append', 'sync'] });
  await side.value({ do: 'set-flags', file: 'g', flags: ['nonblock'] });
  expect(await side.value({ do: 'flags', file: 'g' })).toEqual({ flags: ['rdwr', 'sync', 'nonblock'] });
});

test('a fault in a mapping is a signal that costs no descriptor', async () => {
  writeFileSync(join(side.root, 'cut'), content);
  const list: Operation[] = [
    { do: 'open', path: 'cut', flags: ['rdwr'], as: 'cut' },
    {
      do: 'map',
      file: 'cut',
      as: 'm',
      offset: 0,
      length: 300_001,
      protection: 'read-write',
      share: 'shared',
    },
    { do: 'ftruncate', file: 'cut', length: 1 },
    { do: 'load', map: 'm', offset: 200_000, length: 10 },
    { do: 'store', map: 'm', offset: 200_000, base64: 'AAAA' },
    { do: 'write', file: 'cut', offset: 200_000, base64: 'AAAA', how: 'mmap' },
    { do: 'load', map: 'm', offset: 0, length: 1 },
  ];
  const result = await side.value<ManyResult>({ do: 'many', list, anyway: true });
  expect(result.values.slice(3)).toEqual([
    { signal: 'SIGBUS' },
    { signal: 'SIGBUS' },
    { signal: 'SIGBUS' },
    { bytes: 1, base64: base64(content.subarray(0, 1)) },
  ]);
  expect(await side.request('main', { do: 'load', map: 'm', offset: 200_000, length: 1 })).toMatchObject({
    kind: 'signal',
    signal: 'SIGBUS',
  });
});

test('many goes on after a refusal where it is told to', async () => {
  const result = await side.value<ManyResult>({
    do: 'many',
    anyway: true,
    list: [
      { do: 'stat', path: 'nowhere' },
      { do: 'open', path: 'nowhere', flags: ['rdonly'], as: 'n' },
      { do: 'wait', ms: 0 },
    ],
  });
  expect(result.values).toEqual([{ errno: 'ENOENT', call: 'statx' }, { errno: 'ENOENT', call: 'open' }, {}]);
  expect(result.timesNs).toHaveLength(3);
});
