import { describePromise, type Promise as Promised } from '../../src/model/promise.ts';
import type { Verdict } from '../../src/model/verdict.ts';

/**
 * A refusal is a promise kept where the contract says so, and otherwise keeps from telling.
 * @param words who was refused what; a reason of the verdict.
 * @param errno undefined where it was no refusal.
 * @param alsoInstead the refusals that a promise of `as-local` permits count as well.
 */
export function judgeRefusal(
  words: string,
  errno: string | undefined,
  promise: Promised | undefined,
  { alsoInstead = false }: { readonly alsoInstead?: boolean } = {},
): Verdict {
  if (promise === undefined || errno === undefined || !errnosOf(promise, alsoInstead).includes(errno))
    return { kind: 'unknown', code: 'could-not-run', reason: words };
  return {
    kind: 'pass',
    reason: `${words}, as promised`,
    promised: describePromise(promise),
    sources: promise.sources,
  };
}

function errnosOf({ freshness }: Promised, alsoInstead: boolean): readonly string[] {
  if (freshness.kind === 'error') return [freshness.errno];
  return alsoInstead && freshness.kind === 'as-local' ? (freshness.orErrnos ?? []) : [];
}
