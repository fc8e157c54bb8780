import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { KnownError } from '../model/error.ts';
import { currentBootId, type Journal, labMark, readJournal } from './journal.ts';
import { unmount } from './loop-disk.ts';
import {
  endProcesses,
  isRunning,
  type ProcessIdentity,
  processesMarked,
  withDescendants,
} from './processes.ts';

const limitMs = 5000;

/**
 * Ends every process of a lab and removes what it made; safe on a lab that is half up, half down, or not
 * there. The caller holds the lab's lock. A directory that the user gave with `--dir` is not below the
 * lab's own, and stays.
 * @param options with `keepLogs`, the logs stay for `lab logs`.
 * @returns whether there was anything to do.
 * @throws KnownError `lab-stuck` for a process that SIGKILL does not end, or a mount that stays in use.
 */
export async function clearLab(
  directory: string,
  options: { readonly keepLogs?: boolean } = {},
): Promise<boolean> {
  const journal = await endLab(directory);
  if (journal !== undefined) {
    await unmountAll(directory, journal);
    removePidFiles(journal);
    removeRunDirectory(journal);
  }
  if (!existsSync(directory)) return false;
  if (options.keepLogs === true) {
    for (const name of readdirSync(directory).filter((each) => !each.endsWith('.log'))) {
      rmSync(join(directory, name), { recursive: true, force: true });
    }
  } else rmSync(directory, { recursive: true, force: true });
  return true;
}

/**
 * Ends every process of a lab, and leaves its files.
 * @returns its journal, if it has one.
 * @throws KnownError `lab-stuck`.
 */
async function endLab(directory: string): Promise<Journal | undefined> {
  const journal = readJournal(directory);
  if (journal === undefined) return undefined;
  const left = await endProcesses(() => processesOf(journal), limitMs);
  if (left.length === 0) return journal;
  throw new KnownError(
    'lab-stuck',
    `the lab's processes ${left.map(({ pid }) => pid).join(', ')} do not end`,
    'They hang in the kernel: see what their disk or file system waits for (ps -o pid,stat,wchan), then try again.',
  );
}

/**
 * Everything that still runs of a lab: by the mark that its processes carry, and, for one that a wrapper
 * started without its environment, by what the journal says was started.
 */
function processesOf(journal: Journal): ProcessIdentity[] {
  if (journal.bootId !== currentBootId()) return [];
  const marked = processesMarked(labMark(journal.id).mark);
  const noted = withDescendants(journal.processes.filter(isRunning));
  return [...new Map([...marked, ...noted].map((each) => [each.pid, each])).values()];
}

/** The last first: one may be on another. A journal can be damaged: only what is the lab's own is unmounted. */
async function unmountAll(directory: string, { mounts }: Journal): Promise<void> {
  for (const on of [...mounts].reverse()) {
    if (dirname(on) === directory) await unmount(on);
  }
}

function removeRunDirectory({ id, runDirectory }: Journal): void {
  // A journal is a file, and files can be damaged: only what bears this lab's name is removed.
  if (basename(runDirectory) === `vfs-verify-${id}`) rmSync(runDirectory, { recursive: true, force: true });
}

/** Where the C virtiofsd of QEMU keeps a file for each socket, which it never removes. */
const pidFiles = '/var/run/virtiofsd';

function removePidFiles({ runDirectory }: Journal): void {
  const prefix = `${runDirectory.replaceAll('/', '.')}.`;
  try {
    for (const name of readdirSync(pidFiles).filter((each) => each.startsWith(prefix)))
      rmSync(join(pidFiles, name), { force: true });
    // It goes when it is empty: the daemon makes it again.
    rmdirSync(pidFiles);
  } catch {
    // It is not there, not ours, or holds files of other daemons.
  }
}
