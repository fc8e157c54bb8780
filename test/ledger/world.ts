import type { Counters, EmptyRange, PageMap, ReadSamples } from '../../src/ledger/samples.ts';
import type { Source } from '../../src/model/account.ts';
import { type Read, type ReadPlan, readOffset } from '../../src/model/read-plan.ts';

/**
 * A guest, a daemon and a host of a few pages, played by brute force: sets of page numbers and counters that
 * move as the kernel's would. It knows where every byte really came from; the account under test sees only
 * what it samples. Shares no code with the account but the order of the reads.
 */
export interface WorldOptions {
  readonly seed: number;
  readonly caches: boolean;
  readonly direct?: boolean;
  readonly guestReadahead?: number;
  readonly hostReadahead?: number;
  /** Chances for each read. */
  readonly guestEviction?: number;
  readonly hostEviction?: number;
  readonly noise?: number;
  readonly usedIndex?: boolean;
}

export interface Played {
  readonly samples: ReadSamples;
  readonly reads: readonly Read[];
  readonly truth: ReadonlyMap<Source, number>;
  readonly hostWasEvicted: boolean;
  /** Pages of this file that the guest fetched more than once, in bytes, and what others read. */
  readonly refetched: number;
  readonly noise: number;
}

const page = 4096;

/** mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function play(options: WorldOptions): Played {
  const random = randomOf(options.seed);
  const chance = (share: number | undefined) => random() < (share ?? 0);
  const below = (count: number) => Math.floor(random() * count);
  const pages = 4 + below(60);
  const size = pages * page - (chance(0.5) ? below(page) : 0);
  const block = [page, page, 4 * page, 512, 1000, 3 * page][below(6)] ?? page;
  const some = (share: number) =>
    new Set(Array.from({ length: pages }, (_, each) => each).filter(() => random() < share));
  const guest = some(options.caches && !options.direct ? ([0, 0.3, 0.9][below(3)] ?? 0) : 0);
  const host = some([0, 0.5, 1][below(3)] ?? 0);
  const holes = chance(0.3) ? some(0.2) : new Set<number>();
  const blocks = Math.ceil(size / block);
  const plan: ReadPlan = {
    order: chance(0.5) ? 'seq' : 'random',
    block,
    range: { offset: 0, length: size },
    count: Math.max(1, chance(0.5) ? blocks : below(2 * blocks)),
    seed: options.seed,
    passes: 1 + below(2),
  };
  const before = { guest: mapOf(guest, pages), host: mapOf(host, pages) };
  const counted = { bytes: 0, requests: 0, kicks: 0, disk: 0, messages: 0 };
  const truth = new Map<Source, number>();
  const fetchedOnce = new Set<number>();
  const demanded = new Set<number>();
  let refetched = 0;
  let noise = 0;
  let hostWasEvicted = false;
  const book = (source: Source, bytes: number) => truth.set(source, (truth.get(source) ?? 0) + bytes);
  const request = (bytes: number) => {
    counted.bytes += bytes;
    counted.requests += 1;
    counted.messages += 1;
    if (!chance(0.1)) counted.kicks += 1;
  };
  /** Pages that only the host's readahead brought in: on their first touch they still count as the disk's. */
  const uncalled = new Set<number>();
  const hostReads = (each: number): Source => {
    if (holes.has(each)) return 'fuse/hole';
    if (host.has(each) && !uncalled.has(each)) return 'fuse/host-cache';
    if (!host.has(each)) counted.disk += page;
    host.add(each);
    uncalled.delete(each);
    for (let ahead = each + 1; ahead <= each + (options.hostReadahead ?? 0) && ahead < pages; ahead += 1) {
      if (host.has(ahead) || holes.has(ahead)) continue;
      host.add(ahead);
      uncalled.add(ahead);
      counted.disk += page;
    }
    return 'fuse/disk';
  };
  /** Where the guest's readahead had a page from, until somebody asks for it. */
  const waiting = new Map<number, Source>();
  const fetch = (each: number): Source => {
    if (fetchedOnce.has(each)) refetched += Math.min(page, size - each * page);
    fetchedOnce.add(each);
    guest.add(each);
    return hostReads(each);
  };
  const reads: Read[] = [];
  for (let index = 0; index < plan.count * plan.passes; index += 1) {
    const offset = readOffset(plan, index);
    const bytes = Math.min(block, size - offset);
    reads.push({ offset, asked: block, bytes, ns: 1000 + below(1000) });
    if (chance(options.guestEviction)) {
      const victim = [...guest][below(guest.size)];
      if (victim !== undefined) guest.delete(victim);
    }
    if (chance(options.hostEviction)) {
      const victim = [...host][below(host.size)];
      if (victim !== undefined) {
        host.delete(victim);
        uncalled.delete(victim);
        hostWasEvicted = true;
      }
    }
    if (chance(options.noise)) {
      const foreign = page * (1 + below(8));
      request(foreign);
      noise += foreign;
    }
    if (options.caches && options.direct !== true) {
      const missing: number[] = [];
      for (let each = Math.floor(offset / page); each * page < offset + bytes; each += 1) {
        const got = Math.min(offset + bytes, (each + 1) * page) - Math.max(offset, each * page);
        const waited = waiting.get(each);
        waiting.delete(each);
        if (waited !== undefined) book(waited, got);
        else if (guest.has(each)) book('guest-cache', got);
        else {
          missing.push(each);
          book(fetch(each), got);
        }
        demanded.add(each);
      }
      const last = missing.at(-1);
      if (last !== undefined) {
        for (
          let ahead = last + 1;
          ahead <= last + (options.guestReadahead ?? 0) && ahead < pages;
          ahead += 1
        ) {
          if (guest.has(ahead)) break;
          waiting.set(ahead, fetch(ahead));
          missing.push(ahead);
        }
        request(missing.reduce((sum, each) => sum + Math.min(page, size - each * page), 0));
      }
    } else {
      request(bytes);
      for (let each = Math.floor(offset / page); each * page < offset + bytes; each += 1)
        book(hostReads(each), Math.min(offset + bytes, (each + 1) * page) - Math.max(offset, each * page));
    }
  }
  counted.kicks += below(4);
  const counters = (
    bytes: number,
    requests: number,
    kicks: number,
    disk: number,
    used: number,
  ): Counters => ({
    daemon: { rchar: bytes + 8 * kicks, syscr: requests + kicks, readBytes: disk },
    ...(options.usedIndex === true ? { usedIndex: [used & 0xffff] } : {}),
  });
  const fixed = { guestSize: size, hostSize: size, dax: false };
  const samples: ReadSamples = {
    plan,
    direct: options.direct ?? false,
    mapped: false,
    transport: 'fuse',
    before: { ...before, ...fixed, empty: emptyOf(holes), daemonDirect: false },
    after: { guest: mapOf(guest, pages), host: mapOf(host, pages), ...fixed },
    counters: {
      before: counters(0, 0, 0, 0, 65_000),
      after: counters(
        counted.bytes,
        counted.requests,
        counted.kicks,
        counted.disk,
        65_000 + counted.messages + below(3),
      ),
    },
    host: { storage: 'disk' },
    unseen: [],
  };
  return { samples, reads, truth, hostWasEvicted, refetched, noise };
}

function mapOf(set: ReadonlySet<number>, pages: number): PageMap {
  const runs: number[] = [0];
  let present = false;
  for (let each = 0; each < pages; each += 1) {
    if (set.has(each) !== present) {
      runs.push(0);
      present = !present;
    }
    runs[runs.length - 1] = (runs.at(-1) ?? 0) + 1;
  }
  return { by: 'cachestat', pageSize: page, chunks: [{ first: 0, runs }], dirty: 0 };
}

function emptyOf(holes: ReadonlySet<number>): EmptyRange[] {
  return [...holes]
    .sort((a, b) => a - b)
    .map((each) => ({ offset: each * page, length: page, kind: 'hole' as const }));
}
