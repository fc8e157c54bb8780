import { PassThrough } from 'node:stream';
import { KnownError } from '../model/error.ts';
import type { Endpoint, ExecOptions, ExecResult, RemoteProcess } from './endpoint.ts';
import { describe } from './run-to-end.ts';

/** Lines that a scripted program writes (without their newlines), one at a time or when they are ready. */
type Lines = Iterable<string> | AsyncIterable<string> | Promise<Iterable<string>>;

type Ending = { readonly status?: number; readonly signal?: string; readonly lost?: string };

/** A program that answers line by line. Answers to several lines may be under way at once. */
interface Conversation {
  /** Written before anything is read. */
  readonly greeting?: Lines;
  /** What is written for one line that was read; nothing for none. */
  answer(line: string): Lines | undefined;
  /** What it ends with; without it, status 0 once its input has ended. */
  readonly ended?: Promise<Ending>;
}

/** What a scripted endpoint does. */
export interface Script {
  readonly name?: string;
  /** The result of a command: its output, or more. Undefined: there is no such program. */
  exec?(argv: readonly string[], options: ExecOptions): ScriptedResult | Promise<ScriptedResult>;
  /** The conversation with a program. Undefined: there is no such program. */
  spawn?(argv: readonly string[]): Conversation | undefined;
}

type ScriptedResult = string | Partial<ExecResult> | undefined;

/** An endpoint without any machine behind it, for tests. */
export function scriptedEndpoint(script: Script): Endpoint {
  const name = script.name ?? 'a scripted machine';
  const notFound = (argv: readonly string[]) =>
    new KnownError('command-not-started', `${name}: ${describe(argv)} is not in the script.`, 'Add it.');
  const running = new Set<RemoteProcess>();
  return {
    kind: 'scripted',
    name,
    exec: async (argv, options = {}) => {
      const result = await script.exec?.(argv, options);
      if (result === undefined) throw notFound(argv);
      return {
        status: 0,
        signal: undefined,
        stdout: '',
        stderr: '',
        truncated: false,
        ...(typeof result === 'string' ? { stdout: result } : result),
      };
    },
    spawn: async (argv) => {
      const conversation = script.spawn?.(argv);
      if (conversation === undefined) throw notFound(argv);
      const program = converse(conversation);
      running.add(program);
      void program.ended.then(() => running.delete(program));
      return program;
    },
    close: async () => {
      for (const program of running) program.kill();
    },
  };
}

function converse(conversation: Conversation): RemoteProcess {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  let end: (how: Ending) => void = () => {};
  const ended = new Promise<Ending>((resolve) => {
    end = resolve;
  });
  void conversation.ended?.then(end);
  void ended.then(() => {
    stdout.end();
    stderr.end();
    stdin.destroy();
  });
  const say = async (lines: () => Lines | undefined) => {
    try {
      for await (const line of (await lines()) ?? []) if (!stdout.writableEnded) stdout.write(`${line}\n`);
    } catch (error) {
      // A mistake in a script must not look like silence.
      end({ lost: `the script failed: ${(error as Error).message}` });
    }
  };

  const said = [say(() => conversation.greeting)];
  let rest = '';
  stdin.setEncoding('utf8');
  stdin.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) said.push(say(() => conversation.answer(line)));
  });
  stdin.on('error', () => {});
  stdin.on('end', () => {
    if (conversation.ended === undefined) void Promise.all(said).then(() => end({ status: 0 }));
  });
  return { stdin, stdout, stderr, ended, kill: () => end({ signal: 'SIGTERM' }) };
}
