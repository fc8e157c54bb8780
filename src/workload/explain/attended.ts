import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import type { Endpoint } from '../../endpoint/endpoint.ts';
import { KnownError } from '../../model/error.ts';
import { describeOutcome } from '../../model/outcome.ts';
import type { RunEnd, RunFile, RunLine, RunSample, RunSignal } from '../../model/program-run.ts';
import type { ProbeSession } from '../../probe/session.ts';
import { Thinned } from './thinned.ts';

/** The side that the program runs on. */
export interface Place {
  readonly endpoint: Endpoint;
  readonly session: ProbeSession;
}

/** What is to be run, as its user wrote it. */
export interface Command {
  readonly argv: readonly string[];
  /** The program is the probe itself, wherever it lies there. */
  readonly isProbe?: boolean;
  /** The working directory there; absent: where a login begins. */
  readonly directory?: string;
}

/** The user's own streams. */
export interface Streams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** Who listens while it runs. */
export interface Listener {
  /** @param supervisor its process there, below which the program runs. */
  onStarted?(supervisor: number): void;
  onFile?(file: RunFile): void;
  onSample?(sample: RunSample): void;
  onEnded?(): void;
  /** Both outputs, as they pass. */
  onOutput?(chunk: Buffer): void;
}

/** How a program ended, with its account. */
export interface Attended {
  /** As a shell would say it: the program's own status, or 128 + N for signal N. */
  readonly status: number;
  /** Absent where it could not be started, or the account was lost. */
  readonly end?: RunEnd;
  /** CLOCK_MONOTONIC of its side when it started. */
  readonly startedNs?: string;
  readonly samples: readonly RunSample[];
  readonly files: readonly RunFile[];
  /** Why it did not start: an errno's name. */
  readonly failed?: string;
}

/** How long the program's supervisor may take to appear: an ssh login lies in between. */
const appearMs = 30_000;
/** It tells something each second. */
const silentMs = 120_000;
/** Its last words may still be on their way when its channel has closed, and the reverse. */
const lateMs = 5000;
/** Seven minutes at the full rate; a longer run is kept more thinly. */
const mostSamples = 4096;

/** A program that runs; `signal` hands one on to it. */
export interface Running {
  readonly done: Promise<Attended>;
  signal(name: RunSignal): void;
}

/**
 * Sees that a side can run programs under its probe.
 * @throws KnownError `no-account`
 */
export function requireProbe({ endpoint, session }: Place): void {
  if (session.hello.arch !== 'node') return;
  throw new KnownError(
    'no-account',
    `${endpoint.name}: plain node stands in for the probe, and cannot count what a program asks for`,
    'Build the probe where this is Linux (npm run build); elsewhere programs are explained in the guest only.',
  );
}

/**
 * Starts somebody else's program under the probe's `run`, its streams connected to the user's byte for byte.
 * @param under directories of the share there: files below them are told when they are seen open.
 * @throws KnownError `no-account` where this side's probe cannot run programs; what the endpoint throws.
 */
export async function startAttended(
  { endpoint, session }: Place,
  command: Command,
  under: readonly string[],
  streams: Streams,
  listener: Listener = {},
): Promise<Running> {
  requireProbe({ endpoint, session });
  const name = `vfs-verify-${randomBytes(16).toString('hex')}`;
  const lines = new Lines(listener);
  const attended = session.request(
    'explain-attend',
    { do: 'attend', name, waitMs: appearMs },
    {
      root: '/',
      limitMs: silentMs,
      silent: true,
      limitName: 'the account',
      onBulk: (items) => lines.take(items as readonly RunLine[]),
    },
  );
  const probe = `/proc/${session.hello.pid}/exe`;
  const process = await endpoint.spawn([
    probe,
    'run',
    '--tell',
    name,
    ...under.flatMap((each) => ['--under', each]),
    ...(command.directory === undefined ? [] : ['--in', command.directory]),
    '--',
    ...(command.isProbe === true ? [probe, ...command.argv.slice(1)] : command.argv),
  ]);
  process.stdin.on('error', () => {}); // That the program has ended is told by `ended`.
  streams.stdin.pipe(process.stdin);
  if (listener.onOutput !== undefined)
    for (const stream of [process.stdout, process.stderr])
      stream.on('data', listener.onOutput.bind(listener));
  process.stdout.pipe(streams.stdout, { end: false });
  process.stderr.pipe(streams.stderr, { end: false });
  const drained = Promise.all([endOf(process.stdout), endOf(process.stderr)]);

  const done = (async (): Promise<Attended> => {
    const how = await process.ended;
    const outcome = await withLimit(attended, lateMs);
    // What it left running may hold its output open for ever.
    await withLimit(drained, lateMs);
    streams.stdin.unpipe(process.stdin);
    if (how.lost !== undefined)
      throw new KnownError(
        'connection-lost',
        `${endpoint.name}: the connection was lost while the program ran: ${how.lost}`,
        'The program gets SIGHUP then. Check that the machine is still running and reachable.',
      );
    if (lines.failed === undefined && lines.end === undefined && lines.supervisor === undefined)
      throw new KnownError(
        'no-account',
        `${endpoint.name}: the program was not started: ${outcome === undefined ? 'nobody answered' : describeOutcome(outcome)}`,
        'Its last words are above; the directory of --in must be there.',
      );
    return {
      status: how.status ?? 128,
      samples: lines.samples.items,
      files: [...lines.files.values()],
      ...(lines.end === undefined ? {} : { end: lines.end }),
      ...(lines.startedNs === undefined ? {} : { startedNs: lines.startedNs }),
      ...(lines.failed === undefined ? {} : { failed: lines.failed }),
    };
  })();
  return {
    done,
    signal: (signal) => {
      // The program's first words may be here before the supervisor's own.
      void lines.started.then((supervisor) =>
        session.request(
          'explain-signal',
          { do: 'signal', pid: supervisor, signal },
          { root: '/', limitMs: 10_000, limitName: 'handing on a signal' },
        ),
      );
    },
  };
}

class Lines {
  readonly samples = new Thinned<RunSample>(mostSamples);
  /** By path: the last that was told of each. */
  readonly files = new Map<string, RunFile>();
  end: RunEnd | undefined;
  failed: string | undefined;
  startedNs: string | undefined;
  supervisor: number | undefined;
  /** Its supervisor's process, from when it runs; pending for ever where it does not. */
  readonly started: Promise<number>;
  #isStarted: (supervisor: number) => void = () => {};
  readonly #listener: Listener;

  constructor(listener: Listener) {
    this.#listener = listener;
    this.started = new Promise((resolve) => {
      this.#isStarted = resolve;
    });
  }

  take(items: readonly RunLine[]): void {
    for (const line of items) {
      if ('sample' in line) {
        this.samples.push(line.sample);
        this.#listener.onSample?.(line.sample);
      } else if ('file' in line) {
        const isNew = !this.files.has(line.file.path);
        this.files.set(line.file.path, line.file);
        if (isNew) this.#listener.onFile?.(line.file);
      } else if ('ended' in line) {
        this.end = line.ended;
        this.#listener.onEnded?.();
      } else if ('failed' in line) this.failed = line.failed.errno;
      else {
        this.supervisor = line.started.supervisor;
        this.#isStarted(line.started.supervisor);
        this.startedNs = line.started.monotonicNs;
        this.#listener.onStarted?.(line.started.supervisor);
      }
    }
  }
}

function endOf(stream: Readable): Promise<void> {
  return new Promise((resolve) => {
    stream.once('end', resolve).once('close', resolve).once('error', resolve);
  });
}

async function withLimit<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
