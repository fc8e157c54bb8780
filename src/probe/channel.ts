import type { Readable } from 'node:stream';
import type { RemoteProcess } from '../endpoint/endpoint.ts';
import { withinMs } from '../endpoint/within.ts';
import { lineSplitter } from './lines.ts';

const maxLineBytes = 2 * 1024 * 1024 + 1024;
const stderrTailBytes = 4096;
/** How long output may still come after the program itself has ended. */
const drainMs = 1000;

/** A started program as lines in both directions, and the tail of what it says on standard error. */
export interface Channel {
  /** Sets who gets each line of standard output from now on; with nobody there, lines wait. */
  listen(onLine: ((line: string) => void) | undefined): void;
  /** Sends bytes; a program that has ended is told of by `ended`, not here. */
  send(bytes: string | Uint8Array): void;
  pause(): void;
  resume(): void;
  stderrTail(): string;
  /** Settles with the reason, in words, when nothing more will come. Never rejects. */
  readonly ended: Promise<string>;
  /** Lets the program end by itself for `ms`, then asks for its end. Never rejects; bounded. */
  end(ms: number): Promise<void>;
  kill(): void;
}

/** Takes over the streams of a program. */
export function openChannel(process: RemoteProcess): Channel {
  let tail = Buffer.alloc(0);
  let listener: ((line: string) => void) | undefined;
  const waiting: string[] = [];
  let overlong = false;
  const { stdin, stdout, stderr } = process;
  stdin.on('error', () => {});
  stderr.on('error', () => {});
  stderr.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-stderrTailBytes);
  });
  const split = lineSplitter(
    maxLineBytes,
    (line) => {
      if (listener === undefined) waiting.push(line);
      else listener(line);
    },
    () => {
      overlong = true;
      process.kill();
    },
  );
  const drained = Promise.all([stdout, stderr].map(endOf));
  stdout.on('data', split);
  const ended = process.ended.then(async ({ status, signal, lost }) => {
    await withinMs(drained, drainMs);
    if (overlong) return 'it sent a line of more than 2 MiB';
    if (lost !== undefined) return `the connection was lost: ${lost}`;
    return signal !== undefined ? `it was ended by ${signal}` : `it ended with status ${status}`;
  });
  return {
    listen: (onLine) => {
      listener = onLine;
      // A line may make its receiver hand over to another one.
      while (listener !== undefined && waiting.length > 0) listener(waiting.shift() as string);
    },
    send: (bytes) => {
      if (!stdin.destroyed && !stdin.writableEnded) stdin.write(bytes);
    },
    pause: () => stdout.pause(),
    resume: () => stdout.resume(),
    stderrTail: () => tail.toString('utf8').trim(),
    ended,
    end: async (ms) => {
      if (!stdin.destroyed) stdin.end();
      // What nobody reads would keep it from ending.
      stdout.resume();
      if ((await withinMs(ended, ms)) === undefined) process.kill();
    },
    kill: () => process.kill(),
  };
}

/** Nothing more will come from a stream. */
function endOf(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    stream.once('end', resolve).once('close', resolve).on('error', resolve);
  });
}
