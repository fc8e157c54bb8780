import type { Interval, LedgerLine } from './account.ts';
import type { FilesystemKind } from './filesystems.ts';
import type { RunEnd, RunFile } from './program-run.ts';

/**
 * The account of somebody else's program over a share: what it asked for, what crossed to the daemon, what the disk
 * did, for reads and for writes. Nobody sees the offsets of its calls, so that most figures are intervals.
 */

/** Bytes and requests at one place, each as an interval that the counts allow. */
export interface Passed {
  readonly bytes: Interval;
  readonly requests: Interval;
  /** What it stands on. */
  readonly because: string;
  /** Calls that no counter shows (a mapping, io_uring, libaio): there may be more than the interval says. */
  readonly hidden?: string;
}

/** Reads, or writes, of one program. */
export interface Flow {
  /** What the program asked of the share: bytes that it was given, or that it was told are written. */
  readonly asked: Passed;
  /** What the daemon read or wrote for it; absent where its counters cannot be read. */
  readonly crossed?: Passed;
  /** What the lines add up to: the best estimate of what was asked for. */
  readonly bytes: number;
  readonly lines: readonly LedgerLine[];
  /** The one plain sentence. */
  readonly sentence: string;
}

/** What writes left behind when the program ended. */
export interface WriteFlow extends Flow {
  readonly atEnd: {
    /** Dirty or under writeback, of the files that are known. */
    readonly guestDirtyBytes?: number;
    readonly hostDirtyBytes?: number;
    /** Dirty before the program began, for comparison. */
    readonly hostDirtyBytesBefore?: number;
  };
}

/** fsync and its kin on files of the share: as often and as long as the program waited for them. */
export interface SyncCalls {
  readonly calls: number;
  /** There may have been more. */
  readonly isLeast?: boolean;
  /** All of them together, side by side or not; absent where that is not known. */
  readonly seconds?: number;
  /** They took longer than all that the benchmark timed: its figure is without them. */
  readonly isUntimed?: boolean;
  readonly because: string;
}

/** The block device below the share, everybody's traffic included. */
export interface DeviceWork {
  readonly readBytes: number;
  readonly reads: number;
  readonly writtenBytes: number;
  readonly writes: number;
  /** Flushes of the disk's own cache: an fsync that reached the disk makes at least one. */
  readonly flushes?: number;
  readonly flushMs?: number;
}

/** One run of the program. */
export interface ProgramAccount {
  /** Who answers the guest, where that is no daemon: QEMU serves 9p itself. */
  readonly server?: 'qemu';
  readonly reads: Flow;
  readonly writes: WriteFlow;
  /** Absent where nothing shows them. */
  readonly syncs?: SyncCalls;
  readonly end: RunEnd;
  /** Files of the share that it was seen to hold, or that were named. */
  readonly files: readonly AccountedFile[];
  readonly device?: DeviceWork;
  /** Bytes that the daemon's own block requests read, readahead and metadata of the host included. */
  readonly daemonDiskBytes?: number;
  readonly storage?: { readonly storage: FilesystemKind['storage']; readonly fsType?: string };
  readonly unseen: readonly { readonly what: string; readonly why: string }[];
}

/** A file of the share, with what each side's cache held of it before and after. */
export interface AccountedFile {
  readonly path: string;
  readonly hostPath: string;
  readonly held?: Omit<RunFile, 'path' | 'atNs'>;
  readonly size?: number;
  readonly guestCached?: readonly [before: number | undefined, after: number | undefined];
  readonly hostCached?: readonly [before: number | undefined, after: number | undefined];
}
