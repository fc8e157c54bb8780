import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { KnownError } from '../model/error.ts';
import { shellWord } from '../model/shell-word.ts';

/** How a daemon was started: all that it takes to start another like it. Plain JSON. */
export interface DaemonStart {
  readonly argv: readonly string[];
  readonly directory: string;
  /** `NAME=VALUE` each. */
  readonly environment: readonly string[];
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly string[];
}

const startLimitMs = 15_000;
const endLimitMs = 5000;

/** Flags of a socket in /proc/net/unix: it listens (SO_ACCEPTCON). */
const listens = 0x10000;

interface UnixSocket {
  readonly inode: string;
  readonly listening: boolean;
}

/** The lines of this machine's table of unix sockets; none where it has no /proc. */
export function unixSockets(): readonly string[] {
  try {
    return readFileSync('/proc/net/unix', 'utf8').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The processes of this machine, by their directories' names; none where it has no /proc. */
function pids(): readonly string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The sockets of this machine that have this address: one that listens, and each connection it accepted. */
function socketsAt(address: string): UnixSocket[] {
  return unixSockets()
    .filter((line) => line.endsWith(` ${address}`))
    .map((line) => {
      const [, , , flags = '0', , , inode = ''] = line.trim().split(/\s+/);
      return { inode, listening: (Number.parseInt(flags, 16) & listens) !== 0 };
    });
}

/** Whether somebody waits for a connection at this address. */
export function isListening(address: string): boolean {
  return socketsAt(address).some(({ listening }) => listening);
}

/** Processes that hold a socket with this address. Those of other users are seen by root only. */
export function processesAt(address: string): number[] {
  const inodes = new Set(socketsAt(address).map(({ inode }) => `socket:[${inode}]`));
  if (inodes.size === 0) return [];
  return pids()
    .filter((name) => holds(name, inodes))
    .map(Number);
}

function holds(pid: string, links: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => links.has(readlinkSync(`/proc/${pid}/fd/${fd}`)));
  } catch {
    return false; // It has ended, or is another user's.
  }
}

/**
 * How the daemon at this address was started. With its sandbox virtiofsd forks, and the child, which has the
 * socket, has another root and working directory: the topmost process with the same words is the one.
 */
export function startOf(address: string): DaemonStart | undefined {
  const [holder] = processesAt(address);
  if (holder === undefined) return undefined;
  let pid = holder;
  const argv = wordsOf(pid);
  for (;;) {
    const parent = parentOf(pid);
    if (parent === undefined || String(wordsOf(parent)) !== String(argv)) break;
    pid = parent;
  }
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const ids = (name: string) =>
      new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1]?.trim().split(/\s+/) ?? [];
    return {
      argv,
      directory: readlinkSync(`/proc/${pid}/cwd`),
      environment: readFileSync(`/proc/${pid}/environ`, 'utf8')
        .split('\0')
        .filter((each) => each.includes('=')),
      uid: Number(ids('Uid')[0]),
      gid: Number(ids('Gid')[0]),
      groups: ids('Groups').filter((each) => each !== ''),
    };
  } catch {
    return undefined;
  }
}

/** Every process of this machine with its command line: for whoever looks for daemons. */
export function allCommandLines(): readonly { readonly pid: number; readonly argv: readonly string[] }[] {
  return pids().map((name) => ({ pid: Number(name), argv: wordsOf(Number(name)) }));
}

function wordsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').split('\0');
  } catch {
    return [];
  }
}

function parentOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

/** Its words are the program: where it starts, what it says, who it is. The shell only joins them. */
const startScript =
  'cd "$1" && log="$2" && shift 2 && echo $$ > "$log.pid" && exec "$@" >> "$log" 2>&1 < /dev/null';

/**
 * Starts a daemon that goes on when we end, and waits until it listens.
 * @param host this machine.
 * @throws KnownError `daemon-refused` with its own words, `daemon-silent`, `other-user`.
 */
export async function startDaemon(
  host: Endpoint,
  start: DaemonStart,
  at: { readonly socket: string; readonly logFile: string },
): Promise<void> {
  const { socket, logFile } = at;
  if (isListening(socket)) return;
  rmSync(`${logFile}.pid`, { force: true });
  const argv = [...asUser(start), 'env', '-i', ...start.environment, ...start.argv];
  // In a session of its own, so that nothing that ends us ends it.
  await host.exec(['setsid', '--fork', 'sh', '-c', startScript, 'sh', start.directory, logFile, ...argv]);
  const deadline = performance.now() + startLimitMs;
  while (!isListening(socket)) {
    const pid = pidIn(`${logFile}.pid`);
    const ended = pid !== undefined && !existsSync(`/proc/${pid}/fd`);
    if (ended && !isListening(socket))
      throw new KnownError(
        'daemon-refused',
        `the daemon ended at once: ${lastLine(logFile)}`,
        'Its options are in the words below: see which of them it does not take (--help), or which file it lacks.',
        { detail: `${start.argv.map(shellWord).join(' ')}\n${tail(logFile)}` },
      );
    if (performance.now() > deadline)
      throw new KnownError(
        'daemon-silent',
        `the daemon did not listen on ${socket} within ${startLimitMs / 1000} s`,
        'See what it waits for: its words are below.',
        { detail: tail(logFile) },
      );
    await sleep(10);
  }
}

/** As the user that the other one ran as. */
function asUser({ uid, gid, groups }: DaemonStart): readonly string[] {
  const own = process.getuid?.();
  if (uid === own) return [];
  if (own !== 0)
    throw new KnownError(
      'other-user',
      `the daemon of this share runs as the user ${uid}: only root can start another like it`,
      'Run vfs-verify as root, or as that user.',
    );
  const more = groups.length === 0 ? ['--clear-groups'] : ['--groups', groups.join(',')];
  return ['setpriv', '--reuid', String(uid), '--regid', String(gid), ...more];
}

/** The same as a person would type it; the environment is left to theirs. */
export function startByHand({ argv, directory }: DaemonStart): string {
  return `(cd ${shellWord(directory)} && setsid --fork ${argv.map(shellWord).join(' ')} < /dev/null > /dev/null 2>&1)`;
}

/**
 * Ends whoever holds a socket that a toggle made, and removes the socket.
 * @throws KnownError `daemon-stays`
 */
export async function endDaemon(socket: string): Promise<void> {
  const deadline = performance.now() + endLimitMs;
  for (let pids = processesAt(socket); pids.length > 0; pids = processesAt(socket)) {
    if (performance.now() > deadline)
      throw new KnownError(
        'daemon-stays',
        `the process ${pids.join(', ')} does not end`,
        'It hangs in the kernel: see what its disk waits for (ps -o pid,stat,wchan).',
      );
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has just ended.
      }
    }
    await sleep(10);
  }
  for (const file of [socket, `${socket}.pid`]) rmSync(file, { force: true });
}

function pidIn(file: string): number | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    return text.endsWith('\n') ? Number(text) : undefined;
  } catch {
    return undefined;
  }
}

function tail(file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
  } catch {
    return '';
  }
}

/** What it complained of: usage follows after it. */
function lastLine(file: string): string {
  const lines = tail(file)
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'it said nothing';
}
