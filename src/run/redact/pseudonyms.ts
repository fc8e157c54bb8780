import { createHmac, randomBytes } from 'node:crypto';
import { compareTreePaths } from '../../model/path.ts';

/** What a pseudonym stands for. */
export type Kind = 'name' | 'host' | 'user' | 'ip' | 'mac' | 'uuid' | 'word';

/** Directories that every system has: where they stand first in a path they say nothing of anybody. */
const common = new Set(
  'bin boot dev etc home lib media mnt opt proc root run sbin srv sys tmp usr var'.split(' '),
);

/**
 * Stable pseudonyms: the same thing has the same one in all that is packed together, and nobody can tell what it
 * was: they are numbered, and digests are made with a key that is thrown away.
 */
export class Pseudonyms {
  readonly #key = randomBytes(32);
  readonly #ranks = new Map<string, string>();
  readonly #given = new Map<string, { readonly kind: Kind; readonly pseudonym: string }>();
  readonly #counts = new Map<Kind, number>();

  /**
   * @param names every component of a path that will come. Pseudonyms have their order: a tree is compared by
   * walking both sides' sorted lists.
   */
  constructor(names: Iterable<string>) {
    const sorted = [...new Set(names)].sort(compareTreePaths);
    const digits = String(sorted.length).length;
    for (const [index, name] of sorted.entries())
      this.#ranks.set(name, `n${String(index + 1).padStart(digits, '0')}`);
  }

  /** The names that were announced, the longest first: what of them stands in free text is replaced as well. */
  get names(): readonly string[] {
    return [...this.#ranks.keys()].sort((a, b) => b.length - a.length);
  }

  /** A path, component by component. */
  path(given: string): string {
    return given
      .split('/')
      .map((name, index) =>
        index === 1 && given.startsWith('/') && common.has(name) ? name : this.name(name),
      )
      .join('/');
  }

  /** One component of a path. */
  name(given: string): string {
    if (given === '' || given === '.' || given === '..') return given;
    const rank = this.#ranks.get(given);
    return rank === undefined ? this.of('name', given) : this.#give('name', given, rank);
  }

  /** Anything else, numbered in the order in which it came. */
  of(kind: Kind, given: string): string {
    const known = this.#given.get(given);
    if (known !== undefined) return known.pseudonym;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    return this.#give(kind, given, `${kind}-${count}`);
  }

  /** A digest of the same length: equal ones stay equal, and none says of which bytes it is. */
  digest(hex: string): string {
    return this.bytes(Buffer.from(hex, 'hex')).toString('hex');
  }

  /** As many bytes, the same for the same ones. */
  bytes(given: Uint8Array): Buffer {
    const pieces: Buffer[] = [];
    for (let at = 0; at < given.length; at += 32)
      pieces.push(createHmac('sha256', this.#key).update(`${at} `).update(given).digest());
    return Buffer.concat(pieces).subarray(0, given.length);
  }

  /** What was replaced by what, in the order in which it came. Only for whoever packs. */
  get replaced(): readonly { readonly kind: Kind; readonly given: string; readonly pseudonym: string }[] {
    return [...this.#given].map(([given, { kind, pseudonym }]) => ({ kind, given, pseudonym }));
  }

  #give(kind: Kind, given: string, pseudonym: string): string {
    this.#given.set(given, { kind, pseudonym });
    return pseudonym;
  }
}
