import type { Bundle } from '../bundle.ts';

/** Keys whose strings are paths, in a setting and in a step. */
export const pathKeys: ReadonlySet<string> = new Set([
  'path',
  'hostPath',
  'guestPath',
  'root',
  'to',
  'target',
]);
/** In what came back also these are names of files. */
export const namingKeys: ReadonlySet<string> = new Set([...pathKeys, 'name', 'names', 'expected']);

/** The components of all paths in a bundle. */
export function* namesInBundle({ setting, cases }: Bundle): Generator<string> {
  yield* namesIn(setting, pathKeys);
  for (const { outcomes, ...record } of cases) {
    yield* namesIn(record, pathKeys);
    yield* namesInItem(outcomes);
  }
}

/** Those in an item of a step's bulk results. */
export function namesInItem(item: unknown): Generator<string> {
  return namesIn(item, namingKeys);
}

function* namesIn(value: unknown, keys: ReadonlySet<string>, key = ''): Generator<string> {
  if (typeof value === 'string') {
    if (keys.has(key) || value.startsWith('/')) yield* value.split('/').filter((name) => name !== '');
  } else if (Array.isArray(value)) for (const each of value) yield* namesIn(each, keys, key);
  else if (typeof value === 'object' && value !== null)
    for (const [inner, each] of Object.entries(value)) yield* namesIn(each, keys, inner);
}
