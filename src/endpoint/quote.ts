import { KnownError } from '../model/error.ts';

/**
 * One shell command line that runs this argv, for transports that hand a string to a login shell. The
 * shell need not be a POSIX one: a backslash inside single quotes means itself to sh, but not to fish, and
 * csh expands `!` even there; so both stand outside the quotes, where a backslash protects them everywhere.
 * @param env added to the program's environment.
 * @throws KnownError `command-not-started` for what no command line can carry (NUL, half a surrogate pair).
 */
export function quoteCommand(argv: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const assignments = Object.entries(env).map(([name, value]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new TypeError(`not an environment variable: ${name}`);
    return `${name}=${value}`;
  });
  // exec: the program takes the shell's place, so that a signal reaches it. `env` because an assignment
  // before a command is not understood by csh and fish.
  const words = assignments.length === 0 ? argv : ['env', ...assignments, ...argv];
  return ['exec', ...words.map(quote)].join(' ');
}

/** One word as the shell must see it to pass exactly this string on. */
export function quote(word: string): string {
  if (word.includes('\0') || !word.isWellFormed()) {
    throw new KnownError(
      'command-not-started',
      `${JSON.stringify(word)} cannot be an argument of a command.`,
      'Rename the file, or name a directory above it.',
    );
  }
  if (word === '') return "''";
  return word.replace(
    /([\\'!])|([A-Za-z0-9_@%+:,./-]+)|[^\\'!A-Za-z0-9_@%+:,./-]+/g,
    (match, special?: string, plain?: string) =>
      special !== undefined ? `\\${special}` : plain !== undefined ? plain : `'${match}'`,
  );
}
