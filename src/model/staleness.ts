/**
 * How long one side went on seeing what the other had changed: evidence of a verdict. Reports draw it as a
 * distribution against the bound. A type and not an interface, so that it is assignable to a verdict's open
 * `evidence`.
 */
export type StalenessEvidence = {
  readonly kind: 'staleness';
  readonly series: readonly StalenessSeries[];
};

/** Measurements of one thing in one way. */
export interface StalenessSeries {
  /** What was watched and how, in a few words: `size, by stat`, `a page, kept descriptor`. */
  readonly what: string;
  /** What the mode promises, in milliseconds: 0 where it promises fresh; absent where it sets no bound. */
  readonly boundMs?: number;
  /**
   * One for each change: the old state was still seen so long after it, and the new one at the latest so long
   * after it. Both in milliseconds, clock offset included: the truth lies between. `[0, x]`: never seen stale.
   */
  readonly intervalsMs: readonly (readonly [atLeast: number, atMost: number])[];
  /** Changes that were never seen while it was watched, and for how long that was. */
  readonly neverSeen?: { readonly count: number; readonly watchedMs: number };
}

/** Whether a verdict's evidence is a distribution of staleness. */
export function isStaleness(evidence: unknown): evidence is StalenessEvidence {
  return (
    typeof evidence === 'object' && evidence !== null && 'kind' in evidence && evidence.kind === 'staleness'
  );
}
