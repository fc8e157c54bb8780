import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { HashResult, Operation, RangeDigest } from '../../model/operation.ts';
import { createDigest, type Digest } from './digest.ts';
import { statOf } from './stat.ts';
import { absolute, goOn, held, progress, Refusal, type Work } from './work.ts';

const bufferBytes = 1024 * 1024;
/** Block digests that are handed over at once. */
const blockBatch = 2048;

/** One pass over a file: the digest of the whole, and those of its blocks as bulk items. */
export async function hash(op: Extract<Operation, { do: 'hash' }>, work: Work): Promise<HashResult> {
  const own = op.path === undefined ? undefined : await openToRead(absolute(op.path, work));
  const file = own ?? held(op.file ?? '', work).file;
  try {
    const before = statOf(await file.stat({ bigint: true }));
    if (before.type === 'directory') throw new Refusal('EISDIR', 'open');
    if (before.type !== 'file') throw new Refusal('EINVAL', 'hash: not a regular file');
    const whole = createDigest(op.algorithm);
    const blocks = op.block === undefined ? undefined : blockDigests(op.block, work);
    let bytes = 0;
    for await (const piece of pieces(file, op.range?.offset ?? 0, op.range?.length)) {
      whole.update(piece);
      await blocks?.add(piece);
      bytes += piece.length;
      progress(work, () => ({ bytes }));
      goOn(work, 'hash');
    }
    await blocks?.end();
    return { digest: whole.hex(), bytes, before, after: statOf(await file.stat({ bigint: true })) };
  } finally {
    await own?.close();
  }
}

/** Digests of many ranges of one open file. */
export async function hashRanges(
  op: Extract<Operation, { do: 'hash-ranges' }>,
  work: Work,
): Promise<readonly RangeDigest[]> {
  const { file } = held(op.file, work);
  const digests: RangeDigest[] = [];
  for (const { offset, length } of op.ranges) {
    const digest = createDigest(op.algorithm);
    let bytes = 0;
    for await (const piece of pieces(file, offset, length)) {
      digest.update(piece);
      bytes += piece.length;
      progress(work, () => ({ bytes }));
      goOn(work, 'hash-ranges');
    }
    digests.push({ digest: digest.hex(), bytes });
  }
  return digests;
}

/** Opens a file that is only read. A FIFO without a writer would keep a plain open waiting. */
export function openToRead(path: Buffer): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

/** The bytes of a range, piece by piece, in one buffer. */
export async function* pieces(
  file: FileHandle,
  offset: number,
  length = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(bufferBytes);
  let at = offset;
  const end = offset + length;
  while (at < end) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(bufferBytes, end - at), at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

/** The digests of consecutive blocks, handed over as bulk items. */
function blockDigests(block: number, work: Work) {
  let digest: Digest | undefined;
  let filled = 0;
  let from = 0;
  let done: string[] = [];
  const flush = async () => {
    if (done.length === 0) return;
    await work.options.onBulk?.([{ from, base64: Buffer.from(done.join(''), 'hex').toString('base64') }]);
    from += done.length;
    done = [];
  };
  const endBlock = () => {
    if (digest !== undefined) done.push(digest.hex());
    digest = undefined;
    filled = 0;
  };
  return {
    add: async (piece: Uint8Array) => {
      for (let at = 0; at < piece.length; ) {
        digest ??= createDigest('md5');
        const part = piece.subarray(at, at + block - filled);
        digest.update(part);
        filled += part.length;
        at += part.length;
        if (filled === block) endBlock();
      }
      if (done.length >= blockBatch) await flush();
    },
    end: async () => {
      endBlock();
      await flush();
    },
  };
}
