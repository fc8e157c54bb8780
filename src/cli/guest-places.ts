/** So many guests may be at work at once; whoever comes later waits for a place. */
export interface Places {
  /** @param first before those that have not begun. */
  take(first?: boolean): Promise<void>;
  give(): void;
}

/** As many free places. */
export function placesFor(atOnce: number): Places {
  let free = atOnce;
  const begun: (() => void)[] = [];
  const fresh: (() => void)[] = [];
  return {
    take(first = false) {
      if (free > 0) {
        free -= 1;
        return Promise.resolve();
      }
      return new Promise((resolve) => (first ? begun : fresh).push(resolve));
    },
    give() {
      const next = begun.shift() ?? fresh.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}
