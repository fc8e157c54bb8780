import { KnownError } from '../../model/error.ts';
import type { PageState } from '../../model/operation.ts';
import type { LocatedPath } from '../../share/share.ts';
import type { Asker } from './asker.ts';

/** What the caches hold of the program's files when it begins. */
export type CacheState = 'cold' | 'host-warm' | 'guest-warm';

const names: readonly CacheState[] = ['cold', 'host-warm', 'guest-warm'];

/**
 * Reads `--states cold,host-warm`.
 * @throws KnownError `bad-flag`
 */
export function parseStates(text: string): readonly CacheState[] {
  const words = text.split(',').map((each) => each.trim());
  const wrong = words.find((each) => !names.some((name) => name === each));
  if (wrong !== undefined || words.length === 0)
    throw new KnownError(
      'bad-flag',
      `--states ${text} names a state that is not known: "${wrong ?? ''}"`,
      `States: ${names.join(', ')}, joined by commas.`,
    );
  return [...new Set(words as CacheState[])];
}

/**
 * Brings the caches of both sides into a state, file by file. Answers what did not come about: a page that stays, a
 * file that cannot be read.
 */
export async function bringInto(
  state: CacheState,
  files: readonly LocatedPath[],
  { guest, host }: { readonly guest: Asker; readonly host: Asker },
): Promise<string[]> {
  const left: string[] = [];
  for (const { guestPath, hostPath } of files) {
    left.push(...(await evict(guest, guestPath, false, 'the guest')));
    if (state === 'cold') left.push(...(await evict(host, hostPath, true, 'the host')));
    if (state !== 'cold') left.push(...(await warm(host, hostPath, 'the host')));
    if (state === 'guest-warm') left.push(...(await warm(guest, guestPath, 'the guest')));
  }
  return left;
}

/** Dirty pages are written back first: on the host always, in the guest by the file system's own rules. */
async function evict(side: Asker, path: string, evenDirty: boolean, where: string): Promise<string[]> {
  const file = `evict ${path}`;
  const opened = await side.value({ do: 'open', path, flags: ['rdonly', 'nonblock'], as: file });
  if (opened === undefined) return [`${path} cannot be opened on ${where}`];
  try {
    await side.value({ do: 'fsync', file });
    await side.value({ do: 'evict', file, evenDirty });
    const pages = await side.value<PageState>({ do: 'pages', file });
    if (pages === undefined || pages.by === 'refused')
      return [`whether ${path} left the cache of ${where} could not be seen`];
    return pages.cached === 0 ? [] : [`${pages.cached} pages of ${path} stayed in the cache of ${where}`];
  } finally {
    await side.value({ do: 'close', file });
  }
}

async function warm(side: Asker, path: string, where: string): Promise<string[]> {
  const read = await side.value({ do: 'hash', path, algorithm: 'xxh3' });
  return read === undefined ? [`${path} could not be read on ${where}`] : [];
}
