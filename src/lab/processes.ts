import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** One process of this machine, for as long as the machine runs: numbers come again, this pair does not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot, from /proc/PID/stat. */
  readonly startTime: number;
}

interface Stat extends ProcessIdentity {
  readonly parent: number;
}

/** A process that runs; undefined for one that is gone, or has ended and waits for its parent. */
function statOf(pid: number): Stat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The command's name, in parentheses, may hold anything, parentheses and spaces too.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  return { pid, parent: Number(parent), startTime: Number(fields[19]) };
}

/** The identity of a process that runs now; undefined where none does. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = statOf(pid);
  return stat && { pid: stat.pid, startTime: stat.startTime };
}

/** Whether this very process, and not a later one of the same number, still runs. */
export function isRunning(process: ProcessIdentity): boolean {
  return statOf(process.pid)?.startTime === process.startTime;
}

function allStats(): Stat[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => statOf(Number(name)) ?? []);
}

/**
 * Processes that carry `mark` (`NAME=value`) in their environment. It is inherited, so this finds what
 * they started too, however often it forked and whoever its parent is now. Processes of other users that
 * we may not look into are not found.
 */
export function processesMarked(mark: string): ProcessIdentity[] {
  return allStats()
    .filter(({ pid }) => {
      if (pid === process.pid) return false;
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark);
      } catch {
        return false;
      }
    })
    .map(({ pid, startTime }) => ({ pid, startTime }));
}

/** Those of `roots` that run, and every process below them. */
export function withDescendants(roots: readonly ProcessIdentity[]): ProcessIdentity[] {
  const stats = allStats();
  const found = new Map<number, Stat>();
  const add = (stat: Stat) => {
    if (found.has(stat.pid) || stat.pid === process.pid) return;
    found.set(stat.pid, stat);
    for (const child of stats.filter(({ parent }) => parent === stat.pid)) add(child);
  };
  for (const root of roots) {
    const stat = stats.find(({ pid, startTime }) => pid === root.pid && startTime === root.startTime);
    if (stat !== undefined) add(stat);
  }
  return [...found.values()].map(({ pid, startTime }) => ({ pid, startTime }));
}

/**
 * Kills what `find` finds until it finds nothing more: a process may fork between look and kill.
 * @returns what still runs after `limitMs`: a process that hangs in the kernel cannot be ended.
 */
export async function endProcesses(
  find: () => readonly ProcessIdentity[],
  limitMs: number,
): Promise<readonly ProcessIdentity[]> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const found = find();
    if (found.length === 0 || performance.now() > deadline) return found;
    for (const each of found) {
      // Looked at again right before the kill: its number may be another's by now.
      if (!isRunning(each)) continue;
      try {
        process.kill(each.pid, 'SIGKILL');
      } catch {
        // It has just ended.
      }
    }
    await sleep(10);
  }
}
