import type { FilesystemKind } from '../model/filesystems.ts';
import type { SyncsResult } from '../model/operation.ts';
import type { RunEnd, RunFile } from '../model/program-run.ts';
import type { EmptyRange, PageMap } from './samples.ts';

/** What an account of somebody else's program is made from. Plain JSON; what could not be seen is absent. */
export interface ProgramSamples {
  readonly transport: 'fuse' | '9p';
  /** False where the mode sends every write at once; absent where nobody knows. */
  readonly writeback?: boolean;
  /** The daemon takes over the guest's O_DIRECT (virtiofsd --allow-direct-io). */
  readonly daemonDirect?: boolean;
  readonly end: RunEnd;
  /** What the program reports of itself, where somebody could read that. */
  readonly claimed?: Claimed;
  readonly files: readonly FileSamples[];
  /** Files of the share that it was seen to hold besides: more than are looked at one by one. */
  readonly filesLeftOut?: number;
  /** What the guest's kernel saw of fsync at the program's end. */
  readonly syncs?: SyncsResult;
  readonly counters: { readonly before: ShareCounters; readonly after: ShareCounters };
  readonly storage?: { readonly storage: FilesystemKind['storage']; readonly fsType?: string };
  readonly unseen: readonly { readonly what: string; readonly why: string }[];
}

/** A benchmark's own sums, as it printed them. */
export interface Claimed {
  readonly read?: Claim;
  readonly write?: Claim;
  /** fsync and its kin, where it counts them: fio leaves out those of end_fsync. */
  readonly syncs?: { readonly calls: number; readonly ns?: number };
  /** How long the part took that it timed. */
  readonly seconds?: number;
  /** Whose words they are: `fio's own report`. */
  readonly by: string;
}

export interface Claim {
  /** Copied from somewhere to somewhere: it may not be of the share at all. */
  readonly isCopy?: boolean;
  readonly bytes: number;
  readonly requests: number;
}

/** One file of the share. */
export interface FileSamples {
  /** As the guest calls it. */
  readonly path: string;
  readonly hostPath: string;
  readonly held?: Omit<RunFile, 'path' | 'atNs'>;
  readonly before: FileMoment;
  readonly after: FileMoment;
  /** STATX_ATTR_DAX. */
  readonly dax?: boolean;
  /** Where nothing was stored before. */
  readonly empty?: readonly EmptyRange[];
}

/** One moment's state of a file: absent maps could not be taken; a size of 0: it was not there. */
export interface FileMoment {
  readonly size?: number;
  readonly guest?: PageMap;
  readonly host?: PageMap;
}

/** Counts at one moment; only differences mean anything. */
export interface ShareCounters {
  readonly daemon?: ServerCounts;
  /** Completed FUSE messages of all queues since somebody began to count. */
  readonly messages?: number;
  readonly device?: {
    readonly readSectors: number;
    readonly reads: number;
    readonly writeSectors: number;
    readonly writes: number;
    readonly flushes?: number;
    readonly flushMs?: number;
  };
  /** Dirty pages of the whole host, and those under writeback. */
  readonly hostDirtyBytes?: number;
  /** QEMU's own, where the disk's work behind a DAX window is charged. */
  readonly vmm?: VmmCounts;
}

export interface VmmCounts {
  readonly readBytes: number;
  /** Pages that it made dirty; of them, those that were dropped before they were written. */
  readonly writeBytes?: number;
  readonly cancelledBytes?: number;
}

/** /proc/PID/io of the process that serves the share. */
export interface ServerCounts {
  readonly rchar: number;
  readonly syscr: number;
  readonly wchar: number;
  readonly syscw: number;
  readonly readBytes: number;
  readonly writeBytes: number;
  readonly cancelledBytes: number;
}
