import { digestOfBytes } from '../../src/model/digest.ts';
import type { TreeEntry } from '../../src/model/operation.ts';
import { patternBytes } from '../../src/model/pattern.ts';
import { type StormPlan, stormFiles } from '../../src/model/storm.ts';

/** What a file of a manifest must be. */
interface Expected {
  readonly size: number;
  /** MD5, by an implementation of our own: no side's view is taken as the truth. */
  readonly digest: string;
}

/** Path (relative to the storm's directory) → file. */
export type Manifest = ReadonlyMap<string, Expected>;

/** What a storm leaves. */
export function manifestOf(plan: StormPlan): Manifest {
  return new Map(
    stormFiles(plan).map(({ path, size, key }) => [
      path,
      { size, digest: digestOfBytes('md5', patternBytes(key, 0, size)) },
    ]),
  );
}

/** One file that is not as the manifest has it. */
export interface Difference {
  readonly path: string;
  readonly code: 'missing' | 'left-over' | 'other-file' | 'wrong-bytes' | 'refused';
  readonly words: string;
  /** It is as it was before the last change. */
  readonly old: boolean;
}

/**
 * Holds a tree against what must be there.
 * @param before what was there before the last change: such a file is old, and not wrong.
 */
export function compareTree(
  entries: readonly TreeEntry[],
  after: Manifest,
  before: Manifest = new Map(),
): readonly Difference[] {
  const owners = new Map([...before, ...after].map(([path, { digest }]) => [digest, path]));
  const differences: Difference[] = [];
  const seen = new Set<string>();
  for (const { path, type, size, digest, error } of entries) {
    if (type === 'directory' && error === undefined) continue;
    const [is, was] = [after.get(path), before.get(path)];
    const old = was !== undefined;
    const add = (code: Difference['code'], words: string, isOld: boolean) =>
      differences.push({ path, code, words: `${path} ${words}`, old: isOld });
    seen.add(path);
    // A name that is no more may be listed while it is permitted, and then opens or not.
    if (error !== undefined) add('refused', `cannot be read (${error})`, is === undefined && old);
    else if (is === undefined) add('left-over', 'is there and must not be', old && digest === was.digest);
    else if (size !== is.size || digest !== is.digest) {
      const owner = digest === undefined ? undefined : owners.get(digest);
      if (owner !== undefined && owner !== path) add('other-file', `has the bytes of ${owner}`, false);
      else add('wrong-bytes', `has ${size} bytes that are not its own (it has ${is.size})`, false);
    }
  }
  for (const path of after.keys()) {
    if (!seen.has(path))
      differences.push({ path, code: 'missing', words: `${path} is missing`, old: !before.has(path) });
  }
  return differences;
}
