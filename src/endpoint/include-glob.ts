import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The files that a shell pattern names, sorted, as the Include line of ssh_config expects it. */
export async function expandGlob(pattern: string): Promise<string[]> {
  let found = ['/'];
  for (const part of pattern.split('/').filter((each) => each !== '')) {
    if (!/[*?[]/.test(part)) {
      found = found.map((directory) => join(directory, part));
      continue;
    }
    const matcher = toRegExp(part);
    const below = await Promise.all(
      found.map(async (directory) => {
        const names = await readdir(directory).catch(() => []);
        return names
          .filter((name) => matcher.test(name) && (!name.startsWith('.') || part.startsWith('.')))
          .map((name) => join(directory, name));
      }),
    );
    found = below.flat();
  }
  return found.sort();
}

function toRegExp(part: string): RegExp {
  const source = part.replace(
    /\[(!?)([^\]]+)\]|[\\^$.*+?()[\]{}|]/g,
    (match, negated?: string, set?: string) => {
      if (set !== undefined) return `[${negated === '!' ? '^' : ''}${set.replace(/[\\^[]/g, '\\$&')}]`;
      if (match === '*') return '.*';
      if (match === '?') return '.';
      return `\\${match}`;
    },
  );
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    return /^(?!)/; // A set such as [z-a] matches nothing.
  }
}
