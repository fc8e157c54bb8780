import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDead, ownerWord, thisOwner } from './owner.ts';

/** Where a run saves its evidence. */
export interface EvidenceDir {
  readonly directory: string;
  /** Removes it, where the user did not ask for it. */
  close(): Promise<void>;
}

const prefix = 'vfs-verify-run-';

/**
 * The directory that the user named, or one below TMPDIR that lives as long as this run. The latter says whose
 * it is: those that killed runs of this user left there are removed first.
 */
export async function openEvidence(named: string | undefined): Promise<EvidenceDir> {
  if (named !== undefined) return { directory: named, close: async () => {} };
  await sweep(tmpdir());
  const directory = await mkdtemp(path.join(tmpdir(), `${prefix}${ownerWord(thisOwner())}-`));
  return { directory, close: () => rm(directory, { recursive: true, force: true }) };
}

/** Removes what runs that are no more have left; nothing that is not ours, and never through a link. */
async function sweep(parent: string): Promise<void> {
  const here = thisOwner();
  for (const name of await readdir(parent).catch(() => [])) {
    if (!name.startsWith(prefix)) continue;
    // mkdtemp adds six characters.
    const word = name.slice(prefix.length).replace(/-[A-Za-z0-9]{6}$/, '');
    if (!isDead(word, here)) continue;
    const file = path.join(parent, name);
    const found = await lstat(file).catch(() => undefined);
    if (found?.isDirectory() === true && found.uid === process.getuid?.())
      await rm(file, { recursive: true, force: true }).catch(() => {});
  }
}
