import type { FilesystemKind } from './filesystems.ts';

/**
 * Where bytes came from: the words of the ledger. A line is a path (how a byte reached the program in the
 * guest) and, below some paths, a medium (where the host had it). Types only: how an account is made is
 * src/ledger, and checks and reports read it.
 */

/** How a byte reached the program. Nothing lies below the guest's own page cache. */
export type Path = 'guest-cache' | 'dax' | 'fuse' | '9p' | 'unexplained';

/** Where the host had it. `unexplained`: it crossed to the daemon, and from there it is not known. */
export type Medium = 'host-cache' | 'disk' | 'hole' | 'unexplained';

/** A line's name: `guest-cache`, `fuse/host-cache`, `dax/disk`, `fuse/hole`, `unexplained`. */
export type Source = 'guest-cache' | 'unexplained' | `${'dax' | 'fuse' | '9p'}/${Medium}`;

/**
 * How a figure is known, best first.
 * - `proved`: counters and states that leave no other reading.
 * - `bounded`: counters leave an interval.
 * - `inferred`: from latency classes calibrated in this run, or from page states without a daemon's counters.
 *   An inference is never upgraded.
 * - `unexplained`: what remains.
 */
export type Known = 'proved' | 'bounded' | 'inferred' | 'unexplained';

/** Both ends included. */
export type Interval = readonly [number, number];

/** One line of the ledger. The lines' bytes add up to the bytes that the program got. */
export interface LedgerLine {
  readonly source: Source;
  readonly path: Path;
  readonly medium?: Medium;
  readonly bytes: number;
  /** The program's reads, each counted once: under the slowest source that it touched. */
  readonly requests: number;
  readonly known: Known;
  /** Where `known` is `bounded` (or `inferred` with a bound): what the counters allow. */
  readonly interval?: Interval;
  /** What it stands on, one sentence. */
  readonly because: string;
}

/** Latency of the reads of one class, in nanoseconds. Percentiles are exact to 1 in 128. */
export interface LatencySummary {
  readonly count: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly maxNs: number;
  /** Counts of reads by the power of two of their nanoseconds: bin k is [2^k, 2^(k+1)). */
  readonly log2: readonly number[];
}

/** The account of one run of reads. */
export interface Ledger {
  /** The one plain sentence: which medium this run measured, in what proportion, and how sure that is. */
  readonly sentence: string;
  /** Bytes and reads that the program got, and reads that gave nothing (past the end). */
  readonly bytes: number;
  readonly requests: number;
  readonly emptyReads: number;
  /** Largest first; `unexplained` is there even when it is 0. */
  readonly lines: readonly LedgerLine[];
  /** What the host's directory lies on: `tmpfs` has no disk, behind `network` the disk is another machine. */
  readonly storage?: { readonly storage: FilesystemKind['storage']; readonly fsType?: string };
  /** Bytes of all lines that end in `unexplained`. */
  readonly unexplainedBytes: number;
  /** Whether the guest's kernel kept what it fetched, as the state afterwards shows. */
  readonly guestCaches: 'yes' | 'no' | 'not-known';
  /** What crossed to the daemon; absent where the daemon cannot be seen. */
  readonly daemon?: DaemonAccount;
  /** Whole pages that had to be fetched for what the program asked. */
  readonly readahead: ReadaheadAccount;
  /** Bytes that the daemon read beyond what our pages can explain; never booked to our file. */
  readonly otherTraffic?: { readonly bytes: Interval; readonly because: string };
  readonly evictedMeanwhile: EvictedAccount;
  /** Host pages that the run reached, and how many of them were resident before. */
  readonly hostPages?: { readonly reached: number; readonly residentBefore: number };
  readonly latency: Readonly<Partial<Record<Source, LatencySummary>>>;
  readonly crossChecks: readonly CrossCheck[];
  /** The latency classes that inferences stand on, where there are any. */
  readonly calibration?: CalibrationAccount;
  /** What could not be seen, and why. */
  readonly unseen: readonly { readonly what: string; readonly why: string }[];
}

/** Latency classes of this machine in this run. A duration that lies in none of them says nothing. */
export interface CalibrationAccount {
  readonly classes: readonly {
    readonly source: 'guest-cache' | 'host-cache' | 'disk';
    readonly fromNs: number;
    /** Absent: nothing slower is another class's. */
    readonly toNs?: number;
    readonly samples: number;
    /** The share of its own reads that would be taken for another class, and for none. */
    readonly mistaken: number;
    readonly undecided: number;
  }[];
  readonly refused: readonly {
    readonly source: 'guest-cache' | 'host-cache' | 'disk';
    readonly why: string;
  }[];
}

/** The daemon's work in this run. Equal ends: exact. */
export interface DaemonAccount {
  readonly bytes: Interval;
  readonly requests: Interval;
  readonly kicks: Interval;
  /** How bytes and kicks were told apart. */
  readonly how: string;
  /** Bytes that the daemon's own block requests read, readahead and metadata of the host included. */
  readonly diskBytes?: number;
}

/** Readahead on its own line. */
interface ReadaheadAccount {
  /** Whole pages that the program's reads had to have fetched. */
  readonly askedBytes: number;
  /** Pages fetched for this file in all, as far as they can be told from other traffic. */
  readonly fetchedBytes: number;
  /** Of the fetched, those that the program asked for in this run. */
  readonly usedBytes: number;
  /** Known only where the state afterwards could be taken. */
  readonly known: Known;
}

/** Pages that were there and are gone, although nothing in this run drops any. */
export interface EvictedAccount {
  readonly guestPages?: number;
  readonly hostPages?: number;
}

/** Two figures that must agree, from sources that share nothing. */
interface CrossCheck {
  readonly name: string;
  readonly expected: string;
  readonly observed: string;
  readonly agrees: boolean;
}
