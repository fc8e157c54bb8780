import { lstat, readdir, readlink, rmdir, unlink } from 'node:fs/promises';
import type { Operation, TreeEntry, WalkResult } from '../../model/operation.ts';
import { pathFromBytes } from '../../model/path.ts';
import { createDigest } from './digest.ts';
import { openToRead, pieces } from './hash.ts';
import { statOf } from './stat.ts';
import { absolute, goOn, progress, Refusal, refusalOf, type Work } from './work.ts';

/** Entries that are handed over at once. */
const treeBatch = 500;
const slash = Buffer.from('/');

/** A whole tree, one bulk item for each entry, in the order of their bytes. */
export async function walk(op: Extract<Operation, { do: 'walk' }>, work: Work): Promise<WalkResult> {
  const root = absolute(op.path, work);
  const { dev } = await lstat(root, { bigint: true });
  let batch: TreeEntry[] = [];
  let entries = 0;
  let bytes = 0;
  const flush = async () => {
    await work.options.onBulk?.(batch);
    batch = [];
  };
  for await (const entry of entriesBelow(root, Buffer.alloc(0), dev, op.algorithm)) {
    entries += 1;
    if (entry.digest !== undefined) bytes += entry.size;
    if (batch.push(entry) >= treeBatch) await flush();
    progress(work, () => ({ entries, bytes }));
    goOn(work, 'walk');
  }
  if (batch.length > 0) await flush();
  return { entries, bytes };
}

async function* entriesBelow(
  root: Buffer,
  below: Buffer,
  dev: bigint,
  algorithm: string | undefined,
): AsyncGenerator<TreeEntry> {
  const path = below.length === 0 ? root : Buffer.concat([root, slash, below]);
  const entry: { -readonly [Key in keyof TreeEntry]: TreeEntry[Key] } = {
    path: pathFromBytes(below),
    type: 'other',
    size: 0,
  };
  let names: Buffer[] = [];
  try {
    const found = await lstat(path, { bigint: true });
    entry.type = statOf(found).type;
    entry.size = Number(found.size);
    if (entry.type === 'link') entry.target = pathFromBytes(await readlink(path, { encoding: 'buffer' }));
    if (entry.type === 'directory' && found.dev !== dev) throw new Refusal('EXDEV', 'walk');
    if (entry.type === 'directory')
      names = (await readdir(path, { encoding: 'buffer' })).sort(Buffer.compare);
    if (entry.type === 'file' && algorithm !== undefined)
      Object.assign(entry, await digestOf(path, algorithm));
  } catch (error) {
    entry.error = refusalOf(error).errno;
  }
  yield entry;
  for (const name of names) {
    const next = below.length === 0 ? name : Buffer.concat([below, slash, name]);
    yield* entriesBelow(root, next, dev, algorithm);
  }
}

async function digestOf(path: Buffer, algorithm: string): Promise<Partial<TreeEntry>> {
  const file = await openToRead(path);
  try {
    const before = await file.stat({ bigint: true });
    const digest = createDigest(algorithm);
    for await (const piece of pieces(file, 0)) digest.update(piece);
    const after = await file.stat({ bigint: true });
    const changed =
      before.size !== after.size || before.mtimeNs !== after.mtimeNs || before.ctimeNs !== after.ctimeNs;
    return { digest: digest.hex(), size: Number(before.size), ...(changed ? { changed } : {}) };
  } finally {
    await file.close();
  }
}

/**
 * Removes a directory and all below it on the same file system. Node has no openat: names are followed from the
 * root each time, so whoever may rename directories in this tree meanwhile could lead it elsewhere. It is used for
 * the run's own directory, where only the host's user and the guest's may.
 */
export async function removeTree(
  op: Extract<Operation, { do: 'remove-tree' }>,
  work: Work,
): Promise<{ removed: number }> {
  const root = absolute(op.path, work);
  const found = await lstat(root, { bigint: true });
  if (!found.isDirectory()) throw new Refusal('ENOTDIR', 'remove-tree');
  const above = await lstat(Buffer.concat([root, Buffer.from('/..')]), { bigint: true });
  // A whole file system is never meant.
  if (above.dev !== found.dev || above.ino === found.ino)
    throw new Refusal('EBUSY', 'remove-tree: a mount point');
  return { removed: await removeBelow(root, found.dev, work) };
}

/** @returns how many names are gone, the directory's own among them. */
async function removeBelow(directory: Buffer, dev: bigint, work: Work): Promise<number> {
  let removed = 0;
  for (const name of await readdir(directory, { encoding: 'buffer' })) {
    goOn(work, 'remove-tree');
    const path = Buffer.concat([directory, slash, name]);
    const found = await lstat(path, { bigint: true });
    if (!found.isDirectory()) {
      await unlink(path);
      removed += 1;
    } else if (found.dev === dev) removed += await removeBelow(path, dev, work);
    else throw new Refusal('EBUSY', 'remove-tree: a mount point');
    progress(work, () => ({ entries: removed }));
  }
  await rmdir(directory);
  return removed + 1;
}
