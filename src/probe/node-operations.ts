import { createHash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink, stat } from 'node:fs/promises';
import { createFallbackDigest } from '../model/digest.ts';
import type { HashResult, Operation, Stat, TreeEntry, WalkResult } from '../model/operation.ts';
import { pathFromBytes, pathToBytes } from '../model/path.ts';
import type { RequestOptions } from './session.ts';

const bufferBytes = 1024 * 1024;
const progressMs = 100;
const treeBatch = 500;

/** An errno as the probe would have answered it. */
class Refusal extends Error {
  readonly errno: string;
  readonly call: string;

  constructor(errno: string, call: string) {
    super(`${call}: ${errno}`);
    this.errno = errno;
    this.call = call;
  }
}

interface Digest {
  update(bytes: Uint8Array): void;
  hex(): string;
}

/** One request under way: `stopped` once its limit has passed. */
export interface Work {
  readonly options: RequestOptions;
  readonly files: Map<string, FileHandle>;
  stopped: boolean;
  heardMs: number;
  saidMs: number;
}

/** Carries out one operation; rejects with what `refusalOf` reads. */
export function operate(op: Operation, work: Work): Promise<unknown> {
  switch (op.do) {
    case 'stat': {
      const path = absolute(op.path, work);
      return (op.follow ? stat(path, { bigint: true }) : lstat(path, { bigint: true })).then(statOf);
    }
    case 'list':
      return readdir(absolute(op.path, work), { encoding: 'buffer' }).then((names) => ({
        names: (op.raw ? names : names.sort(Buffer.compare)).map(pathFromBytes),
      }));
    case 'open':
      return openFile(op, work);
    case 'close':
      return closeFile(op.file, work);
    case 'fstat':
      return held(op.file, work).stat({ bigint: true }).then(statOf);
    case 'read':
      return readFile(held(op.file, work), op.offset, op.length);
    case 'hash':
      return hash(op, work);
    case 'walk':
      return walk(op, work);
    default:
      throw new Refusal('ENOSYS', op.do);
  }
}

function absolute(path: string, { options }: Work): Buffer {
  return Buffer.from(pathToBytes(path.startsWith('/') ? path : `${options.root}/${path}`));
}

function held(name: string, work: Work): FileHandle {
  const file = work.files.get(name);
  if (file === undefined) throw new Refusal('EBADF', `file ${name} is not open`);
  return file;
}

const openFlags: Readonly<Record<string, number | undefined>> = {
  rdonly: constants.O_RDONLY,
  nofollow: constants.O_NOFOLLOW,
  directory: constants.O_DIRECTORY,
  nonblock: constants.O_NONBLOCK,
  cloexec: 0,
};

async function openFile(op: Extract<Operation, { do: 'open' }>, work: Work): Promise<unknown> {
  let flags = 0;
  for (const flag of op.flags) {
    const bits = openFlags[flag];
    // Nothing that writes: this side has no supervisor to clean up after it.
    if (bits === undefined) throw new Refusal('ENOSYS', `open ${flag}`);
    flags |= bits;
  }
  work.files.set(op.as, await open(absolute(op.path, work), flags));
  return {};
}

async function closeFile(name: string, work: Work): Promise<unknown> {
  const file = held(name, work);
  work.files.delete(name);
  await file.close();
  return {};
}

async function readFile(file: FileHandle, offset: number | undefined, length: number): Promise<unknown> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset ?? null);
  return { bytes: bytesRead, base64: buffer.subarray(0, bytesRead).toString('base64') };
}

function createDigest(algorithm: string): Digest {
  if (algorithm !== 'md5' && algorithm !== 'sha256') throw new Refusal('ENOSYS', `hash ${algorithm}`);
  try {
    const digest = createHash(algorithm);
    return { update: (bytes) => digest.update(bytes), hex: () => digest.digest('hex') };
  } catch {
    // A platform whose OpenSSL forbids MD5 (FIPS).
    return createFallbackDigest(algorithm);
  }
}

async function hash(op: Extract<Operation, { do: 'hash' }>, work: Work): Promise<HashResult> {
  if (op.direct) throw new Refusal('ENOSYS', 'hash with O_DIRECT');
  if (op.block !== undefined && op.blockAlgorithm !== 'md5')
    throw new Refusal('ENOSYS', 'xxh64 block digests');
  const own = op.path === undefined ? undefined : await openToRead(absolute(op.path, work));
  const file = own ?? held(op.file ?? '', work);
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
      if (work.stopped) throw new Refusal('ECANCELED', 'hash');
    }
    await blocks?.end();
    return { digest: whole.hex(), bytes, before, after: statOf(await file.stat({ bigint: true })) };
  } finally {
    await own?.close();
  }
}

function openToRead(path: Buffer): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NONBLOCK);
}

async function* pieces(file: FileHandle, offset: number, length = Number.POSITIVE_INFINITY) {
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
      if (done.length >= 2048) await flush();
    },
    end: async () => {
      endBlock();
      await flush();
    },
  };
}

async function walk(op: Extract<Operation, { do: 'walk' }>, work: Work): Promise<WalkResult> {
  const root = absolute(op.path, work);
  const { dev } = await lstat(root, { bigint: true });
  let batch: TreeEntry[] = [];
  let entries = 0;
  let bytes = 0;
  const flush = async () => {
    await work.options.onBulk?.(batch);
    batch = [];
  };
  for await (const entry of entriesBelow(root, Buffer.alloc(0), dev, op.algorithm)) {
    entries += 1;
    if (entry.digest !== undefined) bytes += entry.size;
    if (batch.push(entry) >= treeBatch) await flush();
    progress(work, () => ({ entries, bytes }));
    if (work.stopped) throw new Refusal('ECANCELED', 'walk');
  }
  if (batch.length > 0) await flush();
  return { entries, bytes };
}

async function* entriesBelow(
  root: Buffer,
  below: Buffer,
  dev: bigint,
  algorithm: string | undefined,
): AsyncGenerator<TreeEntry> {
  const path = below.length === 0 ? root : Buffer.concat([root, Buffer.from('/'), below]);
  const entry: { -readonly [Key in keyof TreeEntry]: TreeEntry[Key] } = {
    path: pathFromBytes(below),
    type: 'other',
    size: 0,
  };
  let names: Buffer[] = [];
  try {
    const found = await lstat(path, { bigint: true });
    entry.type = statOf(found).type;
    entry.size = Number(found.size);
    if (entry.type === 'link') entry.target = pathFromBytes(await readlink(path, { encoding: 'buffer' }));
    if (entry.type === 'directory' && found.dev !== dev) throw new Refusal('EXDEV', 'walk');
    if (entry.type === 'directory') {
      names = (await readdir(path, { encoding: 'buffer' })).sort(Buffer.compare);
    }
    if (entry.type === 'file' && algorithm !== undefined)
      Object.assign(entry, await digestOf(path, algorithm));
  } catch (error) {
    entry.error = refusalOf(error).errno;
  }
  yield entry;
  for (const name of names) {
    yield* entriesBelow(
      root,
      below.length === 0 ? name : Buffer.concat([below, Buffer.from('/'), name]),
      dev,
      algorithm,
    );
  }
}

async function digestOf(path: Buffer, algorithm: string): Promise<Partial<TreeEntry>> {
  const file = await openToRead(path);
  try {
    const before = await file.stat({ bigint: true });
    const digest = createDigest(algorithm);
    for await (const piece of pieces(file, 0)) digest.update(piece);
    const after = await file.stat({ bigint: true });
    const changed =
      before.size !== after.size || before.mtimeNs !== after.mtimeNs || before.ctimeNs !== after.ctimeNs;
    return { digest: digest.hex(), size: Number(before.size), ...(changed ? { changed } : {}) };
  } finally {
    await file.close();
  }
}

function progress(work: Work, what: () => { bytes?: number; entries?: number }): void {
  const now = performance.now();
  work.heardMs = now;
  if (now - work.saidMs < progressMs) return;
  work.saidMs = now;
  work.options.onProgress?.(what());
}

function statOf(from: BigIntStats): Stat {
  return {
    type: from.isFile()
      ? 'file'
      : from.isDirectory()
        ? 'directory'
        : from.isSymbolicLink()
          ? 'link'
          : from.isFIFO()
            ? 'fifo'
            : from.isSocket()
              ? 'socket'
              : from.isBlockDevice()
                ? 'block'
                : from.isCharacterDevice()
                  ? 'character'
                  : 'other',
    size: Number(from.size),
    blocks512: Number(from.blocks),
    mode: Number(from.mode & 0o7777n),
    nlink: Number(from.nlink),
    uid: Number(from.uid),
    gid: Number(from.gid),
    ino: `${from.ino}`,
    dev: `${from.dev}`,
    mtimeNs: `${from.mtimeNs}`,
    ctimeNs: `${from.ctimeNs}`,
    atimeNs: `${from.atimeNs}`,
  };
}

/** The errno in an error of node's or of our own; anything else is a defect and thrown on. */
export function refusalOf(error: unknown): { errno: string; call: string } {
  if (error instanceof Refusal) return error;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) throw error;
  return { errno: code, call: syscall };
}
