import type { ShareWords } from './comparison.ts';
import type { Side } from './side.ts';

/** How much of a file a side's page cache holds. Types and not interfaces: evidence of verdicts. */
export type ResidencyEvidence = {
  readonly kind: 'residency';
  /** As the guest sees it. */
  readonly path: string;
  readonly hostPath: string;
  readonly sides: readonly SideResidency[];
  readonly share: ShareWords;
};

export type SideResidency = {
  readonly side: Side;
  readonly size?: number;
  /** Absent where it cannot be told; `how` says why. */
  readonly pages?: CachedPages;
  /** The share of each part of the file that is cached, from its beginning to its end, 0 to 1. */
  readonly strip?: readonly number[];
  /** How it was looked at, or why it was not. */
  readonly how: string;
};

/** Pages of one side's cache. Dirty ones, those under writeback included, where cachestat could be asked. */
export type CachedPages = {
  readonly total: number;
  readonly cached: number;
  readonly dirty?: number;
  readonly pageSize: number;
};

/** What a drop dropped, and what stayed. */
export type DropEvidence = {
  readonly kind: 'drop';
  /** Absent for a drop of everything. */
  readonly path?: string;
  readonly systemWide: boolean;
  readonly sides: readonly SideDrop[];
  readonly share: ShareWords;
};

export type SideDrop = {
  readonly side: Side;
  /**
   * `done`: nothing stayed; `partly`; `unseen`: asked for, and what went cannot be told; `refused`: nothing was
   * dropped, on purpose; `failed`.
   */
  readonly outcome: 'done' | 'partly' | 'unseen' | 'refused' | 'failed';
  readonly before?: CachedPages;
  readonly after?: CachedPages;
  /** Bytes of the whole cache, for a drop of everything. */
  readonly cacheBytes?: readonly [before: number, after: number];
  readonly how: string;
};

/** Whether a verdict's evidence is about what caches hold. */
export function isResidency(evidence: unknown): evidence is ResidencyEvidence {
  return kindOf(evidence) === 'residency';
}

/** Whether a verdict's evidence is that of a drop. */
export function isDrop(evidence: unknown): evidence is DropEvidence {
  return kindOf(evidence) === 'drop';
}

function kindOf(evidence: unknown): unknown {
  return typeof evidence === 'object' && evidence !== null && 'kind' in evidence ? evidence.kind : undefined;
}
