import type { Interval, Medium, Source } from './account.ts';

/**
 * What saved benchmark output says, and how far it can be trusted: the evidence of `vfs-verify diagnose`. Types
 * only; how it is judged is src/workload, and reports read it.
 */

/** Where a figure stands in a file. Lines and columns count from 1, offsets (characters) from 0. */
interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

/** One figure that a conclusion stands on. */
export interface Figure {
  readonly name: string;
  readonly value: number | string;
  /** Of the value: `ns`, `s`, `bytes`, `1/s`, `%`; absent for counts and words. */
  readonly unit?: 'ns' | 's' | 'ms' | 'bytes' | 'bytes/s' | '1/s' | '%';
  /** `read`: as it stands in the output; `derived`: computed from figures at these places; `told`: by a flag. */
  readonly from: 'read' | 'derived' | 'told';
  /** How it was computed. */
  readonly how?: string;
  readonly places: readonly Place[];
}

/**
 * - `certain`: the figures, with what the user told, allow no other reading; where that rests on what was told,
 *   `unless` repeats it.
 * - `likely`: another reading needs something unusual, which `unless` names.
 * - `possible`: the figures allow it, and others as well.
 */
export type Certainty = 'certain' | 'likely' | 'possible';

/** A word of the ledger. For a run on the host itself there is no path, only the medium. */
export type MediumWord = Source | Exclude<Medium, 'unexplained'>;

/** What a conclusion can be: each is explained on the command's page. */
export type ConclusionCode =
  | 'no-file'
  | 'faster-than-the-disk'
  | 'as-fast-as-the-disk'
  | 'faster-than-the-device'
  | 'latency-of-memory'
  | 'no-rotating-disk'
  | 'beyond-the-wire'
  | 'served-by-host-cache'
  | 'served-by-guest-cache'
  | 'guest-drop-changes-nothing'
  | 'same-from-both-runs'
  | 'disk-served'
  | 'device-served'
  | 'device-is-memory'
  | 'fewer-disk-requests'
  | 'direct-not-direct'
  | 'direct-in-the-guest-only'
  | 'acknowledged-from-memory'
  | 'flush-at-end'
  | 'flush-after-each'
  | 'flush-too-fast'
  | 'no-flush'
  | 'file-fits-memory'
  | 'later-passes'
  | 'verify-reads'
  | 'reads-own-writes'
  | 'synchronous-engine'
  | 'buffered-asynchronous'
  | 'rate-limited'
  | 'cpu-bound'
  | 'short-run'
  | 'job-failed'
  | 'host-run-differs'
  | 'nothing-contradicts';

/** One conclusion. It never says more than its figures allow. */
export interface Conclusion {
  readonly code: ConclusionCode;
  readonly certainty: Certainty;
  /** One sentence. */
  readonly claim: string;
  /** Which job and direction it is about: `random-read, read`. */
  readonly about: string;
  /** Media that it names; with `share`, how much of the requests. */
  readonly media: readonly MediumWord[];
  /** Media that it rules out, but for the share that `excludedAtMost` leaves. */
  readonly excludes: readonly MediumWord[];
  /** From 0 to 1. */
  readonly share?: Interval;
  readonly excludedAtMost?: number;
  readonly figures: readonly Figure[];
  /** What else could explain the figures. */
  readonly unless: readonly string[];
  /** The command that would settle it; absent where nothing is left open. */
  readonly settle?: string;
}

/** What was read of one job in one direction. */
export interface Measured {
  readonly about: string;
  readonly job: string;
  readonly direction: 'read' | 'write' | 'trim' | 'copy';
  readonly processes: number;
  readonly requests?: number;
  readonly bytes?: number;
  readonly seconds?: number;
  readonly requestsPerSecond?: number;
  readonly bytesPerSecond?: number;
  readonly medianNs?: number;
  readonly meanNs?: number;
  readonly engine?: string;
  readonly depth?: number;
  readonly blockBytes?: number;
  readonly order?: 'random' | 'sequential';
}

/** One file of output. */
export interface SavedFile {
  readonly file: string;
  readonly bytes: number;
  readonly program: 'fio' | 'dd' | 'unknown';
  readonly version?: string;
  readonly form: 'text' | 'json' | 'unknown';
  /** What was cleaned away, and what was broken. */
  readonly damage: readonly string[];
  /** What should be there and is not. */
  readonly missing: readonly string[];
}

/** The evidence of one judged file. */
export interface Diagnosis extends Readonly<Record<string, unknown>> {
  readonly kind: 'diagnosis';
  readonly saved: SavedFile;
  /** The files of the host's own run. */
  readonly hostRuns: readonly SavedFile[];
  readonly measured: readonly Measured[];
  /** The host's own run of the same job, by `about` of `measured`. */
  readonly hostMeasured: Readonly<Record<string, Measured>>;
  /** The most telling first. */
  readonly conclusions: readonly Conclusion[];
  /** More jobs than are judged one by one. */
  readonly jobsLeftOut?: number;
}

export function isDiagnosis(evidence: Readonly<Record<string, unknown>> | undefined): evidence is Diagnosis {
  return evidence?.kind === 'diagnosis';
}
