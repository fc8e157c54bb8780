import type { Interval } from '../model/account.ts';

/** What the daemon's counters moved by, and what is known of the requests behind them. */
export interface DaemonDelta {
  readonly rchar: number;
  readonly syscr: number;
  /** Bytes that our own pages need; the true figure differs from it by whole grains. */
  readonly needed: number;
  /** Requests that those bytes take: the same number twice where each read is one request. */
  readonly ownRequests: Interval;
  /** Every request but `odd` ones carries at least this, and together they carry a multiple of it. */
  readonly grain: number;
  /** Requests that may carry less: reads past the end. */
  readonly odd: number;
  /** Bytes of one request at most. */
  readonly most: number;
  /** Completed FUSE messages of every request queue, where QEMU tells. */
  readonly messages?: number;
}

/** Requests of others are taken to carry at least this: without it eight more bytes could be one kick less. */
const leastForeign = 512;
/** Reads that gave nothing and count as calls all the same: an eventfd that another thread had read. */
const failedReads = 4;

/** Bytes, requests and kicks, each as an interval that no reading of the counters leaves. */
export interface DaemonSplit {
  readonly bytes: Interval;
  readonly requests: Interval;
  readonly kicks: Interval;
  /** Our own bytes and requests can all be among them. */
  readonly fits: boolean;
  readonly how: string;
}

/**
 * Tells the daemon's FUSE bytes from its queue kicks. rchar = bytes + 8 × kicks and syscr = requests + kicks:
 * two equations and three unknowns, made unique by what is known of the requests: they carry whole grains
 * (pages, or the one block size of an uncached run), none is larger than `most`, and none fewer than our own
 * bytes take. With the virtqueue's used index requests are also bounded from above. What is still not unique
 * is an interval.
 */
export function splitDaemonBytes(delta: DaemonDelta): DaemonSplit {
  const { rchar, syscr } = delta;
  // A daemon that read nothing but its eventfds: the commonest case of all, and exact.
  if (rchar === 8 * syscr && delta.needed === 0)
    return {
      bytes: [0, 0],
      requests: [0, 0],
      kicks: [syscr, syscr],
      fits: true,
      how: 'every read was a queue kick',
    };
  const complete = feasible(delta, true);
  const kicks = complete ?? feasible(delta, false);
  if (kicks !== undefined) {
    const [least, most] = [kicks[0] ?? 0, kicks.at(-1) ?? 0];
    const unique = least === most;
    return {
      bytes: [rchar - 8 * most, rchar - 8 * least],
      requests: [syscr - most, syscr - least],
      kicks: [least, most],
      fits: complete !== undefined,
      how: unique
        ? `rchar − 8 × kicks, whole requests of ${Math.max(delta.grain, leastForeign)} bytes and more`
        : `request sizes mix: ${kicks.length} numbers of kicks fit the counters`,
    };
  }
  // Requests that are no whole grains: other traffic with sizes of its own.
  const most = Math.min(syscr, Math.floor(rchar / 8));
  const least = Math.max(0, syscr - (delta.messages ?? syscr));
  const [low, high] = least <= most ? [least, most] : [0, most];
  return {
    bytes: [rchar - 8 * high, rchar - 8 * low],
    requests: [syscr - high, syscr - low],
    kicks: [low, high],
    fits: rchar - 8 * low >= delta.needed && syscr - low >= delta.ownRequests[0],
    how: 'requests of other sizes than ours were among them: rchar less at most 8 bytes a call',
  };
}

/**
 * Every number of kicks that fits, ascending; undefined for none. What is left over by our own bytes and
 * requests must be requests of others, each of them of a plausible size, or reads that failed.
 * @param complete our own bytes are all among the daemon's. (They are not where it reads in a way that rchar
 * does not count.)
 */
function feasible(delta: DaemonDelta, complete: boolean): readonly number[] | undefined {
  const { rchar, syscr, needed, grain, odd, most } = delta;
  const [ownLeast, ownMost] = complete ? delta.ownRequests : [0, 0];
  const own = complete ? needed : 0;
  const least = Math.max(grain, leastForeign);
  const spare = odd + failedReads;
  const messages = delta.messages === undefined ? Number.POSITIVE_INFINITY : delta.messages + failedReads;
  // From requests ≤ own + spare + (rchar − 8k − own) / least, and requests = syscr − k.
  const low = Math.max(
    0,
    Math.ceil((least * (syscr - ownMost - spare) - (rchar - own)) / (least - 8)),
    syscr - messages,
  );
  const high = Math.min(syscr - ownLeast, Math.floor((rchar - own) / 8));
  const first = firstWholeGrain(rchar - needed, grain, low);
  if (first === undefined) return undefined;
  const step = grain / greatestCommonDivisor(grain, 8);
  const fits: number[] = [];
  for (let kicks = first; kicks <= high; kicks += step) {
    const foreign = rchar - own - 8 * kicks;
    if (syscr - kicks >= ownLeast + Math.ceil(foreign / most)) fits.push(kicks);
  }
  return fits.length > 0 ? fits : undefined;
}

/** The smallest k ≥ low with (excess − 8k) a multiple of the grain. */
function firstWholeGrain(excess: number, grain: number, low: number): number | undefined {
  const step = grain / greatestCommonDivisor(grain, 8);
  for (let kicks = low; kicks < low + step; kicks += 1) if ((excess - 8 * kicks) % grain === 0) return kicks;
  return undefined;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
