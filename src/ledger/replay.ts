import type { Interval, LatencySummary, Medium, Source } from '../model/account.ts';
import type { Read } from '../model/read-plan.ts';
import { Histogram } from './histogram.ts';
import { HostPages } from './host-pages.ts';
import { crossedTierOf, type Tiers } from './latency.ts';
import { PageSet } from './page-set.ts';
import type { ReadSamples } from './samples.ts';

/** Which way reads take in the guest, as a hypothesis that the counts are held against. */
export type Way =
  /** Pages are kept: a page crosses when it is read for the first time. */
  | 'cached'
  /** Nothing is kept or looked up: every read crosses (O_DIRECT, or a daemon that opens files so). */
  | 'past-cache'
  /** The file is in the DAX window: nothing is read through the daemon. */
  | 'dax';

/** What one way would have had to do. Bytes of `bytes` add up to what the program got. */
export interface Replayed {
  readonly way: Way;
  readonly bytes: ReadonlyMap<Source, number>;
  readonly requests: ReadonlyMap<Source, number>;
  readonly latency: Readonly<Partial<Record<Source, LatencySummary>>>;
  readonly gotBytes: number;
  readonly reads: number;
  readonly emptyReads: number;
  readonly shortReads: number;
  /** Bytes that must have crossed to the daemon, whole pages where pages are fetched. */
  readonly neededBytes: number;
  /** Requests that those take. */
  readonly requestsNeeded: Interval;
  readonly host: HostPages;
  /** Guest pages that the program's reads reached. */
  readonly reached: PageSet;
  /** Those of them that were not in the guest's cache before. */
  readonly fetched: PageSet;
  /** Bytes that the guest's cache served, by the medium that they would have come from otherwise. */
  readonly cachedOver: ReadonlyMap<Medium, number>;
  /** Bytes of reads that crossed, by latency class; what has no class is not in it. */
  readonly crossedByTier: ReadonlyMap<'host-cache' | 'disk', number>;
}

/** From the fastest: a read that touched several is counted under the last of them. */
const slowest: readonly Medium[] = ['hole', 'host-cache', 'unexplained', 'disk'];

/** Replays the reads of a run against the state before it, in their order. */
export class Replay {
  readonly #samples: ReadSamples;
  readonly #way: Way;
  readonly #tiers: Tiers | undefined;
  readonly #page: number;
  readonly #most: number;
  readonly #host: HostPages;
  readonly #present: PageSet;
  readonly #reached: PageSet;
  readonly #fetched: PageSet;
  readonly #bytes = new Map<Source, number>();
  readonly #requests = new Map<Source, number>();
  readonly #latency = new Map<Source, Histogram>();
  readonly #crossedByTier = new Map<'host-cache' | 'disk', number>();
  readonly #cachedOver = new Map<Medium, number>();
  #got = 0;
  #reads = 0;
  #empty = 0;
  #short = 0;
  #needed = 0;
  #requestsLeast = 0;
  #requestsMost = 0;
  /** Of the read under way: the slowest medium that it crossed to. */
  #medium: Medium | undefined;

  constructor(samples: ReadSamples, way: Way, tiers?: Tiers) {
    this.#samples = samples;
    this.#way = way;
    this.#tiers = tiers;
    this.#page = samples.before.guest?.pageSize ?? samples.after.guest?.pageSize ?? 4096;
    this.#most = samples.maxRequest ?? defaultMostBytes;
    this.#host = new HostPages(samples, samples.direct && samples.before.daemonDirect === true);
    const size = Math.max(
      samples.before.guestSize,
      samples.after.guestSize,
      samples.plan.range.offset + samples.plan.range.length,
    );
    const end = Math.ceil(size / this.#page);
    const before = samples.before.guest === undefined ? [] : PageSet.of(samples.before.guest);
    this.#present = new PageSet(0, end);
    for (const page of before) this.#present.add(page);
    this.#reached = new PageSet(0, end);
    this.#fetched = new PageSet(0, end);
  }

  add(read: Read): void {
    this.#reads += 1;
    this.#got += read.bytes;
    if (read.bytes < read.asked) this.#short += 1;
    if (read.bytes <= 0) {
      this.#empty += 1;
      return;
    }
    this.#medium = undefined;
    if (this.#way === 'cached') this.#throughCache(read);
    else this.#past(read);
    const source = this.#medium === undefined ? 'guest-cache' : this.#name(this.#medium);
    this.#requests.set(source, (this.#requests.get(source) ?? 0) + 1);
    this.#clock(source, read.ns);
    if (this.#medium === undefined || this.#tiers === undefined) return;
    const tier = crossedTierOf(read.ns, this.#tiers);
    if (tier !== undefined) this.#crossedByTier.set(tier, (this.#crossedByTier.get(tier) ?? 0) + read.bytes);
  }

  end(): Replayed {
    return {
      way: this.#way,
      bytes: this.#bytes,
      requests: this.#requests,
      latency: Object.fromEntries([...this.#latency].map(([source, each]) => [source, each.summary()])),
      gotBytes: this.#got,
      reads: this.#reads,
      emptyReads: this.#empty,
      shortReads: this.#short,
      neededBytes: this.#needed,
      requestsNeeded:
        this.#way === 'cached'
          ? [Math.ceil(this.#needed / this.#most), this.#requestsMost]
          : [this.#requestsLeast, this.#requestsMost],
      host: this.#host,
      reached: this.#reached,
      fetched: this.#fetched,
      crossedByTier: this.#crossedByTier,
      cachedOver: this.#cachedOver,
    };
  }

  #throughCache({ offset, bytes }: Read): void {
    const end = offset + bytes;
    for (let page = Math.floor(offset / this.#page); page * this.#page < end; page += 1) {
      const start = page * this.#page;
      const from = Math.max(offset, start);
      const to = Math.min(end, start + this.#page);
      this.#reached.add(page);
      if (this.#present.has(page)) {
        this.#book('guest-cache', to - from);
        const otherwise = this.#host.peek(Math.floor(from / this.#host.pageSize));
        this.#cachedOver.set(otherwise, (this.#cachedOver.get(otherwise) ?? 0) + to - from);
        continue;
      }
      this.#present.add(page);
      this.#fetched.add(page);
      const fetchEnd = Math.max(start, this.#host.clip(start + this.#page));
      this.#needed += fetchEnd - start;
      if (fetchEnd > start) this.#requestsMost += 1;
      // The whole page crosses, the program gets the part that it asked for.
      this.#host.read(start, start + this.#page, (medium, low, high) => {
        const asked = Math.min(high, to) - Math.max(low, from);
        if (asked > 0) this.#cross(medium, asked);
      });
    }
  }

  #past({ offset, bytes }: Read): void {
    const end = offset + bytes;
    for (let page = Math.floor(offset / this.#page); page * this.#page < end; page += 1)
      this.#reached.add(page);
    if (this.#way === 'past-cache') {
      this.#needed += bytes;
      // A read that is not aligned may take a page more than its bytes.
      this.#requestsLeast += Math.ceil(bytes / this.#most);
      // On 9p a page of the reader's buffer is a request (net/9p/trans_virtio.c p9_get_mapped_pages).
      const most = this.#samples.transport === '9p' ? this.#page : smallestMostBytes;
      this.#requestsMost += Math.ceil((bytes + (offset % this.#page)) / most);
    }
    this.#host.read(offset, end, (medium, low, high) => this.#cross(medium, high - low));
  }

  #cross(medium: Medium, bytes: number): void {
    this.#book(this.#name(medium), bytes);
    if (this.#medium === undefined || slowest.indexOf(medium) > slowest.indexOf(this.#medium))
      this.#medium = medium;
  }

  #book(source: Source, bytes: number): void {
    this.#bytes.set(source, (this.#bytes.get(source) ?? 0) + bytes);
  }

  #clock(source: Source, ns: number): void {
    const histogram = this.#latency.get(source) ?? new Histogram();
    this.#latency.set(source, histogram);
    histogram.add(ns);
  }

  #name(medium: Medium): Source {
    return `${this.#way === 'dax' ? 'dax' : this.#samples.transport}/${medium}`;
  }
}

/**
 * What a request may carry at the least: 32 pages of 4 KiB (FUSE_DEFAULT_MAX_PAGES_PER_REQ). Short queues make
 * the most less than it could be: QEMU's of 128 entries leave room for 124 pages.
 */
const smallestMostBytes = 128 * 1024;

/** 256 pages of 4 KiB: the most that the kernel puts into one request. */
export const defaultMostBytes = 1024 * 1024;
