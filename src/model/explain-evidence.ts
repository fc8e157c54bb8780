import type { ShareWords } from './comparison.ts';
import type { ProgramAccount } from './program-account.ts';

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
  /** What to change to measure the other medium, the most telling first. */
  readonly advice: readonly string[];
  readonly share: ShareWords;
  /** What the measurement itself changed, a sentence each. */
  readonly disturbed: readonly string[];
};

/** Whether a verdict's evidence is that of a program that was explained. */
export function isExplain(evidence: unknown): evidence is ExplainEvidence {
  return (
    typeof evidence === 'object' && evidence !== null && 'kind' in evidence && evidence.kind === 'explain'
  );
}
