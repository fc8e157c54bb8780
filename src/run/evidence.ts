import { access, constants, lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { KnownError } from '../model/error.ts';
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
 * @throws KnownError `not-writable`
 */
export async function openEvidence(named: string | undefined): Promise<EvidenceDir> {
  if (named !== undefined) {
    await makeWritable(named);
    return { directory: named, close: async () => {} };
  }
  const parent = tmpdir();
  await sweep(parent);
  const directory = await mkdtemp(path.join(parent, `${prefix}${ownerWord(thisOwner())}-`)).catch((error) => {
    throw notWritable(parent, error, 'Set TMPDIR to a directory that is there and that you may write to.');
  });
  return { directory, close: () => rm(directory, { recursive: true, force: true }) };
}

/** Known before a run of minutes begins. */
async function makeWritable(directory: string): Promise<void> {
  try {
    await makeDirectories(path.resolve(directory));
    await access(directory, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw notWritable(directory, error, 'Name a directory that you may write to: --bundle DIR.');
  }
}

/** Not Node's own `recursive`: that tries for ever where a directory takes no name (/proc). */
async function makeDirectories(directory: string): Promise<void> {
  try {
    await mkdir(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    const parent = path.dirname(directory);
    if (code !== 'ENOENT' || (await isThere(parent))) throw error;
    await makeDirectories(parent);
    await mkdir(directory);
  }
}

function isThere(directory: string): Promise<boolean> {
  return access(directory).then(
    () => true,
    () => false,
  );
}

function notWritable(directory: string, cause: unknown, cure: string): KnownError {
  const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
  return new KnownError('not-writable', `no evidence can be kept in ${directory} (${why})`, cure, { cause });
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
