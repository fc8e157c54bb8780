import { KnownError } from '../model/error.ts';
import { printable } from '../report/printable.ts';

/**
 * Prints what ended a command and returns its exit status: 2 for a cause outside this program, in one line
 * with its cure; 3 for a defect of our own, in full.
 */
export function reportFailure(error: unknown): 2 | 3 {
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
