import { PassThrough, pipeline, type Readable } from 'node:stream';
import { execa } from 'execa';
import { KnownError } from '../model/error.ts';
import type { Endpoint, RemoteProcess } from './endpoint.ts';
import { describe, runToEnd } from './run-to-end.ts';

const name = 'this machine';
/** From the polite signal to the one that cannot be ignored. */
const killDelayMs = 1000;

/** This machine. Programs are started directly, never by a shell, each as the leader of its own group. */
export function localEndpoint(): Endpoint {
  const groups = new Set<number>();
  const killAll = () => {
    for (const pid of groups) killGroup(pid, 'SIGKILL');
  };

  const spawn: Endpoint['spawn'] = async (argv, options = {}) => {
    const [file = '', ...args] = argv;
    // A group of its own, so that kill() reaches what the program itself has started.
    const child = execa(file, args, {
      buffer: false,
      reject: false,
      detached: true,
      stdio: 'pipe',
      extendEnv: true,
      ...(options.env === undefined ? {} : { env: options.env }),
    });
    const { pid } = child;
    if (pid === undefined) throw notStarted(argv, (await child) as { cause?: unknown });
    if (groups.size === 0) process.on('exit', killAll);
    groups.add(pid);
    child.stdin.on('error', () => {}); // EPIPE: that the program has ended is told by `ended`.
    const ended = new Promise<{ status?: number; signal?: string }>((resolve) => {
      child.once('exit', (status, signal) => {
        groups.delete(pid);
        if (groups.size === 0) process.off('exit', killAll);
        resolve(signal === null ? { status: status ?? 0 } : { signal });
      });
    });
    return {
      stdin: child.stdin,
      stdout: held(child.stdout),
      stderr: held(child.stderr),
      ended,
      kill: () => {
        killGroup(pid, 'SIGTERM');
        setTimeout(() => killGroup(pid, 'SIGKILL'), killDelayMs).unref();
        child.unref();
      },
    } satisfies RemoteProcess;
  };

  return {
    kind: 'local',
    name,
    spawn,
    exec: async (argv, options) => runToEnd(await spawn(argv), argv, name, options),
    close: async () => killAll(),
  };
}

/** execa lets the output run off when nobody listens within a tick; this keeps it until it is read. */
function held(source: Readable): Readable {
  const target = new PassThrough();
  pipeline(source, target, () => {});
  return target;
}

function killGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended already.
  }
}

function notStarted(argv: readonly string[], { cause }: { cause?: unknown }): KnownError {
  const { code, message } = (cause ?? {}) as { code?: string; message?: string };
  const why =
    code === 'ENOENT'
      ? 'not found'
      : code === 'EACCES'
        ? 'no permission to execute it'
        : (code ?? message ?? 'unknown reason');
  return new KnownError(
    'command-not-started',
    `${name}: ${describe(argv.slice(0, 1))} could not be started: ${why}.`,
    code === 'ENOENT'
      ? 'Install it, or put its directory into PATH.'
      : 'Check the file, its permissions and the mount that it lies on (noexec).',
    { cause },
  );
}
