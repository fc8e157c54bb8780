import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { KnownError } from '../model/error.ts';

const mebibyte = 1024 * 1024;

/**
 * Makes sure that there is room below a directory (which need not exist yet).
 * @throws KnownError `disk-full`.
 */
export function requireSpace(directory: string, bytes: number, what: string): void {
  let existing = directory;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  if (bavail * bsize < bytes) throw diskFull(directory, bytes, what, bavail * bsize);
}

function diskFull(directory: string, bytes: number, what: string, free?: number): KnownError {
  const has = free === undefined ? '' : ` and has ${Math.floor(free / mebibyte)} MiB`;
  return new KnownError(
    'disk-full',
    `no space for ${what}: ${directory} needs ${Math.ceil(bytes / mebibyte)} MiB${has}`,
    'Free some space there, or point XDG_CACHE_HOME and XDG_STATE_HOME at a disk that has it.',
  );
}

/** Runs `story`; that the disk was full, in whatever words, becomes a KnownError with what is needed. */
export async function sayingDiskFull<T>(
  directory: string,
  bytes: number,
  what: string,
  story: () => Promise<T>,
): Promise<T> {
  try {
    return await story();
  } catch (error) {
    const text = error instanceof Error ? `${error.message} ${detailOf(error)}` : '';
    if (/ENOSPC|EDQUOT|No space left on device|Disk quota exceeded/.test(text)) {
      throw diskFull(directory, bytes, what);
    }
    throw error;
  }
}

function detailOf(error: Error): string {
  return error instanceof KnownError ? (error.detail ?? '') : '';
}
