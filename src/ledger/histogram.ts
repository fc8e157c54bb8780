import type { LatencySummary } from '../model/account.ts';

/** Parts that each power of two is divided into: a percentile is exact to 1 in 128. */
const parts = 128;

/**
 * Counts of durations in bounded memory whatever their number: exact below 128 ns, then 128 steps for each
 * power of two.
 */
export class Histogram {
  readonly #counts = new Map<number, number>();
  #count = 0;
  #max = 0;

  /** @param ns nanoseconds; negative ones count as 0. */
  add(ns: number): void {
    const step = stepOf(Math.max(0, ns));
    this.#counts.set(step, (this.#counts.get(step) ?? 0) + 1);
    this.#count += 1;
    this.#max = Math.max(this.#max, ns);
  }

  get count(): number {
    return this.#count;
  }

  /** The smallest duration that at least this share of all are no longer than (nearest rank); 0 for none. */
  percentile(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (const [step, count] of this.#sorted()) {
      seen += count;
      if (seen >= rank) return Math.min(this.#max, middleOf(step));
    }
    return 0;
  }

  summary(): LatencySummary {
    const log2: number[] = [];
    for (const [step, count] of this.#sorted()) {
      const bin = Math.floor(Math.log2(Math.max(1, middleOf(step))));
      while (log2.length <= bin) log2.push(0);
      log2[bin] = (log2[bin] ?? 0) + count;
    }
    return {
      count: this.#count,
      p50Ns: this.percentile(0.5),
      p99Ns: this.percentile(0.99),
      maxNs: this.#max,
      log2,
    };
  }

  #sorted(): [number, number][] {
    return [...this.#counts].sort(([a], [b]) => a - b);
  }
}

function stepOf(ns: number): number {
  const whole = Math.floor(ns);
  if (whole < parts) return whole;
  const power = Math.floor(Math.log2(whole));
  return power * parts + Math.floor((whole / 2 ** power - 1) * parts);
}

/** The middle of a step, so that percentiles are not all too small. */
function middleOf(step: number): number {
  const power = Math.floor(step / parts);
  if (power < Math.log2(parts)) return step;
  return Math.floor(2 ** power * (1 + ((step % parts) + 0.5) / parts));
}
