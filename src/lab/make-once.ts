import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { withLock } from './lock.ts';
import { endProcesses, processesMarked } from './processes.ts';
import type { OnProgress } from './progress.ts';

/** Processes that a maker starts carry this variable, so that the next maker can end those of a killed one. */
const markName = 'VFS_VERIFY_MAKES';

/** What a maker gets. */
export interface Making {
  /** Empty: to be filled. */
  readonly directory: string;
  /** For the programs that it runs. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends those that still run, and all that they started. */
  endPrograms(): Promise<void>;
}

/**
 * Makes a directory of the cache unless it is there. Of two runs at a time one makes it and the other
 * waits. It appears whole or not at all: it is filled under another name and renamed, and what a killed
 * run left behind is removed by the next one.
 */
export async function makeOnce(
  directory: string,
  options: { readonly what: string; readonly limitMs: number; readonly onProgress: OnProgress },
  make: (making: Making) => Promise<void>,
): Promise<void> {
  if (existsSync(directory)) return;
  const { what, limitMs, onProgress } = options;
  const lock = {
    what,
    limitMs,
    onWait: () => onProgress({ text: `waiting for another run that makes ${what}` }),
  };
  await withLock(`${directory}.lock`, lock, async () => {
    if (existsSync(directory)) return;
    await removeAbandoned(directory);
    const fresh = `${directory}.fresh-${randomBytes(6).toString('hex')}`;
    mkdirSync(fresh);
    const endPrograms = () => endProgramsOf(fresh);
    try {
      await make({ directory: fresh, env: { [markName]: fresh }, endPrograms });
      renameSync(fresh, directory);
    } catch (error) {
      await endPrograms();
      rmSync(fresh, { recursive: true, force: true });
      throw error;
    }
  });
}

/** We hold the lock, so whatever has a fresh directory's name was left by a run that is no more. */
async function removeAbandoned(directory: string): Promise<void> {
  const prefix = `${basename(directory)}.fresh-`;
  for (const name of readdirSync(dirname(directory)).filter((each) => each.startsWith(prefix))) {
    const fresh = join(dirname(directory), name);
    // Its programs may have outlived it and still be writing.
    await endProgramsOf(fresh);
    rmSync(fresh, { recursive: true, force: true });
  }
}

async function endProgramsOf(fresh: string): Promise<void> {
  await endProcesses(() => processesMarked(`${markName}=${fresh}`), 5000);
}
