/** What a case, a cell of the matrix or a whole run ends in. */
export type VerdictKind = 'pass' | 'fail' | 'unknown' | 'skip';

/**
 * The verdict of one case.
 * - `pass`: the promise was kept. `stale` is set where permitted staleness was seen.
 * - `fail`: the promise was broken; `code` is from the check's own list.
 * - `unknown`: the check applies and we could not tell. An operating failure is never a fail.
 * - `skip`: the check does not apply here; `reason` names what is lacking.
 */
export interface Verdict {
  readonly kind: VerdictKind;
  /** From the check's own list of codes; always there for `fail`, often for `unknown` and `skip`. */
  readonly code?: string;
  /** One sentence for a person. */
  readonly reason: string;
  /** What the contract promised, in words. */
  readonly promised?: string;
  /** What was seen instead, in words. */
  readonly observed?: string;
  /** Where a promise is written down: kernel or daemon file and version. */
  readonly sources?: readonly string[];
  /** Permitted staleness was seen (only with `pass`). */
  readonly stale?: boolean;
  /** What to do next: a sentence or a command. */
  readonly next?: string;
  /** Anything else worth keeping, in the check's own shape: ranges, digests, votes. JSON only. */
  readonly evidence?: Readonly<Record<string, unknown>>;
}

/** How many of each kind there are among a number of verdicts. */
export interface VerdictCounts {
  readonly pass: number;
  readonly fail: number;
  readonly unknown: number;
  readonly skip: number;
  /** Of the fails, those that are known defects of the software under test: they do not decide the run. */
  readonly known?: number;
}

/**
 * A run's verdict: kind is the worst of fail, unknown, pass; all skipped (or nothing at all) is unknown. A fail
 * that is a known defect counts as if it had passed.
 */
export interface RunVerdict {
  readonly kind: 'pass' | 'fail' | 'unknown';
  readonly counts: VerdictCounts;
}

/** Counts verdicts by kind. */
export function countVerdicts(kinds: Iterable<VerdictKind>): VerdictCounts {
  const counts = { pass: 0, fail: 0, unknown: 0, skip: 0 };
  for (const kind of kinds) counts[kind] += 1;
  return counts;
}

/**
 * The verdict of a run from its cells.
 * @param known how many of the fails are known defects, and nothing else in their cells is worse than a pass.
 */
export function runVerdict(kinds: Iterable<VerdictKind>, known = 0): RunVerdict {
  const counts = countVerdicts(kinds);
  const fails = counts.fail - known;
  const kind = fails > 0 ? 'fail' : counts.unknown > 0 || counts.pass + known === 0 ? 'unknown' : 'pass';
  return { kind, counts: known === 0 ? counts : { ...counts, known } };
}

const rank: Record<VerdictKind, number> = { skip: 0, pass: 1, unknown: 2, fail: 3 };

/**
 * The worst of a cell's cases; a skipped case does not hide one that passed, and a plain pass does not hide
 * one that saw permitted staleness. Undefined for none.
 */
export function worstOf<T extends Pick<Verdict, 'kind' | 'stale'>>(verdicts: readonly T[]): T | undefined {
  const weight = ({ kind, stale }: T) => rank[kind] + (stale === true ? 0.5 : 0);
  return verdicts.reduce<T | undefined>(
    (worst, each) => (worst === undefined || weight(each) > weight(worst) ? each : worst),
    undefined,
  );
}

/** The exit status of a run: 0 holds, 1 broken, 2 could not tell. 3 (our own defect) is never a verdict. */
export function exitStatusOf(verdict: RunVerdict): 0 | 1 | 2 {
  return verdict.kind === 'pass' ? 0 : verdict.kind === 'fail' ? 1 : 2;
}
