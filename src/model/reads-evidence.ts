import type { Ledger } from './account.ts';
import type { ShareWords } from './comparison.ts';
import type { PageState } from './operation.ts';
import type { ReadPlan } from './read-plan.ts';

/**
 * What a run of reads over the user's own file found: the evidence of `vfs-verify reads`. A type and not an
 * interface, so that it is assignable to a verdict's open `evidence`.
 */
export type ReadsEvidence = {
  readonly kind: 'reads';
  /** As the guest sees it. */
  readonly path: string;
  readonly hostPath: string;
  readonly size: number;
  readonly plan: ReadPlan;
  readonly direct: boolean;
  readonly mapped: boolean;
  /** One for each descriptor: several where the file was opened again between passes. */
  readonly ledgers: readonly Ledger[];
  /** How long the reads of each ledger took in all, in seconds. */
  readonly seconds: readonly number[];
  /** What was dropped before the first read, with the page states around it. */
  readonly dropped: readonly Dropped[];
  readonly share: ShareWords;
  /** What the measurement itself changed, a sentence each. */
  readonly disturbed: readonly string[];
};

/** One side's cache of the file, around an eviction. */
export interface Dropped {
  readonly side: 'guest' | 'host';
  readonly before?: PageState;
  readonly after?: PageState;
  /** Why pages were left. */
  readonly note?: string;
  /** Why nothing was dropped. */
  readonly refused?: string;
}

/** Whether a verdict's evidence is that of a run of reads. */
export function isReads(evidence: unknown): evidence is ReadsEvidence {
  return typeof evidence === 'object' && evidence !== null && 'kind' in evidence && evidence.kind === 'reads';
}
