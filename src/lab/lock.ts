import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { KnownError } from '../model/error.ts';

/** How long to be silent about waiting: most locks are free at once. */
const silentMs = 300;

/**
 * Runs `story` while this process alone holds the lock `file`.
 *
 * The lock is the kernel's (flock): a small child holds it for as long as its standard input, a pipe from
 * us, is open. So it is released when we end, however we end, and there is no stale lock to recognise.
 * @param options `onWait` is called once if the lock is not free at once.
 * @throws KnownError `lock-timeout`, `program-missing` (flock).
 */
export async function withLock<T>(
  file: string,
  options: { readonly limitMs: number; readonly what: string; readonly onWait?: () => void },
  story: () => Promise<T>,
): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const seconds = String(Math.ceil(options.limitMs / 1000));
  // A session of its own: Ctrl-C on the terminal must not take the lock away while we clean up under it.
  const holder = spawn('flock', ['--wait', seconds, file, 'cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  holder.stdin.on('error', () => {}); // It may end before it has read anything.
  const patience = setTimeout(() => options.onWait?.(), silentMs);
  const held = await new Promise<'held' | 'timeout' | 'missing'>((resolve) => {
    holder.once('error', () => resolve('missing'));
    holder.once('exit', () => resolve('timeout'));
    // What we write comes back as soon as cat runs, that is, as soon as the lock is ours.
    holder.stdout.once('data', () => resolve('held'));
    holder.stdin.write('.');
  });
  clearTimeout(patience);
  if (held === 'missing') {
    throw new KnownError('program-missing', 'flock is missing', 'apt-get install util-linux');
  }
  if (held === 'timeout') {
    throw new KnownError(
      'lock-timeout',
      `another run has kept ${options.what} busy for ${seconds} s`,
      `Wait for it to end, or end it (fuser ${file} names it), and try again.`,
    );
  }
  try {
    return await story();
  } finally {
    holder.stdin.end();
  }
}
