import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { KnownError } from '../../model/error.ts';

/** A program that goes on when we end. */
export interface Background {
  readonly pid: number;
  readonly logFile: string;
  /** Settles when it ends while we are still here: how, in words. */
  readonly ended: Promise<string>;
  /** What it has said so far, or the end of that. */
  tail(): string;
}

/**
 * Starts a program in a session of its own, what it says going to a file.
 * @throws KnownError `program-missing`.
 */
export async function startInBackground(
  argv: readonly string[],
  options: {
    readonly logFile: string;
    readonly env: Readonly<Record<string, string>>;
    readonly role: string;
  },
): Promise<Background> {
  const { logFile, role } = options;
  const [program = '', ...words] = argv;
  const log = openSync(logFile, 'a', 0o600);
  try {
    const child = spawn(program, words, {
      detached: true,
      stdio: ['ignore', log, log],
      env: { ...process.env, ...options.env },
    });
    const ended = new Promise<string>((resolve) => {
      child.once('exit', (status, signal) => {
        resolve(signal === null ? `ended with status ${status}` : `was ended by ${signal}`);
      });
    });
    await new Promise((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) => {
        const why = 'code' in cause ? String(cause.code) : cause.message;
        reject(
          new KnownError(
            'program-missing',
            `${role} cannot be started: ${program}: ${why}`,
            'A script needs a first line such as #!/bin/sh, and its interpreter must be there.',
            { cause },
          ),
        );
      });
    });
    child.unref();
    return { pid: child.pid as number, logFile, ended, tail: () => tailOf(logFile) };
  } finally {
    closeSync(log);
  }
}

/** The last lines of a log, for a person. */
export function tailOf(file: string, lines = 25): string {
  return logText(file).trimEnd().split('\n').slice(-lines).join('\n');
}

/** A whole log, without what a terminal would take for commands: firmware clears the screen. Empty if absent. */
export function logText(file: string): string {
  try {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to go.
    const commands = /\x1b(\[[0-9;?]*[A-Za-z]|[a-zA-Z])|[\x00-\x08\x0b-\x1f\x7f]/g;
    return readFileSync(file, 'utf8').replace(commands, '');
  } catch {
    return '';
  }
}
