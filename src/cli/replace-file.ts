import { rename, writeFile } from 'node:fs/promises';
import { KnownError } from '../model/error.ts';

/**
 * Writes a file in one step: a reader never sees half of one.
 * @throws KnownError `report-not-written`
 */
export async function replaceFile(file: string, text: string): Promise<void> {
  try {
    await writeFile(`${file}.part`, text);
    await rename(`${file}.part`, file);
  } catch (error) {
    throw notWritten(file, error);
  }
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
