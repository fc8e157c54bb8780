/**
 * A list that stays bounded however long a run is: when it is full every second item goes, and from then on only
 * every second one is taken. The last that was offered is always there.
 */
export class Thinned<T> {
  readonly #most: number;
  #kept: T[] = [];
  #offered = 0;
  #every = 1;
  #last: T | undefined;

  constructor(most: number) {
    this.#most = most;
  }

  push(item: T): void {
    if (this.#offered % this.#every === 0) this.#kept.push(item);
    this.#offered += 1;
    this.#last = item;
    if (this.#kept.length < this.#most) return;
    this.#kept = this.#kept.filter((_, index) => index % 2 === 0);
    this.#every *= 2;
  }

  get items(): readonly T[] {
    const last = this.#last;
    return last === undefined || this.#kept.at(-1) === last ? this.#kept : [...this.#kept, last];
  }
}
