import { createHash } from 'node:crypto';
import { createFallbackDigest } from '../../model/digest.ts';
import { Refusal } from './work.ts';

export interface Digest {
  update(bytes: Uint8Array): void;
  hex(): string;
}

/** What plain node can compute: there is no XXH3. */
export function hasDigest(algorithm: string): algorithm is 'md5' | 'sha256' {
  return algorithm === 'md5' || algorithm === 'sha256';
}

export function createDigest(algorithm: string): Digest {
  if (!hasDigest(algorithm)) throw new Refusal('ENOSYS', `${algorithm} digests`);
  try {
    const digest = createHash(algorithm);
    return { update: (bytes) => digest.update(bytes), hex: () => digest.digest('hex') };
  } catch {
    // A platform whose OpenSSL forbids MD5 (FIPS).
    return createFallbackDigest(algorithm);
  }
}
