import { KnownError } from '../model/error.ts';
import { printable } from '../report/printable.ts';

/** What a machine runs out of, and a file system that has turned against writing: no defect of ours. */
const cures: Readonly<Record<string, string>> = {
  ENOSPC: 'Make some space, or name another place (--bundle, --report, TMPDIR).',
  EDQUOT: 'Make some space below your quota, or name another place (--bundle, --report, TMPDIR).',
  EROFS: 'Name a place that can be written (--bundle, --report, TMPDIR).',
  EMFILE: 'Raise the limit of open files: ulimit -n.',
  ENFILE: 'This machine has as many files open as it can: end what holds them.',
};

/**
 * Prints what ended a command and returns its exit status: 2 for a cause outside this program, in one line
 * with its cure; 3 for a defect of our own, in full.
 */
export function reportFailure(given: unknown): 2 | 3 {
  const error = asKnown(given) ?? given;
  if (error instanceof KnownError) {
    const detail =
      error.detail === undefined
        ? ''
        : `${error.detail
            .trimEnd()
            .split('\n')
            .map((line) => `    ${printable(line)}`)
            .join('\n')}\n`;
    process.stderr.write(
      `vfs-verify: ${printable(error.message)}\n${detail}next: ${printable(error.cure)}\n`,
    );
    return 2;
  }
  const words = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(
    `vfs-verify: a defect of vfs-verify itself; please report it with this text\n${words}\n`,
  );
  return 3;
}

/** What has its cause outside this program, with a cure; undefined for a defect of ours. */
export function asKnown(error: unknown): KnownError | undefined {
  if (error instanceof KnownError) return error;
  if (!(error instanceof Error)) return undefined;
  const cure = cures[(error as NodeJS.ErrnoException).code ?? ''];
  return cure === undefined
    ? undefined
    : new KnownError('machine-exhausted', error.message, cure, { cause: error });
}
