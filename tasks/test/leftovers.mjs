import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Processes of this machine that carry a mark in their environment, and so are descendants of the run that
 * set it, however often they forked and whoever their parent is now.
 * @param {string} mark as `NAME=value`
 * @returns {{ pid: number, command: string }[]}
 */
export function processesMarked(mark) {
  const found = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark)) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      // A process without a command line has ended and waits for its parent.
      if (command !== '') found.push({ pid, command });
    } catch {
      // It has ended meanwhile, or is another user's.
    }
  }
  return found;
}

/**
 * Mount points below a directory.
 * @param {string} directory
 */
export function mountsBelow(directory) {
  const points = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '');
  return points.filter((point) => point.startsWith(`${directory}/`));
}

/**
 * Files below a directory, as paths relative to it.
 * @param {string} directory
 */
export function filesLeftIn(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}
