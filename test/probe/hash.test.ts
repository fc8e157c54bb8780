import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, symlinkSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOfBytes } from '../../src/model/digest.ts';
import type { BlockDigests, HashResult, RangeDigest } from '../../src/model/operation.ts';
import { patternBytes } from '../../src/model/pattern.ts';
import { useSide, withBulk } from './side.ts';

const side = useSide();
const mebibyte = 1024 * 1024;

function blocksOf(items: readonly BlockDigests[]): string[] {
  const digests: string[] = [];
  for (const { from, base64 } of items) {
    expect(from).toBe(digests.length);
    const bytes = Buffer.from(base64, 'base64');
    for (let at = 0; at < bytes.length; at += 16) digests.push(bytes.subarray(at, at + 16).toString('hex'));
  }
  return digests;
}

test('a filled file has the digest that an independent implementation expects', async () => {
  const key = { seed: 7, fileId: 8, writer: 9, generation: 10 };
  const length = 3_333_333;
  await side.value({ do: 'open', path: 'expected', flags: ['wronly', 'creat'], as: 'e' });
  await side.value({ do: 'fill', file: 'e', range: { offset: 0, length }, ...key });
  await side.value({ do: 'close', file: 'e' });
  const bytes = patternBytes(key, 0, length);
  for (const algorithm of ['md5', 'sha256'] as const) {
    const { digest } = await side.value<HashResult>({ do: 'hash', path: 'expected', algorithm });
    expect(digest).toBe(digestOfBytes(algorithm, bytes));
  }
});

test('files of any size are hashed as md5sum would, with a digest for every block', async () => {
  for (const size of [0, 1, 4095, 4096, 4097, mebibyte, 2 * mebibyte + 1, 5 * mebibyte - 1, 9 * mebibyte]) {
    const bytes = randomBytes(size);
    writeFileSync(join(side.root, 'sized'), bytes);
    for (const direct of [false, true]) {
      let result: HashResult | undefined;
      const items = await withBulk<BlockDigests>(async (options) => {
        const block = 2 * 4096;
        result = await side.value<HashResult>(
          { do: 'hash', path: 'sized', algorithm: 'md5', block, blockAlgorithm: 'md5', direct },
          options,
        );
      });
      expect(result).toMatchObject({
        digest: createHash('md5').update(bytes).digest('hex'),
        bytes: size,
        before: { size },
        after: { size },
        pages: { pages: Math.ceil(size / side.session.hello.pageSize) },
      });
      const expected = [];
      for (let at = 0; at < size; at += 8192) {
        expected.push(
          createHash('md5')
            .update(bytes.subarray(at, at + 8192))
            .digest('hex'),
        );
      }
      expect(blocksOf(items)).toEqual(expected);
    }
  }
});

test('XXH3 of the whole and XXH64 of a block are the published values', async () => {
  writeFileSync(join(side.root, 'empty'), '');
  expect(await side.value({ do: 'hash', path: 'empty', algorithm: 'xxh3' })).toMatchObject({
    digest: '99aa06d3014798d86001c324468d497f',
  });
  // XXH64's own test vector for "a".
  writeFileSync(join(side.root, 'letter'), 'a');
  const letter = await withBulk<BlockDigests>((options) =>
    side.value({ do: 'hash', path: 'letter', algorithm: 'md5', block: 4096 }, options),
  );
  expect(blocksOf(letter)).toEqual(['d24ec4f1a98c6e5b'.padEnd(32, '0')]);
  writeFileSync(join(side.root, 'blocks'), Buffer.alloc(3 * mebibyte, 0x61));
  const items = await withBulk<BlockDigests>((options) =>
    side.value({ do: 'hash', path: 'blocks', algorithm: 'xxh3', block: mebibyte }, options),
  );
  const [first] = blocksOf(items);
  expect(blocksOf(items)).toEqual([first, first, first]);
});

test('ranges that begin and end anywhere are hashed, buffered and with O_DIRECT', async () => {
  const bytes = randomBytes(4 * mebibyte + 123);
  writeFileSync(join(side.root, 'ranged'), bytes);
  for (const [offset, length] of [
    [0, 1],
    [777, 2 * mebibyte],
    [4096, 4096],
    [3 * mebibyte + 5, undefined],
    [5 * mebibyte, 10],
  ] as const) {
    const range = { offset, ...(length === undefined ? {} : { length }) };
    const expected = createHash('sha256')
      .update(bytes.subarray(offset, length === undefined ? undefined : offset + length))
      .digest('hex');
    for (const direct of [false, true]) {
      expect(
        await side.value({ do: 'hash', path: 'ranged', algorithm: 'sha256', range, direct }),
      ).toMatchObject({ digest: expected });
    }
  }
});

test('many ranges of an open file are hashed in one request, and its position stays', async () => {
  const bytes = randomBytes(100_000);
  writeFileSync(join(side.root, 'held'), bytes);
  await side.value({ do: 'open', path: 'held', flags: ['rdonly'], as: 'held' });
  await side.value({ do: 'seek', file: 'held', offset: 5, whence: 'set' });
  const ranges = [
    { offset: 0, length: 100 },
    { offset: 99_990, length: 100 },
  ];
  const found = await side.value<RangeDigest[]>({
    do: 'hash-ranges',
    file: 'held',
    algorithm: 'md5',
    ranges,
  });
  expect(found).toEqual(
    ranges.map(({ offset, length }) => {
      const part = bytes.subarray(offset, offset + length);
      return { digest: createHash('md5').update(part).digest('hex'), bytes: part.length };
    }),
  );
  expect(await side.value({ do: 'hash', file: 'held', algorithm: 'md5' })).toMatchObject({ bytes: 100_000 });
  expect(await side.value({ do: 'seek', file: 'held', offset: 0, whence: 'cur' })).toEqual({ offset: 5 });
  await side.value({ do: 'close', file: 'held' });
});

test('a sparse file is really read, in bounded memory and with progress', async () => {
  const path = join(side.root, 'sparse');
  const size = 300 * mebibyte + 1;
  closeSync(openSync(path, 'w'));
  truncateSync(path, size);
  const fd = openSync(path, 'r+');
  writeSync(fd, 'data', 100 * mebibyte);
  closeSync(fd);
  const seen: number[] = [];
  const result = await side.value<HashResult>(
    { do: 'hash', path: 'sparse', algorithm: 'md5', block: mebibyte },
    { onProgress: ({ bytes }) => void seen.push(bytes ?? 0) },
  );
  expect(result.bytes).toBe(size);
  expect(seen.length).toBeGreaterThan(0);
  expect([...seen].sort((a, b) => a - b)).toEqual(seen);
});

test('what is no regular file is refused by name, and nothing hangs on a fifo', async () => {
  mkdirSync(join(side.root, 'directory'));
  symlinkSync('sized', join(side.root, 'to-sized'));
  writeFileSync(join(side.root, 'sized'), 'abc');
  const hash = (path: string) => ({ do: 'hash', path, algorithm: 'md5' }) as const;
  expect(await side.refusal(hash('directory'))).toBe('EISDIR open');
  expect(await side.refusal(hash('/dev/null'))).toBe('EINVAL hash: not a regular file');
  expect(await side.refusal(hash('nothing'))).toBe('ENOENT open');
  expect(await side.value(hash('to-sized'))).toMatchObject({
    digest: digestOfBytes('md5', Buffer.from('abc')),
  });
});
