import type { ViewName } from '../../src/model/side.ts';

/** A file's bytes at a moment; undefined: no such file. */
export type Content = Uint8Array;

/** One change of one file, in the order in which the story made them. */
export interface Change {
  readonly path: string;
  readonly view: ViewName;
  /** The turn it was made in, and its place there. */
  readonly turn: string;
  /** `write of 4,096 bytes at 0`, for a person. */
  readonly words: string;
  /** Begin and end by the clock of the view's side, in nanoseconds. */
  readonly beginNs: number;
  readonly endNs: number;
  readonly apply: (before: Content) => Content;
  /** It is made of many stores of the machine: who looks, or writes a page back, meanwhile, may have some of them. */
  readonly inParts?: boolean;
}

/**
 * What one view may see of a file at one moment: the first `seen` changes of all of them, and after these only
 * its own. A cache may lack what others did; never what its own side did.
 */
export interface Version {
  readonly seen: number;
  readonly content: Content;
  /** The last change that it has may be there in part. */
  readonly inParts: boolean;
}

/**
 * Versions that a view may hold of a file after these changes, the newest (which has all of them) first. Without
 * a view nobody's changes are its own.
 */
export function versionsFor(view: ViewName | undefined, changes: readonly Change[]): readonly Version[] {
  const prefixes: Content[] = [new Uint8Array(0)];
  for (const change of changes) prefixes.push(change.apply(prefixes.at(-1) ?? new Uint8Array(0)));
  const versions: Version[] = [];
  for (let seen = changes.length; seen >= 0; seen -= 1) {
    // The same as the version with this change: it is the view's own.
    if (seen < changes.length && changes[seen]?.view === view) continue;
    const own = changes.slice(seen).filter((each) => each.view === view);
    const start = prefixes[seen] ?? new Uint8Array(0);
    const content = own.reduce((before, change) => change.apply(before), start);
    versions.push({ seen, content, inParts: changes[seen - 1]?.inParts === true });
  }
  return versions;
}

/** Bytes over a range; a file that is shorter grows, with zeros between. */
export function overwritten(before: Content, offset: number, bytes: Uint8Array): Content {
  if (bytes.length === 0) return before;
  const after = new Uint8Array(Math.max(before.length, offset + bytes.length));
  after.set(before);
  after.set(bytes, offset);
  return after;
}

/** Cut, or grown with zeros. */
export function resized(before: Content, length: number): Content {
  const after = new Uint8Array(length);
  after.set(before.subarray(0, length));
  return after;
}

/** Zeros over a range; never grows it. */
export function zeroed(before: Content, offset: number, length: number): Content {
  const after = before.slice();
  after.fill(0, offset, offset + length);
  return after;
}
