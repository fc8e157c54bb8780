import CryptoJS from 'crypto-js/core.js';
import 'crypto-js/lib-typedarrays.js';
import 'crypto-js/md5.js';
import 'crypto-js/sha256.js';

/** What crypto-js can do; XXH3 is not among it. */
export type FallbackAlgorithm = 'md5' | 'sha256';

/** A digest of bytes that come in pieces. */
export interface FallbackDigest {
  update(bytes: Uint8Array): void;
  /** Lower-case hex. Nothing may be added after it. */
  hex(): string;
}

/** crypto-js copies what it is given into numbers, eight bytes for four. */
const pieceBytes = 1024 * 1024;

/**
 * An implementation that shares nothing with the probe's and node's own: it says what the digest of generated
 * bytes must be, and stands in where the platform forbids MD5. About 26 MB/s: never for a user's file when
 * anything faster may read it.
 */
export function createFallbackDigest(algorithm: FallbackAlgorithm): FallbackDigest {
  const hasher = algorithm === 'md5' ? CryptoJS.algo.MD5.create() : CryptoJS.algo.SHA256.create();
  return {
    update(bytes) {
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        const piece = bytes.subarray(at, at + pieceBytes);
        // A view of a larger buffer is copied: some typed arrays are taken whole otherwise.
        hasher.update(CryptoJS.lib.WordArray.create(Uint8Array.from(piece)));
      }
    },
    hex: () => hasher.finalize().toString(),
  };
}

/** The digest of bytes that are all there, in lower-case hex. See createFallbackDigest. */
export function digestOfBytes(algorithm: FallbackAlgorithm, bytes: Uint8Array): string {
  const digest = createFallbackDigest(algorithm);
  digest.update(bytes);
  return digest.hex();
}
