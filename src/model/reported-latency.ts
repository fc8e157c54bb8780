import type { LatencySummary } from './account.ts';

/** How long the requests of one job took, as the benchmark itself reports it. Nanoseconds. */
export interface ReportedLatency {
  /** The job's name and the direction: `randread: read`. */
  readonly name: string;
  /** Whose figures they are. */
  readonly by: string;
  readonly count?: number;
  readonly minNs?: number;
  readonly meanNs?: number;
  readonly maxNs?: number;
  /** Pairs of percent and nanoseconds, ascending. */
  readonly percentiles: readonly (readonly [percent: number, ns: number])[];
  /** Where the benchmark gave all of its bins (fio's json+): as LatencySummary has them. */
  readonly log2?: LatencySummary['log2'];
}
