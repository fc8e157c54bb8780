/**
 * An error whose cause is outside this program: a wrong argument, an unreachable guest, a full disk.
 * It is printed as one line and its cure, without a stack trace, and ends with exit status 2.
 * Everything that is not a KnownError is a defect of our own: printed in full, exit status 3.
 */
export class KnownError extends Error {
  readonly code: string;
  /** What the user can do about it: one or two sentences, or a command. */
  readonly cure: string;
  /** Evidence worth showing below the line: the tail of a console, a server's own words. */
  readonly detail: string | undefined;

  constructor(
    code: string,
    message: string,
    cure: string,
    options: { cause?: unknown; detail?: string } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'KnownError';
    this.code = code;
    this.cure = cure;
    this.detail = options.detail;
  }
}
