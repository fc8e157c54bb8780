import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { KnownError } from '../model/error.ts';
import { type Bundle, loadBundle } from '../run/bundle.ts';

/** A bundle and where it is. */
export interface FoundBundle {
  readonly directory: string;
  readonly bundle: Bundle;
}

/**
 * Every bundle in or below what the user named (a directory, or a bundle.json), sorted by path.
 * @throws KnownError `no-bundle`
 */
export async function bundlesAt(given: string): Promise<readonly FoundBundle[]> {
  const directory = path.resolve(given.replace(/\/?bundle\.json$/, '') || '.');
  const found = (await directoriesBelow(directory)).sort();
  if (found.length === 0)
    throw new KnownError(
      'no-bundle',
      `${directory} holds no bundle`,
      'Name a directory that was written with --bundle DIR.',
    );
  return Promise.all(found.map(async (each) => ({ directory: each, bundle: await loadBundle(each) })));
}

async function directoriesBelow(directory: string): Promise<string[]> {
  const isThere = await stat(path.join(directory, 'bundle.json')).catch(() => undefined);
  if (isThere?.isFile() === true) return [directory];
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const below = entries.filter((entry) => entry.isDirectory());
  return (await Promise.all(below.map(({ name }) => directoriesBelow(path.join(directory, name))))).flat();
}
