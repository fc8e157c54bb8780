import { randomBytes } from 'node:crypto';
import { split } from 'shlex';
import { KnownError } from '../model/error.ts';
import type { Endpoint } from './endpoint.ts';
import { localEndpoint } from './local.ts';
import { quoteCommand } from './quote.ts';
import { describe, runToEnd } from './run-to-end.ts';
import { notStartedByShell } from './shell-words.ts';
import { awaitShell } from './through-shell.ts';

/** What comes before the command of an endpoint that is reached through one. */
export const throughPrefix = 'exec:';

/** A cluster or a virtual machine may take a while to start a process. */
const defaultShellMs = 30_000;

export interface ThroughOptions {
  /** How long the command may take until its shell answers. Default 30,000 ms; for each program. */
  readonly connectTimeoutMs?: number;
}

/**
 * Whatever a command gives a shell on: a container, a namespace, a machine that another program reaches. For
 * each program the command is started once more, with one word added: `sh`. That word is the same whether the
 * command executes its words as they are (docker exec) or joins them again for a shell over there (ssh), and
 * everything else goes to that shell over its standard input, as one line, quoted once. What the program itself
 * reads follows when the shell has said that it has read that line: it may have read ahead before.
 * @param spec `exec:COMMAND WORDS`, with the quoting of a POSIX shell; nothing in it is expanded.
 * @throws KnownError `bad-target`. Programs throw `unreachable` where no shell answers, and `auth` where the
 * command asks for something.
 */
export function throughEndpoint(spec: string, options: ThroughOptions = {}): Endpoint {
  const prefix = commandOf(spec);
  const limitMs = options.connectTimeoutMs ?? defaultShellMs;
  const local = localEndpoint();

  const spawn: Endpoint['spawn'] = async (argv, { env } = {}) => {
    const word = `vfs-verify-${randomBytes(12).toString('hex')}`;
    // In two quoted halves: where a terminal echoes the line, the echo is not taken for the answer.
    const [half, rest] = [word.slice(0, 20), word.slice(20)];
    const line = `printf '%s%s\\n' '${half}' '${rest}'; ${quoteCommand(argv, env)}\n`;
    const process = await local.spawn([...prefix, 'sh']).catch((error: unknown) => {
      throw notRun(spec, error);
    });
    process.stdin.write(line);
    await awaitShell(process, { word, name: spec, limitMs });
    return process;
  };

  return {
    kind: 'through',
    name: spec,
    spawn,
    exec: async (argv, execOptions) => {
      const result = await runToEnd(await spawn(argv), argv, spec, execOptions);
      const missing = notStartedByShell(argv, result);
      if (missing === undefined) return result;
      throw new KnownError(
        'command-not-started',
        `${spec}: ${describe(argv.slice(0, 1))} could not be started: ${missing}.`,
        'Install it there, or put its directory into the PATH that the command gives.',
        { detail: result.stderr.trim() },
      );
    },
    close: () => local.close(),
  };
}

/** The words of the command. @throws KnownError `bad-target` */
export function commandOf(spec: string): readonly string[] {
  const text = spec.slice(throughPrefix.length);
  let words: readonly string[];
  try {
    words = split(text);
  } catch {
    throw badTarget(spec, 'a quotation mark has no second one');
  }
  if (words.length === 0 || words[0] === '') throw badTarget(spec, 'the command is missing');
  return words;
}

function badTarget(spec: string, why: string): KnownError {
  return new KnownError(
    'bad-target',
    `${JSON.stringify(spec)} names no machine: ${why}.`,
    "Write the command that gives a shell there, such as 'exec:docker exec -i NAME' or 'exec:kubectl exec -i POD --'.",
  );
}

/** The local machine's error, in the words of what the user has asked for. */
function notRun(spec: string, error: unknown): unknown {
  if (!(error instanceof KnownError)) return error;
  return new KnownError('unreachable', `${spec} cannot be reached: ${error.message}`, error.cure, {
    cause: error,
  });
}
