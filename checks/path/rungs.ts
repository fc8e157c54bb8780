import type { Source } from '../../src/model/account.ts';
import { sources, type Traits } from '../mode/traits.ts';

/** One state of both caches, and where a read that finds it must be served from. */
export interface Rung {
  readonly name: string;
  /** The state, in words. */
  readonly state: string;
  /** The guest has read it all before, through a descriptor that stays open. */
  readonly warm?: true;
  /**
   * The descriptor that reads: that one, one that is opened right after the file was warmed (in the same
   * request, so that what the open drops is told from what others evict), or one that is opened for the run.
   */
  readonly through: 'kept' | 'reopened' | 'opened';
  readonly direct?: true;
  /** Evicted right before the reads, of this file alone. */
  readonly drop?: { readonly guest?: true; readonly host?: true };
  readonly must: (traits: Traits) => Source;
  readonly sources: readonly string[];
}

const read = 'Linux 6.12 fs/fuse/file.c fuse_file_read_iter';
const evict = 'Linux 6.12 mm/fadvise.c generic_fadvise';

/** From the guest's cache where read() leaves pages there, else from below it. */
const keptOr =
  (below: Source) =>
  ({ data }: Traits): Source =>
    data === 'not at all' ? below : 'guest-cache';

/**
 * The ladder. A byte that is written by the host is in the host's cache; each arrow is a read of the whole
 * file in the guest, from the first cache on its way that holds it:
 *
 * ```
 *                        guest cache   host cache   disk
 *  cold                  |........|    |........|  |dddddddd|  → fuse/disk
 *  host-warm             |........|    |hhhhhhhh|              → fuse/host-cache
 *  guest-warm            |gggggggg|    |hhhhhhhh|              → guest-cache, or fuse/host-cache (DIRECT_IO)
 *  guest-warm-reopened   |g or ...|    |hhhhhhhh|              → guest-cache (KEEP_CACHE), or fuse/host-cache
 *  guest-dropped         |........|    |hhhhhhhh|              → fuse/host-cache
 *  host-dropped          |gggggggg|    |........|  |dddddddd|  → guest-cache, or fuse/disk (DIRECT_IO)
 *  both-dropped          |........|    |........|  |dddddddd|  → fuse/disk
 *  o-direct               passed by    |hhhhhhhh|  |dddddddd|  → fuse/host-cache (stripped), or fuse/disk
 * ```
 */
export const rungs: readonly Rung[] = [
  {
    name: 'cold',
    state: 'the guest has never read it, the host evicted it',
    through: 'opened',
    drop: { host: true },
    must: () => 'fuse/disk',
    sources: [evict, read],
  },
  {
    name: 'host-warm',
    state: 'the guest has never read it, the host has just written it',
    through: 'opened',
    must: () => 'fuse/host-cache',
    sources: [read],
  },
  {
    name: 'guest-warm',
    state: 'the guest has just read it, and reads again through the same descriptor',
    warm: true,
    through: 'kept',
    must: keptOr('fuse/host-cache'),
    sources: [...sources.data, read],
  },
  {
    name: 'guest-warm-reopened',
    state: 'the guest has just read it, and opens it again to read',
    warm: true,
    through: 'reopened',
    must: ({ data }) => (data === 'over an open' ? 'guest-cache' : 'fuse/host-cache'),
    sources: sources.data,
  },
  {
    name: 'guest-dropped',
    state: 'the guest has read it and evicted it',
    warm: true,
    through: 'kept',
    drop: { guest: true },
    must: () => 'fuse/host-cache',
    sources: [evict, read],
  },
  {
    name: 'host-dropped',
    state: 'the guest has read it, and the host evicted it',
    warm: true,
    through: 'kept',
    drop: { host: true },
    must: keptOr('fuse/disk'),
    sources: [...sources.data, evict, read],
  },
  {
    name: 'both-dropped',
    state: 'the guest has read it, and both sides evicted it',
    warm: true,
    through: 'kept',
    drop: { guest: true, host: true },
    must: () => 'fuse/disk',
    sources: [evict, read],
  },
  {
    name: 'o-direct',
    state: 'the host has just written it, and the guest reads with O_DIRECT',
    // A second descriptor without O_DIRECT would hide which of the two the daemon reads through.
    through: 'opened',
    direct: true,
    must: ({ directIo }) => (directIo ? 'fuse/disk' : 'fuse/host-cache'),
    sources: sources.directIo,
  },
];
