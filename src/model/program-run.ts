/**
 * The account of somebody else's program that runs under `vfs-probe run`: what its whole tree of processes asked
 * for. Plain JSON, as the probe tells it.
 */

/** Signals that can be handed on to a program that is attended. */
export type RunSignal = 'TERM' | 'INT' | 'HUP' | 'QUIT' | 'USR1' | 'USR2';

/** Sums of /proc/PID/io over the tree, processes that have ended included. */
export interface RunCounts {
  /** Bytes and calls of read(2) and its kin, on whatever file, pipe or socket; not loads from mappings, libaio, io_uring. */
  readonly rchar: number;
  readonly syscr: number;
  readonly wchar: number;
  readonly syscw: number;
  /** On the side where it runs: what it made the storage there fetch, and pages that it made dirty. */
  readonly readBytes: number;
  readonly writeBytes: number;
  readonly cancelledBytes: number;
}

/** The machine's page cache, in bytes. */
interface MachineMemory {
  readonly cachedBytes?: number;
  readonly dirtyBytes?: number;
  readonly writebackBytes?: number;
  readonly memoryBytes?: number;
}

/** Times count from the program's start, in nanoseconds of its side's clock. */
export interface RunSample extends RunCounts, MachineMemory {
  readonly atNs: number;
  readonly processes: number;
}

/** A file of the share that the tree had open when somebody looked. Told again when more is known of it. */
export interface RunFile {
  readonly path: string;
  readonly atNs: number;
  /** Open for reading, for writing. */
  readonly read: boolean;
  readonly write: boolean;
  readonly direct: boolean;
  /** O_SYNC or O_DSYNC. */
  readonly sync: boolean;
  readonly mapped: boolean;
}

/** How it ended. */
export interface RunEnd extends RunCounts, MachineMemory {
  readonly atNs: number;
  readonly status?: number;
  /** A signal's name, SIGKILL. */
  readonly signal?: string;
  readonly userUs: number;
  readonly systemUs: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  /** Processes of the tree that go on without it. */
  readonly left: number;
  /** False: this kernel does not list children, and only the program itself was seen while it ran. */
  readonly wholeTree: boolean;
  /** Seen to use io_uring, libaio: what goes through them is in no count above. */
  readonly uring: boolean;
  readonly aio: boolean;
  /** The counts shortly before it was first found with a file of the share open. */
  readonly beforeFirst?: RunCounts;
  /**
   * The part of them that was not asked of the share: what each process itself had asked for when it was last found
   * without a file of the share. One that was too short to be looked at may have asked all it did of the share.
   */
  readonly notOfShare?: RunCounts;
}

/** Bulk items of `attend`, in order. */
export type RunLine =
  | { readonly started: { readonly pid: number; readonly supervisor: number; readonly monotonicNs: string } }
  | { readonly failed: { readonly errno: string } }
  | { readonly file: RunFile }
  | { readonly sample: RunSample }
  | { readonly ended: RunEnd };
