/**
 * A median with its confidence interval. `confidence` is what the interval really has: with few samples the
 * widest one there is may have less than 95 %.
 * @typedef {{ median: number, low: number, high: number, confidence: number, samples: number }} Estimate
 */

/**
 * Runs two things alternately, n times each, so that whatever drifts on this machine drifts for both; which
 * of them is first changes every time.
 * @template A, B
 * @param {() => Promise<A>} a
 * @param {() => Promise<B>} b
 * @param {number} n
 * @returns {Promise<{ a: A, b: B }[]>}
 */
export async function pairs(a, b, n) {
  const done = [];
  for (let i = 0; i < n; i += 1) {
    if (i % 2 === 0) {
      const first = await a();
      done.push({ a: first, b: await b() });
    } else {
      const first = await b();
      done.push({ a: await a(), b: first });
    }
  }
  return done;
}

/**
 * The median and the narrowest interval between order statistics that covers it with 95 %: no assumption
 * about how the samples are spread.
 * @param {readonly number[]} values
 * @returns {Estimate}
 */
export function medianOf(values) {
  const sorted = [...values].sort((x, y) => x - y);
  const n = sorted.length;
  /** @param {number} at */
  const value = (at) => sorted[at] ?? Number.NaN;
  const median = n % 2 === 1 ? value((n - 1) / 2) : (value(n / 2 - 1) + value(n / 2)) / 2;
  // The chance that the true median lies below the k-th smallest of n samples: binomial, p = 1/2.
  let below = 0.5 ** n;
  let term = below;
  let k = 0;
  while (k + 1 < n / 2 && below + (term * (n - k)) / (k + 1) <= 0.025) {
    term = (term * (n - k)) / (k + 1);
    below += term;
    k += 1;
  }
  return { median, low: value(k), high: value(n - 1 - k), confidence: 1 - 2 * below, samples: n };
}
