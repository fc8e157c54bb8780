import type { Readable } from 'node:stream';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { KnownError } from '../model/error.ts';
import type { ExecOptions, ExecResult, RemoteProcess } from './endpoint.ts';

const defaultTimeoutMs = 30_000;
const defaultMaxBytes = 1024 * 1024;
/**
 * How long nothing must have come after the program itself has ended before its output is taken as
 * complete without an end: something that it left running in the background may hold the pipe open for ever.
 */
const quietMs = 1000;

/**
 * Carries a started program to its end, keeping at most `maxBytes` of each output stream. What comes after
 * is read and dropped, so that the program is not blocked and its exit status stays its own.
 * @param place for messages: the endpoint's name.
 * @throws KnownError `command-timeout` (the program is told to end; nobody waits for it, since one that
 * hangs in the kernel never does) and `connection-lost`.
 */
export async function runToEnd(
  process: RemoteProcess,
  argv: readonly string[],
  place: string,
  options: ExecOptions = {},
): Promise<ExecResult> {
  const maxBytes = options.maxBytes ?? defaultMaxBytes;
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const stdout = collect(process.stdout, maxBytes);
  const stderr = collect(process.stderr, maxBytes);
  process.stdin.on('error', () => {}); // A program may end without having read its input.
  process.stdin.end(options.input);

  const limit = timer(timeoutMs);
  const ended = await Promise.race([process.ended, limit.passed]);
  if (ended !== undefined) {
    await Promise.race([Promise.all([stdout.done, stderr.done]), limit.passed, quiet([stdout, stderr])]);
  }
  limit.clear();
  process.stdout.destroy();
  process.stderr.destroy();

  if (ended === undefined) {
    process.kill();
    throw new KnownError(
      'command-timeout',
      `${place}: ${describe(argv)} did not end within ${timeoutMs / 1000} s.`,
      'A command that never ends usually waits for a dead daemon or a dead disk; look at its state with ps.',
      detailOf(stderr.text()),
    );
  }
  if (ended.lost !== undefined) {
    throw new KnownError(
      'connection-lost',
      `${place}: the connection was lost during ${describe(argv)}: ${ended.lost}.`,
      'Check that the machine is still running and reachable.',
      detailOf(stderr.text()),
    );
  }
  return {
    status: ended.status,
    signal: ended.signal,
    stdout: stdout.text(),
    stderr: stderr.text(),
    truncated: stdout.truncated() || stderr.truncated(),
  };
}

/** An argv for a message: short, on one line. */
export function describe(argv: readonly string[]): string {
  const line = argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
}

function detailOf(text: string): { detail: string } | undefined {
  return text.trim() === '' ? undefined : { detail: text.trimEnd().slice(-2000) };
}

function collect(stream: Readable, maxBytes: number) {
  const chunks: Buffer[] = [];
  let kept = 0;
  let seen = 0;
  let dropped = false;
  const done = new Promise<void>((resolve) => {
    stream.once('end', resolve).once('close', resolve).on('error', resolve);
  });
  stream.on('data', (chunk: Buffer) => {
    seen += chunk.length;
    const part = chunk.subarray(0, maxBytes - kept);
    if (part.length < chunk.length) dropped = true;
    if (part.length === 0) return;
    kept += part.length;
    chunks.push(part);
  });
  return {
    done,
    text: () => Buffer.concat(chunks).toString('utf8'),
    truncated: () => dropped,
    seen: () => seen,
  };
}

async function quiet(outputs: readonly { seen(): number; done: Promise<void> }[]): Promise<void> {
  const all = () => outputs.reduce((sum, output) => sum + output.seen(), 0);
  let ended = false;
  void Promise.all(outputs.map(({ done }) => done)).then(() => {
    ended = true;
  });
  for (let before = -1; !ended && before !== all(); ) {
    before = all();
    await sleep(quietMs, undefined, { ref: false });
    await immediate(); // After a stall of our own, what has arrived meanwhile is read only now.
  }
}

function timer(ms: number) {
  let handle: NodeJS.Timeout | undefined;
  const passed = new Promise<undefined>((resolve) => {
    handle = setTimeout(resolve, ms, undefined);
  });
  return { passed, clear: () => clearTimeout(handle) };
}
