import type { PageMap } from './samples.ts';

/** A set of page numbers within a window, one bit each. Pages outside the window are not known. */
export class PageSet {
  readonly first: number;
  readonly end: number;
  readonly #bits: Uint8Array;
  #size = 0;

  constructor(first: number, end: number, bits?: Uint8Array) {
    this.first = first;
    this.end = Math.max(first, end);
    this.#bits = bits ?? new Uint8Array(Math.ceil((this.end - first) / 8));
  }

  /** The pages that a map says are present; its chunks need not be in order, gaps between them count as absent. */
  static of(map: PageMap): PageSet {
    const ends = map.chunks.map(({ first, runs }) => first + runs.reduce((sum, run) => sum + run, 0));
    const set = new PageSet(
      map.chunks.reduce((least, { first }) => Math.min(least, first), map.chunks[0]?.first ?? 0),
      Math.max(0, ...ends),
    );
    for (const { first, runs } of map.chunks) {
      let page = first;
      for (const [index, run] of runs.entries()) {
        if (index % 2 === 1) for (let each = page; each < page + run; each += 1) set.add(each);
        page += run;
      }
    }
    return set;
  }

  get size(): number {
    return this.#size;
  }

  knows(page: number): boolean {
    return page >= this.first && page < this.end;
  }

  has(page: number): boolean {
    if (!this.knows(page)) return false;
    const at = page - this.first;
    return ((this.#bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;
  }

  /** Adds a page; one outside the window is forgotten. */
  add(page: number): void {
    if (!this.knows(page) || this.has(page)) return;
    const at = page - this.first;
    this.#bits[at >> 3] = (this.#bits[at >> 3] ?? 0) | (1 << (at & 7));
    this.#size += 1;
  }

  clone(): PageSet {
    const copy = new PageSet(this.first, this.end, this.#bits.slice());
    copy.#size = this.#size;
    return copy;
  }

  *[Symbol.iterator](): Generator<number> {
    for (let at = 0; at < this.#bits.length; at += 1) {
      if (this.#bits[at] === 0) continue;
      for (let bit = 0; bit < 8; bit += 1)
        if (((this.#bits[at] ?? 0) & (1 << bit)) !== 0) yield this.first + at * 8 + bit;
    }
  }
}
