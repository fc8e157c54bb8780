import { access, constants, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { KnownError } from '../model/error.ts';

/**
 * Writes a file in one step: a reader never sees half of one. What is no regular file (a pipe, /dev/stdout) is written
 * to, and never replaced; so is a file that is mounted over (/dev/termination-log of Kubernetes).
 * @throws KnownError `report-not-written`
 */
export async function replaceFile(file: string, text: string): Promise<void> {
  try {
    if (await isInPlace(file)) {
      await writeFile(file, text);
      return;
    }
    // A link goes on leading to the file.
    const target = await realpath(file).catch(() => file);
    const part = `${target}.part`;
    await writeFile(part, text);
    await rename(part, target).catch(async (error: unknown) => {
      await rm(part, { force: true });
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
      await writeFile(target, text);
    });
  } catch (error) {
    throw notWritten(file, error);
  }
}

/**
 * Sees that a file could be written.
 * @throws KnownError `report-not-written`
 */
export async function requireWritable(file: string): Promise<void> {
  const needed = (await isInPlace(file)) ? file : path.dirname(path.resolve(file));
  await access(needed, constants.W_OK).catch((error: unknown) => {
    throw notWritten(file, error);
  });
}

/** Whether a file is written where it is: what /dev and /proc have are no files of the user's, whatever they lead to. */
async function isInPlace(file: string): Promise<boolean> {
  if (/^\/(dev|proc)\//.test(path.resolve(file)) && !path.resolve(file).startsWith('/dev/shm/')) return true;
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && !found.isFile();
}

/** What a file that cannot be written is told as. */
export function notWritten(file: string, error: unknown): KnownError {
  const why = (error as NodeJS.ErrnoException).code ?? String(error);
  return new KnownError(
    'report-not-written',
    `${file} cannot be written (${why})`,
    'Name a file in a directory that is there and that you may write to.',
    { cause: error },
  );
}
