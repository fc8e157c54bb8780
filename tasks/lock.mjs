import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { TaskError } from './child.mjs';

/** The checkout that these tasks belong to. */
export const root = join(import.meta.dirname, '..');

const waitSeconds = 600;

/**
 * Keeps a second task in the same checkout waiting while `story` runs. The lock is the kernel's: a small
 * child holds it for as long as our end of its input is open, so it goes when we do, however we end.
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} story
 * @returns {Promise<T>}
 */
export async function withLock(name, story) {
  mkdirSync(join(root, 'dist'), { recursive: true });
  const file = join(root, 'dist', `.lock-${name}`);
  // The holder must survive the terminal's Ctrl-C, since we clean up under the lock: a group of its own.
  const holder = spawn(
    'flock',
    ['-w', `${waitSeconds}`, file, 'sh', '-c', 'echo held; exec cat >/dev/null'],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    },
  );
  const held = await new Promise((resolve) => {
    holder.once('error', () => resolve(false));
    holder.once('exit', () => resolve(false));
    holder.stdout.once('data', () => resolve(true));
  });
  if (!held) {
    throw new TaskError(
      `Another task has held ${file} for ${waitSeconds} s, or flock (util-linux) is missing.\n` +
        'Wait for it to end, then try again.',
    );
  }
  try {
    return await story();
  } finally {
    holder.stdin.end();
  }
}
