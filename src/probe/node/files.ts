import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenFlag, Operation, Stat } from '../../model/operation.ts';
import { patternBytes } from '../../model/pattern.ts';
import { statOf } from './stat.ts';
import { absolute, goOn, type Held, held, progress, Refusal, type Work } from './work.ts';

type On<K extends Operation['do']> = Extract<Operation, { do: K }>;

/** As many bytes as one pattern or one write may have. */
const mostBytes = 1024 * 1024;

const openBits: Readonly<Partial<Record<OpenFlag, number>>> = {
  rdonly: constants.O_RDONLY,
  wronly: constants.O_WRONLY,
  rdwr: constants.O_RDWR,
  creat: constants.O_CREAT,
  excl: constants.O_EXCL,
  trunc: constants.O_TRUNC,
  append: constants.O_APPEND,
  dsync: constants.O_DSYNC,
  sync: constants.O_SYNC,
  nofollow: constants.O_NOFOLLOW,
  directory: constants.O_DIRECTORY,
  nonblock: constants.O_NONBLOCK,
  // Node sets it on every file.
  cloexec: 0,
};

/** The first of these flags that node does not have here. */
export function unknownFlag(flags: readonly OpenFlag[]): OpenFlag | undefined {
  return flags.find((each) => openBits[each] === undefined);
}

function bitsOf(flags: readonly OpenFlag[]): number {
  return flags.reduce((bits, each) => bits | (openBits[each] ?? 0), 0);
}

/** Opens a file without holding it. A new one has the very mode bits, as the probe makes it, which has no umask. */
export async function openAt(
  path: string,
  flags: readonly OpenFlag[],
  work: Work,
  mode = 0o644,
): Promise<Held> {
  const file = await open(absolute(path, work), bitsOf(flags), mode);
  try {
    if (flags.includes('creat') && flags.includes('excl')) {
      const made = Number((await file.stat()).mode & 0o777);
      if (made !== (mode & 0o777)) await file.chmod(mode);
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  return { file, appends: flags.includes('append') };
}

export async function openFile({ path, flags, as, mode }: On<'open'>, work: Work): Promise<object> {
  const opened = await openAt(path, flags, work, mode);
  // The request may have been given up meanwhile, and its actor's files are closed by then.
  if (work.stopped) await opened.file.close();
  goOn(work, 'open');
  work.files.set(as, opened);
  return {};
}

export async function closeFile({ file: name }: On<'close'>, work: Work): Promise<object> {
  const { file } = held(name, work);
  work.files.delete(name);
  await file.close();
  return {};
}

export async function lookAtFile({ file }: On<'fstat'>, work: Work): Promise<Stat> {
  return statOf(await held(file, work).file.stat({ bigint: true }));
}

/** What one call gave. */
export interface Bytes {
  readonly bytes: number;
  readonly base64: string;
}

/** One read; without an offset at the file's own position. */
export async function readAt({ file }: Held, offset: number | undefined, length: number): Promise<Bytes> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset ?? null);
  return { bytes: bytesRead, base64: buffer.subarray(0, bytesRead).toString('base64') };
}

export async function readFrom({ file, offset, length }: On<'read'>, work: Work): Promise<Bytes> {
  return readAt(held(file, work), offset, length);
}

/** Linux appends at a file that was opened for it, wherever pwrite is told to write; other kernels do as they are told. */
function place({ appends }: Held, offset: number | undefined): number | null {
  return appends ? null : (offset ?? null);
}

export async function writeTo(
  { file: name, offset, base64 }: On<'write'>,
  work: Work,
): Promise<{ bytes: number }> {
  const target = held(name, work);
  const bytes = Buffer.from(base64, 'base64');
  const { bytesWritten } = await target.file.write(bytes, 0, bytes.length, place(target, offset));
  return { bytes: bytesWritten };
}

export async function fill(op: On<'fill'>, work: Work): Promise<{ bytes: number }> {
  const target = held(op.file, work);
  const { offset, length } = op.range;
  let done = 0;
  while (done < length) {
    if (done > 0 && op.pauseUs !== undefined && op.pauseUs > 0) await sleep(op.pauseUs / 1000);
    goOn(work, 'fill');
    const chunk = Math.min(op.chunk ?? mostBytes, length - done);
    const bytes = patternBytes(op, offset + done, chunk);
    for (let sent = 0; sent < chunk; ) {
      const at = place(target, offset + done + sent);
      const { bytesWritten } = await target.file.write(bytes, sent, chunk - sent, at);
      if (bytesWritten === 0) throw new Refusal('EIO', 'write wrote nothing');
      sent += bytesWritten;
    }
    done += chunk;
    progress(work, () => ({ bytes: done }));
  }
  return { bytes: done };
}

export async function flush({ file, data }: On<'fsync'>, work: Work): Promise<object> {
  const target = held(file, work).file;
  await (data === true ? target.datasync() : target.sync());
  return {};
}

export async function cutFile({ file, length }: On<'ftruncate'>, work: Work): Promise<object> {
  await held(file, work).file.truncate(length);
  return {};
}

export async function changeModeOf({ file, mode }: On<'fchmod'>, work: Work): Promise<object> {
  await held(file, work).file.chmod(mode);
  return {};
}
