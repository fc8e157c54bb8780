import type { Found } from './found.ts';

/** What the parsers give: everything keeps the offset where it stands in the cleaned text. */
export interface SavedRun {
  readonly program: 'fio' | 'dd';
  readonly form: 'text' | 'json';
  readonly version?: Found<string>;
  readonly jobs: readonly SavedJob[];
  /** What fio saw its disks do, slaves of others left out. */
  readonly disks: readonly SavedDisk[];
  /** Whether the disk figures could be there: the output goes on to where they would stand. */
  readonly endSeen: boolean;
  /** Arguments of the command, where it was saved with its output. */
  readonly command?: readonly string[];
  /** fio: `Laying out IO file` was printed, with the size of all files in bytes where it says so. */
  readonly layouts: readonly Layout[];
  readonly missing: readonly string[];
  readonly damage: readonly string[];
}

/** Whether its bytes are as they were counted: fio's text has them in three digits or so. */
export function hasExactBytes({ program, form }: Pick<SavedRun, 'program' | 'form'>): boolean {
  return program === 'dd' || form === 'json';
}

export interface Layout {
  readonly job: string;
  readonly bytes?: number;
  readonly at: number;
}

/** The options of a job by fio's own long names; `true` of a flag is `1`. */
export type JobOptions = ReadonlyMap<string, Found<string>>;

export interface SavedJob {
  readonly name: string;
  readonly at: number;
  readonly group: number;
  /** Processes that these figures are the sum of (group reporting). */
  readonly members: number;
  /** Those are of several jobs, which need not be alike: nothing that was set for one of them is said of all. */
  readonly isOfSeveral?: boolean;
  readonly pid?: string;
  readonly error?: Found<number>;
  readonly errorText?: string;
  readonly options: JobOptions;
  /** All of the options are known: what is not among them has its default. */
  readonly optionsComplete: boolean;
  readonly workload?: Found<string>;
  readonly engine?: Found<string>;
  readonly depth?: Found<number>;
  readonly directions: readonly SavedDirection[];
  readonly sync?: SavedSync;
  readonly cpu?: { readonly user: Found<number>; readonly system: Found<number> };
  /** Percent of requests by the depth that they met: fio's `IO depths`. */
  readonly depthOnePercent?: Found<number>;
}

export type DirectionName = 'read' | 'write' | 'trim' | 'copy';

export interface SavedDirection {
  readonly direction: DirectionName;
  readonly at: number;
  readonly requests?: Found<number>;
  readonly bytes?: Found<number>;
  readonly runtimeMs?: Found<number>;
  readonly iops?: Found<number>;
  readonly bytesPerSecond?: Found<number>;
  readonly slat?: SavedLatency;
  readonly clat?: SavedLatency;
  readonly lat?: SavedLatency;
  /** Pairs of percent and nanoseconds, of completion latency (or of all of it, where fio was told so). */
  readonly percentiles: readonly (readonly [number, Found<number>])[];
  /** They, and the bins, are of all latency, submission included (`lat_percentiles`). */
  readonly isOfAllLatency?: boolean;
  /** Pairs of nanoseconds and requests that took about so long, of the same latency (fio's json+). */
  readonly bins?: readonly (readonly [ns: number, requests: number])[];
  /** How often fio looked at the rate, and what it was on average then. */
  readonly samples?: { readonly count: Found<number>; readonly mean: Found<number> };
}

/** Nanoseconds. */
export interface SavedLatency {
  readonly min: Found<number>;
  readonly max: Found<number>;
  readonly mean: Found<number>;
  readonly count?: Found<number>;
}

export interface SavedSync {
  readonly count?: Found<number>;
  readonly latency?: SavedLatency;
}

/** Reads first, writes second. */
export interface SavedDisk {
  readonly name: Found<string>;
  readonly requests: readonly [Found<number>, Found<number>];
  readonly merges: readonly [Found<number>, Found<number>];
  readonly sectors?: readonly [Found<number>, Found<number>];
  readonly ticksMs: readonly [Found<number>, Found<number>];
  readonly utilPercent?: Found<number>;
}
