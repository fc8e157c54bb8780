import type { LatencySummary, Ledger } from '../../src/model/account.ts';
import type { Finding } from '../repeat/question.ts';

/** A median of fewer reads is no rate. */
const leastReads = 32;

/**
 * Reads that cross to the daemon cannot be faster than those that the guest's own page cache answers: the way there
 * leads through that cache, or past it, and then through another process. Both are timed in the same run, by the
 * same clock. Half the time is asked for, and by medians, so that no load of the machine makes it. What is left is a
 * fault of clocks or of the account.
 */
export function tooFast({ latency }: Ledger): Finding | undefined {
  const cache = latency['guest-cache'];
  if (!isRate(cache)) return undefined;
  for (const [source, summary] of Object.entries(latency)) {
    if (!/^(fuse|9p)\//.test(source) || !isRate(summary) || 2 * summary.p50Ns >= cache.p50Ns) continue;
    return {
      kind: 'broken',
      code: 'too-fast',
      words: `reads by ${source} took ${summary.p50Ns} ns each (median of ${summary.count}), those by guest-cache ${cache.p50Ns} ns (of ${cache.count})`,
      certain: true,
    };
  }
  return undefined;
}

function isRate(summary: LatencySummary | undefined): summary is LatencySummary {
  return summary !== undefined && summary.count >= leastReads;
}
