import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Reads, or writes, as strace saw them: an oracle that shares no code, and no counter, with the ledger. */
export interface SeenReads {
  readonly bytes: number;
  readonly requests: number;
}

/** Watches a daemon's reads while something runs; those of files whose name holds `file`, and all others. */
export function watchReads<T>(pid: number, file: string, run: () => Promise<T>): Watched<T> {
  return watch(pid, file, 'preadv,preadv2,pread64', run);
}

/** Watches its writes, likewise. */
export function watchWrites<T>(pid: number, file: string, run: () => Promise<T>): Watched<T> {
  return watch(pid, file, 'pwritev,pwritev2,pwrite64', run);
}

/** Counts a daemon's calls of fsync and fdatasync for files whose name holds `file`. */
export async function watchSyncs<T>(
  pid: number,
  file: string,
  run: () => Promise<T>,
): Promise<{ readonly result: T; readonly calls: number }> {
  const { result, log } = await traced(pid, 'fsync,fdatasync', run);
  const names = [...log.matchAll(/f(?:data)?sync\(\d+<([^>]*)>/g)].map(([, name = '']) => name);
  return { result, calls: names.filter((name) => name.includes(file)).length };
}

type Watched<T> = Promise<{ readonly result: T; readonly own: SeenReads; readonly others: SeenReads }>;

async function watch<T>(
  pid: number,
  file: string,
  calls: string,
  run: () => Promise<T>,
): Promise<{ readonly result: T; readonly own: SeenReads; readonly others: SeenReads }> {
  const { result, log } = await traced(pid, calls, run);
  return { result, ...summed(log, file) };
}

/** What strace wrote down of some system calls of a process and all its threads. */
async function traced<T>(
  pid: number,
  calls: string,
  run: () => Promise<T>,
): Promise<{ readonly result: T; readonly log: string }> {
  const directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-strace-'));
  const log = path.join(directory, 'log');
  const child = spawn(
    'strace',
    ['-f', '-y', '-s', '0', '-e', `trace=${calls}`, '-o', log, '-p', String(pid)],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  try {
    await attached(child.stderr);
    const result = await run();
    child.kill('SIGINT');
    await ended;
    return { result, log: await readFile(log, 'utf8') };
  } finally {
    child.kill('SIGKILL');
    await ended;
    await rm(directory, { recursive: true, force: true });
  }
}

function attached(stderr: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('strace did not attach within 10 s')), 10_000);
    let text = '';
    stderr.on('data', (more) => {
      text += more;
      if (!text.includes('attached')) return;
      clearTimeout(timer);
      // The line comes for the first thread; the others follow at once.
      setTimeout(resolve, 300);
    });
  });
}

/** `PID preadv2(12</dir/file>, …) = 4096`, also when another thread's line came in between. */
function summed(log: string, file: string): { own: SeenReads; others: SeenReads } {
  const own = { bytes: 0, requests: 0 };
  const others = { bytes: 0, requests: 0 };
  const begun = new Map<string, string>();
  for (const line of log.split('\n')) {
    const thread = line.slice(0, line.indexOf(' '));
    const name = /p(?:read|write)\w*\(\d+<([^>]*)>/.exec(line)?.[1];
    if (name !== undefined) begun.set(thread, name);
    const gave = /\) += (\d+)\s*$/.exec(line)?.[1];
    const of = begun.get(thread);
    if (gave === undefined || of === undefined) continue;
    begun.delete(thread);
    const sum = of.includes(file) ? own : others;
    sum.bytes += Number(gave);
    sum.requests += 1;
  }
  return { own, others };
}
