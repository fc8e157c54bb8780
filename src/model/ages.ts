/**
 * Which version of a file each page of what was read is. A guest may mix versions between pages, and not
 * within one: stale bytes equal an earlier version of that page.
 */
import { type PatternKey, patternBytes } from './pattern.ts';

/** One state that a file was in: a payload over all of it, or its bytes from offset 0 on. */
export type Version = PatternKey | Uint8Array;

/** Consecutive pages that are of the same versions. */
export interface PageAges {
  readonly offset: number;
  readonly length: number;
  /** Indexes into the versions that these bytes are of; empty: of none. */
  readonly versions: readonly number[];
  /**
   * Of those, the ones that end before the bytes do: what lies behind their end is zeros, as in the page of
   * a file that was shorter.
   */
  readonly padded?: readonly number[];
}

/**
 * The versions of each page, neighbours with the same answer made one.
 * @param bytes what was read. @param offset of its first byte in the file. @param pageSize in bytes.
 */
export function agesOf(
  bytes: Uint8Array,
  offset: number,
  versions: readonly Version[],
  pageSize = 4096,
): PageAges[] {
  const ages: PageAges[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + pageSize - ((offset + at) % pageSize));
    const matches = versions.map((version) => matchOf(bytes, at, end, offset, version));
    const indexes = (wanted: readonly Match[]) =>
      [...matches.keys()].filter((index) => wanted.includes(matches[index] as Match));
    const padded = indexes(['padded']);
    append(ages, {
      offset: offset + at,
      length: end - at,
      versions: indexes(['same', 'padded']),
      ...(padded.length === 0 ? {} : { padded }),
    });
    at = end;
  }
  return ages;
}

/** Whether every page of what was read is of some version from `oldest` on. `padded` pages count as well. */
export function isMixOf(ages: readonly PageAges[], oldest = 0): boolean {
  return ages.every(({ versions }) => versions.some((version) => version >= oldest));
}

type Match = 'same' | 'padded' | 'other';

function matchOf(bytes: Uint8Array, from: number, to: number, offset: number, version: Version): Match {
  const whole = version instanceof Uint8Array;
  const there = whole
    ? version.subarray(Math.min(version.length, offset + from), Math.min(version.length, offset + to))
    : patternBytes(version, offset + from, to - from);
  for (let i = 0; i < there.length; i += 1) if (bytes[from + i] !== there[i]) return 'other';
  for (let i = from + there.length; i < to; i += 1) if (bytes[i] !== 0) return 'other';
  return there.length === to - from ? 'same' : 'padded';
}

function append(ages: PageAges[], next: PageAges): void {
  const last = ages.at(-1);
  const same =
    last !== undefined &&
    last.versions.join() === next.versions.join() &&
    (last.padded ?? []).join() === (next.padded ?? []).join();
  if (same) ages[ages.length - 1] = { ...last, length: last.length + next.length };
  else ages.push(next);
}
