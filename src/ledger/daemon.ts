import type { DaemonAccount, Interval } from '../model/account.ts';
import { type DaemonSplit, splitDaemonBytes } from './daemon-bytes.ts';
import { defaultMostBytes, type Replayed } from './replay.ts';
import type { ReadSamples } from './samples.ts';

/** What crossed to the daemon, from whichever counters there are; undefined where it cannot be seen. */
export function daemonBytes(
  samples: ReadSamples,
  replayed: Replayed,
  needed: number,
  ownRequests: Interval,
): DaemonSplit | undefined {
  const { before, after } = samples.counters;
  if (before.fuseReads !== undefined && after.fuseReads !== undefined) {
    const bytes = after.fuseReads.bytes - before.fuseReads.bytes;
    const requests = after.fuseReads.requests - before.fuseReads.requests;
    return {
      bytes: [bytes, bytes],
      requests: [requests, requests],
      kicks: [0, 0],
      fits: bytes >= needed && requests >= ownRequests[0],
      how: 'guest tracepoints',
    };
  }
  if (before.daemon === undefined || after.daemon === undefined) return undefined;
  const rchar = after.daemon.rchar - before.daemon.rchar;
  const syscr = after.daemon.syscr - before.daemon.syscr;
  const page = samples.before.guest?.pageSize ?? 4096;
  const messages = usedDelta(samples, ownRequests[0]);
  const is9p = samples.transport === '9p';
  const split = splitDaemonBytes({
    rchar,
    syscr,
    needed,
    ownRequests: is9p ? [ownRequests[0], Math.min(ownRequests[1], messages ?? Infinity)] : ownRequests,
    // An uncached read crosses as it is: small ones are smaller than a page.
    grain: replayed.way === 'past-cache' ? greatestCommonDivisor(samples.plan.block, page) : page,
    odd: replayed.shortReads + 2,
    most: samples.maxRequest ?? defaultMostBytes,
    // QEMU serves other 9p devices too, whose messages are not among this one's.
    ...(messages === undefined || is9p ? {} : { messages }),
  });
  if (!is9p) return split;
  return split.fits && split.bytes[0] >= needed
    ? { ...split, how: `QEMU's own counters: ${split.how}` }
    : qemuBytes(rchar, syscr, needed);
}

/**
 * QEMU's event descriptors are kicks like a daemon's. Where it read something else too, for its other devices,
 * what is beyond our need may hide as much as is lacking.
 */
function qemuBytes(rchar: number, syscr: number, needed: number): DaemonSplit {
  const excess = rchar - needed;
  return {
    bytes: [excess >= 0 ? Math.max(0, needed - excess) : 0, Math.max(0, rchar)],
    requests: [0, syscr],
    kicks: [0, syscr],
    fits: excess >= 0,
    how: "QEMU's own counters, its other traffic included",
  };
}

/** Completed messages of all queues; each index counts mod 65,536. */
function usedDelta({ counters: { before, after } }: ReadSamples, least: number): number | undefined {
  const [earlier, later] = [before.usedIndex, after.usedIndex];
  if (earlier === undefined || later === undefined || earlier.length !== later.length) return undefined;
  let sum = later.reduce((total, index, at) => total + ((index - (earlier[at] ?? 0)) & 0xffff), 0);
  // It may have gone round: the least number that our own requests allow.
  while (sum < least) sum += 65_536;
  return sum;
}

/** The daemon's part of the ledger. */
export function daemonAccount(
  { counters: { before, after } }: ReadSamples,
  split: DaemonSplit,
): DaemonAccount {
  return {
    bytes: split.bytes,
    requests: split.requests,
    kicks: split.kicks,
    how: split.how,
    ...(before.daemon === undefined || after.daemon === undefined
      ? {}
      : { diskBytes: after.daemon.readBytes - before.daemon.readBytes }),
  };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
