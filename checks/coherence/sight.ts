import type { Change, Content, Version } from './history.ts';
import { versionsFor } from './history.ts';
import type { Deed, Seen } from './replay.ts';

/** What a look amounts to. */
export type Sight =
  | { readonly kind: 'fresh' }
  /** Earlier bytes, or an earlier size: what was seen lacks these changes of others, the oldest first. */
  | { readonly kind: 'stale'; readonly lacks: readonly Change[]; readonly where: string }
  /** No version of the file has it. */
  | {
      readonly kind: 'wrong';
      readonly code: 'wrong-bytes' | 'wrong-size' | 'hole-over-data';
      /** Of the first byte of both; there are none where it is no bytes that are wrong. */
      readonly offset: number;
      readonly expected: Uint8Array;
      readonly found: Uint8Array;
      readonly words: string;
    };

/**
 * Holds what a look showed against all that the file ever was. Page by page, since a cache is made of pages: each
 * may be of another version, but within a page all bytes are of one.
 * @param changes those of this file that were made before the look.
 * @param granule the larger of both sides' page sizes, in bytes.
 * @param ownToo changes of the view itself may be lacking as well.
 */
export function sightOf(
  { seen, view }: Pick<Deed, 'seen' | 'view'>,
  changes: readonly Change[],
  granule: number,
  ownToo = false,
): Sight {
  const self = ownToo ? undefined : view;
  const versions = versionsFor(self, changes);
  const lacking = (version: Version) => changes.slice(version.seen).filter((each) => each.view !== self);
  if (seen === undefined) return { kind: 'fresh' };
  if (seen.what === 'bytes') return sightOfBytes(seen, versions, lacking, { granule, host: view === 'host' });
  if (seen.what === 'size')
    return sightOfSize(seen.size, versions, lacking, { granule, host: view === 'host' });
  return sightOfHoles(seen, versions, lacking);
}

interface Looker {
  readonly granule: number;
  /** The host sees what a guest has written back so far: whole pages, in any order. */
  readonly host: boolean;
}

type Lacking = (version: Version) => readonly Change[];

function sightOfBytes(
  { offset, asked, bytes, mapped }: Extract<Seen, { what: 'bytes' }>,
  versions: readonly Version[],
  lacking: Lacking,
  { granule, host }: Looker,
): Sight {
  const newest = versions[0] as Version;
  const endOf = ({ content }: Version) =>
    mapped === true ? Math.ceil(content.length / granule) * granule : content.length;
  const clipped = (version: Version) => Math.min(asked, Math.max(0, endOf(version) - offset));
  const ending = versions.filter((version) => clipped(version) === bytes.length);
  const partly = host && isBetween(offset + bytes.length, versions, granule);
  if (ending.length === 0 && !partly) {
    const expected = newest.content.subarray(offset, offset + asked);
    const words = `${bytes.length} bytes where there are ${clipped(newest)}, and it never ended there`;
    return { kind: 'wrong', code: 'wrong-size', offset, expected, found: bytes, words };
  }
  // The oldest size that ends there: pages that are newer than it may be read beyond their own end, as zeros.
  const size = ending.at(-1)?.seen ?? 0;
  const stale: { version: Version; from: number; to: number }[] = [];
  for (let from = offset; from < offset + bytes.length; from = nextPage(from, granule)) {
    const to = Math.min(nextPage(from, granule), offset + bytes.length);
    const found = bytes.subarray(from - offset, to - offset);
    const version =
      versions.find(
        (each) => (host || each.seen >= size || to <= endOf(each)) && holds(each.content, from, found),
      ) ?? beforeStore(versions, from, found);
    if (version === undefined) {
      const expected = portion(newest.content, from, to);
      const at = from + firstDifference(expected, found);
      return {
        kind: 'wrong',
        code: 'wrong-bytes',
        offset: from,
        expected,
        found,
        words: `bytes that were never there at ${at}`,
      };
    }
    if (version !== newest && lacking(version).length > 0) stale.push({ version, from, to });
  }
  const sizeVersion = ending[0];
  if (stale.length === 0 && sizeVersion === newest) return { kind: 'fresh' };
  const olds = [...stale.map(({ version }) => version), ...(sizeVersion === undefined ? [] : [sizeVersion])];
  const oldest = olds.reduce((a, b) => (b.seen < a.seen ? b : a), olds[0] ?? newest);
  const lacks = lacking(oldest);
  if (lacks.length === 0) return { kind: 'fresh' };
  const where = [
    ...(sizeVersion === newest
      ? []
      : [`it ends at ${offset + bytes.length} and not at ${offset + clipped(newest)}`]),
    ...(stale.length === 0 ? [] : [`${rangesIn(stale)} as before ${lacks[0]?.words}`]),
  ].join(', ');
  return { kind: 'stale', lacks, where };
}

/** `0–4095, 8192–12287`. */
function rangesIn(parts: readonly { readonly from: number; readonly to: number }[]): string {
  const merged: { from: number; to: number }[] = [];
  for (const { from, to } of parts) {
    const last = merged.at(-1);
    if (last?.to === from) last.to = to;
    else merged.push({ from, to });
  }
  return merged.map(({ from, to }) => `${from}–${to - 1}`).join(', ');
}

function sightOfSize(
  size: number,
  versions: readonly Version[],
  lacking: Lacking,
  { granule, host }: Looker,
): Sight {
  const newest = versions[0] as Version;
  const version = versions.find(({ content }) => content.length === size);
  if (version === newest) return { kind: 'fresh' };
  const where = `the size ${size} and not ${newest.content.length}`;
  if (version !== undefined) return { kind: 'stale', lacks: lacking(version), where };
  if (host && isBetween(size, versions, granule))
    return { kind: 'stale', lacks: lacking(versions.at(-1) as Version), where };
  const none = new Uint8Array(0);
  const words = `the size ${size}, which it never had; it is ${newest.content.length}`;
  return { kind: 'wrong', code: 'wrong-size', offset: size, expected: none, found: none, words };
}

/**
 * A map of holes may be coarse, and may take zeros for data. It must not take data for a hole, since whoever
 * copies by it would copy zeros.
 */
function sightOfHoles(
  seen: Extract<Seen, { what: 'data' | 'hole' }>,
  versions: readonly Version[],
  lacking: Lacking,
): Sight {
  const contradiction = (content: Content): number | undefined => {
    const from = seen.from;
    // SEEK_DATA says that there is none up to `at`; SEEK_HOLE that one begins at `at`, or the end.
    if (seen.what === 'data') {
      const byte = firstData(content, from, seen.at ?? content.length);
      return byte ?? (seen.at !== undefined && seen.at >= content.length ? content.length : undefined);
    }
    if (seen.at === undefined) return from < content.length ? from : undefined;
    if (seen.at > content.length) return content.length;
    return seen.at < content.length && content[seen.at] !== 0 ? seen.at : undefined;
  };
  const newest = versions[0] as Version;
  const version = versions.find(({ content }) => contradiction(content) === undefined);
  if (version === newest) return { kind: 'fresh' };
  const at = contradiction(newest.content) ?? 0;
  const claim =
    seen.what === 'data'
      ? `SEEK_DATA from ${seen.from} finds ${seen.at === undefined ? 'nothing' : `data at ${seen.at} first`}`
      : `SEEK_HOLE from ${seen.from} finds ${seen.at === undefined ? 'nothing' : `a hole at ${seen.at}`}`;
  const words = `${claim}, and there is data at ${at}`;
  if (version !== undefined) return { kind: 'stale', lacks: lacking(version), where: words };
  const none = new Uint8Array(0);
  return { kind: 'wrong', code: 'hole-over-data', offset: at, expected: none, found: none, words };
}

function firstData(content: Content, from: number, to: number): number | undefined {
  const index = content.subarray(from, to).findIndex((byte) => byte !== 0);
  return index < 0 ? undefined : from + index;
}

function nextPage(offset: number, granule: number): number {
  return (Math.floor(offset / granule) + 1) * granule;
}

/** What lies there; zeros beyond the end. */
function portion(content: Content, from: number, to: number): Uint8Array {
  const bytes = new Uint8Array(to - from);
  bytes.set(content.subarray(Math.min(from, content.length), Math.min(to, content.length)));
  return bytes;
}

function holds(content: Content, from: number, found: Uint8Array): boolean {
  return firstDifference(portion(content, from, from + found.length), found) === found.length;
}

/** The version before a store through a mapping, of which what was found has a part: every byte is of before or after. */
function beforeStore(versions: readonly Version[], from: number, found: Uint8Array): Version | undefined {
  return versions.find((older, index) => {
    const newer = versions[index - 1];
    if (newer?.inParts !== true) return false;
    const [before, after] = [older, newer].map(({ content }) => portion(content, from, from + found.length));
    return found.every((byte, at) => byte === before?.[at] || byte === after?.[at]);
  });
}

/** Its index, or the length where there is none. */
function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const index = a.findIndex((byte, at) => byte !== b[at]);
  return index < 0 ? a.length : index;
}

/** A page's end between the smallest and the largest size that the file had. */
function isBetween(size: number, versions: readonly Version[], granule: number): boolean {
  const sizes = versions.map(({ content }) => content.length);
  return size % granule === 0 && size >= Math.min(...sizes) && size <= Math.max(...sizes);
}
