import path from 'node:path';
import type { Stat } from '../../model/operation.ts';
import type { Share } from '../../share/share.ts';
import type { Asker } from './asker.ts';

/**
 * Words of a command that may name files: the word itself, and what follows an "=" (`of=/mnt/f`,
 * `--filename=/mnt/a:/mnt/b`). Relative ones start from the working directory, where that is known.
 */
export function mayBePaths(argv: readonly string[], directory: string | undefined): string[] {
  const found = new Set<string>();
  for (const word of argv) {
    const value = word.slice(word.indexOf('=') + 1);
    for (const each of [word, value, ...value.split(':')]) {
      if (each === '' || each.startsWith('-') || each.includes('\0')) continue;
      if (each.startsWith('/')) found.add(path.posix.normalize(each));
      else if (directory !== undefined) found.add(path.posix.join(directory, each));
    }
  }
  return [...found];
}

/** Those of a list of paths that are regular files of a share now. */
export async function filesOfShares(
  paths: readonly string[],
  shares: readonly Share[],
  guest: Asker,
): Promise<string[]> {
  const found: string[] = [];
  for (const each of paths) {
    if (!shares.some(({ guestDir }) => each.startsWith(guestDir === '/' ? '/' : `${guestDir}/`))) continue;
    const stat = await guest.value<Stat>({ do: 'stat', path: each, follow: true, sync: 'dont' });
    if (stat?.type !== 'file') continue;
    const resolved = await guest.value<{ path: string }>({ do: 'resolve', path: each });
    found.push(resolved?.path ?? each);
  }
  return [...new Set(found)];
}

/** The shares that a command can mean by what it names; all of them where it names none. */
export function sharesMeant(
  paths: readonly string[],
  directory: string | undefined,
  shares: readonly Share[],
): readonly Share[] {
  const inside = (each: string, { guestDir }: Share) =>
    each === guestDir || each.startsWith(guestDir === '/' ? '/' : `${guestDir}/`);
  const meant = shares.filter((share) =>
    [...paths, ...(directory === undefined ? [] : [directory])].some((each) => inside(each, share)),
  );
  return meant.length > 0 ? meant : shares;
}
