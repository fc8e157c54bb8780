import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabInfo } from './info.ts';
import { currentBootId, currentProcesses, type Journal, readJournal } from './journal.ts';
import { labDirectory, labsDirectory } from './places.ts';
import { isRunning } from './processes.ts';
import { mayHaveLabs } from './supported.ts';

/** A lab that is there, or one that is not (any more, or not wholly). */
export type LabStatus =
  | LabInfo
  | {
      readonly schema: 'vfs-verify/lab/1';
      readonly name: string;
      readonly state: 'down' | 'broken';
      readonly directory: string;
    };

export const infoFile = (directory: string) => join(directory, 'lab.json');

/**
 * How a lab is. `broken`: it was put up and something of it is gone, or putting it up did not end.
 * @throws KnownError `bad-lab-name`.
 */
export async function labStatus(name = 'default'): Promise<LabStatus> {
  const directory = labDirectory(name);
  const absent = { schema: 'vfs-verify/lab/1', name, directory } as const;
  const journal = readJournal(directory);
  // Elsewhere no lab can run: this one is another machine's, whose home directory this is too.
  if (journal === undefined || !mayHaveLabs()) return { ...absent, state: 'down' };
  const info = readInfo(directory);
  if (info === undefined) return { ...absent, state: 'broken' };
  return { ...info, state: allRun(journal) ? 'up' : 'broken' };
}

/** Every lab of this user, by name. */
export async function labList(): Promise<LabStatus[]> {
  const directory = labsDirectory();
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).sort();
  const all = await Promise.all(names.map((name) => labStatus(name)));
  return all.filter(({ state }) => state !== 'down');
}

/** Modes whose daemon is gone, and `qemu` if the machine is: for words about a broken lab. */
export function missingParts(directory: string): string[] {
  const journal = readJournal(directory);
  if (journal === undefined) return [];
  const isGone = (each: Journal['processes'][number]) =>
    journal.bootId !== currentBootId() || !isRunning(each);
  return currentProcesses(journal)
    .filter(isGone)
    .map(({ role }) => role);
}

function allRun(journal: Journal): boolean {
  return journal.bootId === currentBootId() && currentProcesses(journal).every(isRunning);
}

function readInfo(directory: string): LabInfo | undefined {
  try {
    return JSON.parse(readFileSync(infoFile(directory), 'utf8')) as LabInfo;
  } catch {
    return undefined; // It is written last: the lab never came up.
  }
}
