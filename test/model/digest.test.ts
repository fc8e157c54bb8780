import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createFallbackDigest, digestOfBytes } from '../../src/model/digest.ts';

test.each(['md5', 'sha256'] as const)('%s of any number of bytes is what node says it is', (algorithm) => {
  for (const length of [0, 1, 3, 55, 56, 63, 64, 65, 4097, 1_300_001]) {
    const bytes = randomBytes(length);
    expect(digestOfBytes(algorithm, bytes)).toBe(createHash(algorithm).update(bytes).digest('hex'));
  }
});

test('pieces that begin anywhere in a larger buffer give the digest of the whole', () => {
  const bytes = randomBytes(10_001);
  const digest = createFallbackDigest('md5');
  for (let at = 0; at < bytes.length; at += 777) digest.update(bytes.subarray(at, at + 777));
  expect(digest.hex()).toBe(createHash('md5').update(bytes).digest('hex'));
});
