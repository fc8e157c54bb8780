import { KnownError } from '../model/error.ts';
import type { Report } from '../model/report.ts';
import { type Format, formats, isFormat } from '../report/formats.ts';
import { replaceFile, requireWritable } from './replace-file.ts';

/** A file that the report is written to as well. */
export interface ReportFile {
  readonly format: Format;
  readonly file: string;
}

/** The forms of a report about a mode's promises. */
const checkFormats: readonly Format[] = ['text', 'json', 'junit', 'html'];

/**
 * Reads `--report FORMAT=FILE`, and sees that the files can be written before a run of minutes begins.
 * @param allowed what the command can tell
 * @throws KnownError `bad-flag`, `report-not-written`
 */
export async function readReportFiles(
  given: readonly string[] = [],
  allowed: readonly Format[] = checkFormats,
): Promise<readonly ReportFile[]> {
  const files = given.map((text): ReportFile => {
    const at = text.indexOf('=');
    const [word, file] = [text.slice(0, at), text.slice(at + 1)];
    if (at < 0 || !isFormat(word) || !allowed.includes(word) || file === '')
      throw new KnownError(
        'bad-flag',
        `--report ${text} names no format and file`,
        `Write --report FORMAT=FILE; formats: ${allowed.join(', ')}.`,
      );
    return { format: word, file };
  });
  for (const { file } of files) await requireWritable(file);
  return files;
}

/**
 * Writes them; a reader never sees half of one.
 * @throws KnownError `report-not-written`
 */
export async function writeReportFiles(files: readonly ReportFile[], report: Report): Promise<void> {
  for (const { format, file } of files) await replaceFile(file, await formats[format](report));
}
