import type { Quantities } from './run-quantities.ts';

/** A program that is being explained, at one moment: for those who watch it live. */
export interface RunSnapshot {
  /** vfs-verify's. */
  readonly version: string;
  /** The program's own name, without its directory. */
  readonly program: string;
  /** With `--states`: from which it runs. */
  readonly state?: string;
  /** Seconds since the epoch. */
  readonly startedAt: number;
  readonly elapsedSeconds: number;
  readonly isRunning: boolean;
  /** Where it came to its end: 128 + N for signal N. */
  readonly exitStatus?: number;
  /** Sums since the run began, and levels now; what could not be seen is absent. */
  readonly seen: Quantities;
}
