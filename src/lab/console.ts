import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { KnownError } from '../model/error.ts';
import { consoleWord } from './guest/scripts.ts';
import { type Background, tailOf } from './vm/background.ts';

/** What a boot is watched by. */
export interface Watched {
  readonly consoleLog: string;
  readonly qemu: Background;
  /** Mode's name → its daemon. */
  readonly daemons: ReadonlyMap<string, Background>;
  readonly limitMs: number;
  readonly signal: AbortSignal | undefined;
  /** Mounts that the guest may lack. */
  readonly optional: readonly string[];
}

/**
 * Waits for the guest to say that it is ready.
 * @returns what it could not mount and may do without: the mount's path and the words of mount(8).
 * @throws KnownError `guest-not-up` (the limit passed), `guest-failed` (it said what it lacks),
 * `vm-ended`, `daemon-ended`: each with the tail of the console or of the program's own words.
 */
export async function waitForGuest(watched: Watched): Promise<ReadonlyMap<string, string>> {
  const { consoleLog, daemons, limitMs, signal } = watched;
  const deadline = performance.now() + limitMs;
  const ends = watchEnds(watched);
  for (;;) {
    signal?.throwIfAborted();
    const said = linesOf(consoleLog);
    if (said.some((line) => line.startsWith('ready'))) {
      const failed = said.flatMap((line) => /^failed: (.*)$/.exec(line)?.[1] ?? []);
      const excused = new Map(
        failed.flatMap((words) => {
          const path = watched.optional.find((each) => words.startsWith(`${each}: `));
          return path === undefined ? [] : [[path, words.slice(path.length + 2)] as const];
        }),
      );
      const lacks = failed.filter(
        (words) => ![...excused.keys()].some((path) => words.startsWith(`${path}: `)),
      );
      if (lacks.length === 0) return excused;
      throw new KnownError(
        'guest-failed',
        `the guest came up, but ${lacks.join('; ')}`,
        'Check that the kernel has virtiofs and virtio_net, built in or as modules beside it, and what the daemon says (detail).',
        { detail: details(consoleLog, daemons) },
      );
    }
    if (ends.any()) {
      // One end is followed by others: daemons end when their connection does. Then the cause can be told.
      await sleep(100);
      throw ends.cause();
    }
    if (performance.now() > deadline) {
      throw new KnownError(
        'guest-not-up',
        `the guest was not up within ${limitMs / 1000} s (--boot-timeout)`,
        'Read below how far it came. A slow machine needs a longer --boot-timeout; another --kernel or --qemu may not fit.',
        { detail: `the guest's console:\n${tailOf(consoleLog) || '(nothing)'}` },
      );
    }
    await sleep(25);
  }
}

/** Notes what ends, and tells causes from consequences. */
function watchEnds({ qemu, daemons, consoleLog }: Watched): { any(): boolean; cause(): KnownError } {
  let machine: string | undefined;
  const ended = new Map<string, string>();
  qemu.ended.then((how) => {
    machine = how;
  });
  for (const [mode, daemon] of daemons) {
    daemon.ended.then((how) => ended.set(mode, how));
  }
  return {
    any: () => machine !== undefined || ended.size > 0,
    cause() {
      // A daemon that only lost its connection ends well; one that failed took the machine's share with it.
      const badly = [...ended].find(([, how]) => how !== 'ended with status 0') ?? [...ended][0];
      const [mode = '', how = ''] = badly ?? [];
      const daemon = daemons.get(mode);
      const isCause = machine === undefined || how !== 'ended with status 0';
      if (daemon !== undefined && isCause) return daemonEnded(mode, how, daemon);
      return vmEnded(machine ?? 'ended', qemu, consoleLog);
    },
  };
}

/** A daemon that ended while it should serve. */
export function daemonEnded(mode: string, how: string, daemon: Background): KnownError {
  return new KnownError(
    'daemon-ended',
    `virtiofsd for the mode ${mode} ${how}: ${reasonIn(daemon.tail())}`,
    'Check that this build of virtiofsd knows the mode and its flags (virtiofsd --help), or leave the mode out with --modes.',
    { detail: daemon.tail() },
  );
}

function vmEnded(how: string, qemu: Background, consoleLog: string): KnownError {
  const words = qemu.tail();
  return new KnownError(
    'vm-ended',
    words === '' ? `the guest ended before it was up (QEMU ${how})` : `QEMU ${how}: ${lastLine(words)}`,
    'Read below what QEMU and the guest said last; --qemu, --kernel and --memory are what usually matters.',
    { detail: `QEMU:\n${words || '(nothing)'}\nthe guest's console:\n${tailOf(consoleLog) || '(nothing)'}` },
  );
}

function linesOf(consoleLog: string): string[] {
  let text: string;
  try {
    text = readFileSync(consoleLog, 'utf8');
  } catch {
    return []; // QEMU has not opened it yet.
  }
  // The last piece may be half a line.
  const lines = text.split('\n').slice(0, -1);
  return lines.flatMap((line) => {
    const at = line.indexOf(consoleWord);
    return at < 0 ? [] : [line.slice(at + consoleWord.length).trim()];
  });
}

function details(consoleLog: string, daemons: ReadonlyMap<string, Background>): string {
  const spoken = [...daemons].flatMap(([mode, daemon]) =>
    daemon.tail() === '' ? [] : [`virtiofsd, ${mode}:`, daemon.tail()],
  );
  return [`the guest's console:`, tailOf(consoleLog), ...spoken].join('\n');
}

/** A program that refuses its command line says so first, and ends with where to read about it. */
function reasonIn(text: string): string {
  const refusal = text.split('\n').find((line) => line.startsWith('error: '));
  return refusal?.slice('error: '.length) ?? lastLine(text);
}

function lastLine(text: string): string {
  return (
    text
      .split('\n')
      .findLast((line) => line.trim() !== '')
      ?.trim() ?? 'it said nothing'
  );
}
