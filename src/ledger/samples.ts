import type { FilesystemKind } from '../model/filesystems.ts';
import type { ReadPlan } from '../model/read-plan.ts';

/**
 * The saved evidence of one run of reads through one descriptor: state before, counts after. Plain JSON; the
 * reads themselves are bulk items beside it (model/read-plan.ts). What could not be seen is absent, and
 * `unseen` says why: an account never reads a missing sample as zero.
 */
export interface ReadSamples {
  readonly plan: ReadPlan;
  /** O_DIRECT on the guest's descriptor: its page cache is passed by. */
  readonly direct: boolean;
  /** Loads from a mapping in place of read(2). */
  readonly mapped: boolean;
  readonly transport: 'fuse' | '9p';
  readonly before: FileState;
  readonly after: FileState;
  readonly counters: { readonly before: Counters; readonly after: Counters };
  readonly host: HostFacts;
  /** Bytes of one request to the daemon at most. Default 1 MiB (256 pages), the kernel's own limit. */
  readonly maxRequest?: number;
  readonly unseen: readonly Unseen[];
  /** Reads of known origin, timed on this machine in this run. */
  readonly calibration?: Calibration;
}

/** What calibration reads were taken for, and what could not be told of others. */
export interface Calibration {
  readonly classes: readonly LabelledLatencies[];
  readonly refused: readonly { readonly source: LabelledLatencies['source']; readonly why: string }[];
}

/** One moment's state of the file on both sides. */
export interface FileState {
  /** Of the whole file, through the descriptor that reads. */
  readonly guest?: PageMap;
  /** Of exactly the range that is read. */
  readonly host?: PageMap;
  readonly guestSize: number;
  readonly hostSize?: number;
  /** STATX_ATTR_DAX, as the guest says. */
  readonly dax?: boolean;
  /** Where nothing is stored, sorted; taken before only. Absent: could not be asked. */
  readonly empty?: readonly EmptyRange[];
  /** The daemon's descriptor of this file is O_DIRECT; absent: could not be seen. */
  readonly daemonDirect?: boolean;
}

/** Which pages are in a page cache. */
export interface PageMap {
  readonly by: 'cachestat' | 'mincore';
  readonly pageSize: number;
  /** Run lengths from page `first`, beginning with absent pages: absent, present, absent … */
  readonly chunks: readonly { readonly first: number; readonly runs: readonly number[] }[];
  /** Dirty or under writeback; absent where mincore cannot say. */
  readonly dirty?: number;
}

/** A range without stored data: a hole, or an extent that was allocated and never written. */
export interface EmptyRange {
  readonly offset: number;
  readonly length: number;
  readonly kind: 'hole' | 'unwritten';
}

/** Counts at one moment; only differences mean anything. */
export interface Counters {
  /** /proc/PID/io of the process that does the daemon's work (for 9p: of QEMU). */
  readonly daemon?: { readonly rchar: number; readonly syscr: number; readonly readBytes: number };
  /** Used index of each request queue, mod 65,536: completed FUSE messages. */
  readonly usedIndex?: readonly number[];
  /** Sectors of 512 bytes read from the block device below the host's file. */
  readonly deviceSectors?: number;
  /** /proc/PID/io of QEMU, where disk reads behind a DAX window are charged. */
  readonly vmm?: { readonly readBytes: number };
  /** /proc/self/io of the reading process in the guest. */
  readonly reader?: { readonly rchar: number; readonly syscr: number };
  /** Guest tracepoints on this mount's connection: FUSE_READ requests and the bytes that they returned. */
  readonly fuseReads?: { readonly requests: number; readonly bytes: number };
}

/** What is known of the host below the share. */
interface HostFacts {
  readonly storage: FilesystemKind['storage'];
  readonly fsType?: string;
}

export interface Unseen {
  readonly what:
    | 'guest-pages'
    | 'host-pages'
    | 'extents'
    | 'daemon-io'
    | 'used-index'
    | 'daemon-flags'
    | 'device'
    | 'dax'
    | 'reader-io'
    | 'after';
  readonly why: string;
}

/** Times of reads whose source is known by construction. */
export interface LabelledLatencies {
  readonly source: 'guest-cache' | 'host-cache' | 'disk';
  readonly ns: readonly number[];
}
