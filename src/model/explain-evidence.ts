import type { ShareWords } from './comparison.ts';
import type { ProgramAccount } from './program-account.ts';
import type { ReportedLatency } from './reported-latency.ts';
import type { Timeline } from './timeline.ts';

/**
 * What `vfs-verify explain` found. A type and not an interface, so that it is assignable to a verdict's open
 * `evidence`.
 */
export type ExplainEvidence = {
  readonly kind: 'explain';
  /** The user's command, word for word. */
  readonly command: readonly string[];
  /** Its exit status: 128 + N for signal N. */
  readonly status: number;
  readonly seconds: number;
  readonly account: ProgramAccount;
  /** What the caches were made to hold of its files before (`--states`). */
  readonly state?: string;
  /** What of that did not come about, a sentence each. */
  readonly stateLeft?: readonly string[];
  /** What the benchmark says of its own speed, from its output. */
  readonly rate?: BenchmarkRate;
  /** The run over time. */
  readonly timeline?: Timeline;
  /** How long its requests took, where the benchmark says so. */
  readonly latency?: readonly ReportedLatency[];
  /** With `--on-host`. */
  readonly onHost?: HostRun;
  /** What to change to measure the other medium, the most telling first. */
  readonly advice: readonly string[];
  readonly share: ShareWords;
  /** What the measurement itself changed, a sentence each. */
  readonly disturbed: readonly string[];
};

/** The same job on the host's view of the same files. */
export interface HostRun {
  readonly command: readonly string[];
  readonly status: number;
  /** Why it did not start: an errno's name. */
  readonly failed?: string;
  readonly seconds?: number;
  /** Bytes that it read and wrote, by its own counters: a ceiling. */
  readonly askedBytes?: readonly [read: number, written: number];
  /** What the disk had to give for it, readahead included. */
  readonly diskReadBytes?: number;
  readonly rate?: BenchmarkRate;
}

/** A benchmark's own figures: requests and bytes each second. */
export interface BenchmarkRate {
  readonly program: string;
  /** How long the part took that it timed. */
  readonly timedSeconds?: number;
  readonly read?: { readonly iops?: number; readonly bytesPerSecond?: number };
  readonly write?: { readonly iops?: number; readonly bytesPerSecond?: number };
}

/** Whether a verdict's evidence is that of a program that was explained. */
export function isExplain(evidence: unknown): evidence is ExplainEvidence {
  return (
    typeof evidence === 'object' && evidence !== null && 'kind' in evidence && evidence.kind === 'explain'
  );
}
