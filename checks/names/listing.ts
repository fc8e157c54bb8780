import type { DirectoryEntry, Operation } from '../../src/model/operation.ts';
import { tells } from './looks.ts';
import type { Look } from './tale.ts';

/** What a listing must have: each name once, as what it is. */
export type Expected = ReadonlyMap<string, DirectoryEntry['type']>;

/** How a look at a whole listing fails. */
export const listingCodes = {
  'name-missing': 'a listing lacked a name that was there all the time',
  'name-twice': 'a listing had a name twice',
  'wrong-type': 'a listing said of a name that it is something else than it is',
} as const;

/**
 * The names of an open directory from where its position is, held against those that are there at rest.
 * @param others names that may come and go meanwhile.
 */
export function wholeListing(
  handle: string,
  by: string,
  states: Look['states'],
  expected: Expected,
  options: {
    readonly others?: (name: string) => boolean;
    readonly buffer?: number;
    readonly stat?: boolean;
  } = {},
): Look {
  const { others, ...how } = options;
  const op: Operation = { do: 'entries', file: handle, ...how };
  return {
    ...tells(`the names in ${handle}`, by, states, op, (value) =>
      describe((value as { readonly entries: readonly DirectoryEntry[] }).entries, expected, others),
    ),
    wrong: (word) =>
      word.startsWith('without') ? 'name-missing' : word.startsWith('twice') ? 'name-twice' : 'wrong-type',
  };
}

/** `complete`, or what is wrong with it, the worst first. */
function describe(
  entries: readonly DirectoryEntry[],
  expected: Expected,
  others: (name: string) => boolean = () => false,
): string {
  const counts = new Map<string, number>();
  for (const { name } of entries) counts.set(name, (counts.get(name) ?? 0) + 1);
  const missing = [...expected.keys()].filter((name) => !counts.has(name));
  if (missing.length > 0) return `without ${few(missing)}`;
  const twice = [...counts].filter(([name, count]) => count > 1 && expected.has(name));
  if (twice.length > 0) return `twice ${few(twice.map(([name]) => name))}`;
  const wrong = entries.flatMap(({ name, type }) => {
    const is = expected.get(name);
    return is === undefined || is === type || type === 'other' ? [] : [`${name} as ${type}`];
  });
  if (wrong.length > 0) return few(wrong);
  const foreign = [...counts.keys()].filter(
    (name) => !expected.has(name) && name !== '.' && name !== '..' && !others(name),
  );
  return foreign.length > 0 ? `also ${few(foreign)}` : 'complete';
}

function few(names: readonly string[]): string {
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return `${names.slice(0, 3).join(', ')}${more}`;
}
