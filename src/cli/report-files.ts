import { access, constants, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { KnownError } from '../model/error.ts';
import type { Report } from '../model/report.ts';
import { type Format, formats, isFormat } from '../report/formats.ts';

/** A file that the report is written to as well. */
export interface ReportFile {
  readonly format: Format;
  readonly file: string;
}

/**
 * Reads `--report FORMAT=FILE`, and sees that the files can be written before a run of minutes begins.
 * @throws KnownError `bad-flag`, `report-not-written`
 */
export async function readReportFiles(given: readonly string[] = []): Promise<readonly ReportFile[]> {
  const files = given.map((text): ReportFile => {
    const at = text.indexOf('=');
    const [word, file] = [text.slice(0, at), text.slice(at + 1)];
    if (at < 0 || !isFormat(word) || file === '')
      throw new KnownError(
        'bad-flag',
        `--report ${text} names no format and file`,
        `Write --report FORMAT=FILE; formats: ${Object.keys(formats).join(', ')}.`,
      );
    return { format: word, file };
  });
  for (const { file } of files)
    await access(path.dirname(path.resolve(file)), constants.W_OK).catch((error: unknown) => {
      throw notWritten(file, error);
    });
  return files;
}

/**
 * Writes them; a reader never sees half of one.
 * @throws KnownError `report-not-written`
 */
export async function writeReportFiles(files: readonly ReportFile[], report: Report): Promise<void> {
  for (const { format, file } of files) {
    const text = await formats[format](report);
    try {
      await writeFile(`${file}.part`, text);
      await rename(`${file}.part`, file);
    } catch (error) {
      throw notWritten(file, error);
    }
  }
}

function notWritten(file: string, error: unknown): KnownError {
  const why = (error as NodeJS.ErrnoException).code ?? String(error);
  return new KnownError(
    'report-not-written',
    `${file} cannot be written (${why})`,
    'Name a file in a directory that is there and that you may write to.',
    { cause: error },
  );
}
