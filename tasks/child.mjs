import { spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { pathToFileURL } from 'node:url';

/**
 * What a program left behind when it ended. Plain JavaScript without packages: setup runs before anything
 * is installed.
 * @typedef {{ status: number, stdout: string, output: string, seconds: number }} Ended
 */

const watchEveryMs = 20;
const limitMinutesUnlessSaid = 15;
/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();
/** @type {NodeJS.Signals | undefined} */
let interrupted;

/**
 * Runs a program to its end. `output` is both its streams as they came; with `show` they go to the terminal
 * instead. `watch` is called every now and then while it runs. An exit status other than 0 is a result; a program that cannot be started has status 127.
 * @param {readonly string[]} argv
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, show?: boolean, input?: string, limitMinutes?: number, watch?: (pid: number) => void }} [options]
 * @returns {Promise<Ended>}
 */
export function run(argv, options = {}) {
  const [program = '', ...args] = argv;
  const began = performance.now();
  return new Promise((resolve) => {
    let output = '';
    let stdout = '';
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      // A group of its own: the terminal's Ctrl-C then reaches it once, through endOnSignals, and not twice.
      detached: true,
      stdio: [
        options.input === undefined ? 'ignore' : 'pipe',
        options.show ? 'inherit' : 'pipe',
        options.show ? 'inherit' : 'pipe',
      ],
    });
    running.add(child);
    const minutes = options.limitMinutes ?? limitMinutesUnlessSaid;
    const limit = setTimeout(() => {
      output += `\n${program} did not end within ${minutes} minutes.\n`;
      signalGroup(child, 'SIGKILL');
    }, minutes * 60_000);
    const watching =
      options.watch && setInterval(() => child.pid && options.watch?.(child.pid), watchEveryMs);
    /** @param {number} status */
    const end = (status) => {
      running.delete(child);
      clearTimeout(limit);
      clearInterval(watching);
      resolve({ status, stdout, output, seconds: (performance.now() - began) / 1000 });
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => {
        output += text;
        if (stream === child.stdout) stdout += text;
      });
    }
    child.stdin?.on('error', () => {}).end(options.input);
    child.once('error', (error) => {
      output += `${error.message}\n`;
      end(127);
    });
    child.once('close', (status, signal) => end(status ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function signalGroup(child, signal) {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/**
 * Passes Ctrl-C and a polite kill on to what runs now, then lets the task clean up and end with the
 * signal's status. Without this the terminal's Ctrl-C would end the task before its own cleaning.
 * @param {() => Promise<void>} [cleanUp]
 */
export function endOnSignals(cleanUp = async () => {}) {
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      if (interrupted !== undefined) return;
      interrupted = signal;
      for (const child of running) signalGroup(child, signal);
      cleanUp()
        .catch((error) => console.error(error))
        .finally(() => process.exit(128 + constants.signals[signal]));
    });
  }
}

/** @returns {NodeJS.Signals | undefined} the signal that asked this task to end */
export function wasInterrupted() {
  return interrupted;
}

/**
 * A message for the user that needs no stack trace.
 */
export class TaskError extends Error {}

/** What `--help` prints: the end of a task that did what it was asked for. */
export class UsageAsked extends Error {}

/**
 * Runs a task's story; a TaskError is printed as it is and ends with status 1.
 * @param {() => Promise<number | void>} story
 */
export async function main(story) {
  try {
    process.exitCode = (await story()) ?? 0;
  } catch (error) {
    if (error instanceof UsageAsked) console.log(error.message);
    else console.error(error instanceof TaskError ? error.message : error);
    process.exitCode = error instanceof UsageAsked ? 0 : 1;
  }
}

/**
 * Whether a task file was started by itself and not imported by another.
 * @param {string} url its import.meta.url
 */
export function isEntry(url) {
  return process.argv[1] !== undefined && url === pathToFileURL(realpathSync(process.argv[1])).href;
}
