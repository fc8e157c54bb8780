import type { Medium } from '../model/account.ts';
import { PageSet } from './page-set.ts';
import type { ReadSamples } from './samples.ts';

/**
 * The host below one run, replayed: which medium each page comes from when the daemon reads it. The first
 * touch of an absent page is the disk, a later one in the same run finds it resident; a page in which nothing
 * is stored is a hole, absent or not.
 */
export class HostPages {
  readonly pageSize: number;
  readonly #size: number | undefined;
  readonly #direct: boolean;
  readonly #noDisk: boolean;
  readonly #dirty: boolean;
  readonly #before: PageSet | undefined;
  readonly #now: PageSet | undefined;
  readonly #holes: PageSet;
  readonly #unwritten: PageSet;
  readonly touched: PageSet;
  /** Pages that a first touch made resident. */
  readonly broughtIn: PageSet;
  /** Bytes of whole pages that had to come from the disk. */
  diskPageBytes = 0;
  /** Of the touched pages, those that were resident before. */
  touchedResident = 0;

  /** @param direct the daemon reads with O_DIRECT: its page cache does not serve. */
  constructor(samples: ReadSamples, direct: boolean) {
    const { before, host } = samples;
    this.pageSize = before.host?.pageSize ?? before.guest?.pageSize ?? 4096;
    this.#size = before.hostSize;
    this.#direct = direct;
    this.#noDisk = host.storage === 'tmpfs';
    // An unwritten extent under a dirty page holds data, in memory.
    this.#dirty = before.host?.dirty !== 0;
    this.#before = before.host === undefined ? undefined : PageSet.of(before.host);
    this.#now = this.#before?.clone();
    const end = Math.ceil((before.hostSize ?? before.guestSize) / this.pageSize);
    this.#holes = this.#emptyPages(samples, 'hole', end);
    this.#unwritten = this.#emptyPages(samples, 'unwritten', end);
    this.touched = new PageSet(0, end);
    this.broughtIn = new PageSet(0, end);
  }

  /** Where the host's file ends, for pages that the daemon fetches whole; without a size, nowhere. */
  clip(offset: number): number {
    return this.#size === undefined ? offset : Math.min(offset, this.#size);
  }

  /**
   * The daemon reads [offset, end). Each part of it is handed over with its medium; a part beyond the end of
   * the file is a hole.
   */
  read(offset: number, end: number, part: (medium: Medium, from: number, to: number) => void): void {
    const stored = Math.max(offset, this.clip(end));
    for (let page = Math.floor(offset / this.pageSize); page * this.pageSize < stored; page += 1) {
      const from = Math.max(offset, page * this.pageSize);
      const to = Math.min(stored, (page + 1) * this.pageSize);
      part(this.#touch(page, to - from), from, to);
    }
    if (stored < end) part('hole', stored, end);
  }

  /** Where a page would come from if the daemon read it now. */
  peek(page: number): Medium {
    if (this.#holes.has(page)) return 'hole';
    const resident = this.#before?.has(page) === true;
    if (this.#unwritten.has(page) && !(resident && this.#dirty)) return 'hole';
    if (this.#direct) return 'disk';
    if (this.#now?.knows(page) !== true) return 'unexplained';
    if (this.#now.has(page)) return 'host-cache';
    // On tmpfs an absent page that is no hole was swapped out: not the disk that anybody asks about.
    return this.#noDisk ? 'unexplained' : 'disk';
  }

  #touch(page: number, bytes: number): Medium {
    if (!this.touched.has(page)) {
      this.touched.add(page);
      if (this.#before?.has(page) === true) this.touchedResident += 1;
    }
    const medium = this.peek(page);
    if (this.#direct) {
      // Nothing is kept, so that every read of it counts, and no more than was asked for.
      if (medium === 'disk') this.diskPageBytes += bytes;
    } else if (medium !== 'hole' && this.#now?.knows(page) === true && !this.#now.has(page)) {
      this.#now.add(page);
      this.broughtIn.add(page);
      if (medium === 'disk')
        this.diskPageBytes += this.clip((page + 1) * this.pageSize) - page * this.pageSize;
    }
    return medium;
  }

  /** Pages of which no byte is stored; a page that is stored in part counts as stored. */
  #emptyPages({ before }: ReadSamples, kind: 'hole' | 'unwritten', end: number): PageSet {
    const pages = new PageSet(0, end);
    let from = -1;
    let to = -1;
    const flush = () => {
      const last = to >= (this.#size ?? Number.POSITIVE_INFINITY) ? end : Math.floor(to / this.pageSize);
      if (from >= 0) for (let page = Math.ceil(from / this.pageSize); page < last; page += 1) pages.add(page);
    };
    for (const range of before.empty ?? []) {
      if (range.kind !== kind) continue;
      if (range.offset > to || from < 0) {
        flush();
        from = range.offset;
      }
      to = Math.max(to, range.offset + range.length);
    }
    flush();
    return pages;
  }
}
