import type { CaseResult, Result } from '../model/report.ts';
import { countVerdicts, worstOf } from '../model/verdict.ts';

/**
 * Puts the rounds of `--repeat` together: one result for each check and mode, each case with its worst verdict
 * and how often it ended in what. What goes with a verdict (the command, the evidence) is of the round it is of.
 * @param rounds the results of each round, in the same order.
 */
export function mergeRounds(rounds: readonly (readonly Result[])[]): readonly Result[] {
  const [first = []] = rounds;
  if (rounds.length <= 1) return first;
  return first.map((result) => {
    const all = rounds.flatMap((round) => round.filter((each) => isSame(each, result)));
    const names = [...new Set(all.flatMap(({ cases }) => cases.map(({ name }) => name)))];
    const worst = all.find(({ verdict }) => verdict === worstOf(all.map((each) => each.verdict))) ?? result;
    return {
      ...worst,
      cases: names.map((name) =>
        mergeCase(all.flatMap(({ cases }) => cases.filter((one) => one.name === name))),
      ),
      durationMs: all.reduce((sum, { durationMs }) => sum + durationMs, 0),
    };
  });
}

function isSame(a: Result, b: Result): boolean {
  return a.check === b.check && a.mode === b.mode;
}

function mergeCase(all: readonly CaseResult[]): CaseResult {
  const worst = worstOf(all.map(({ verdict }) => verdict));
  const chosen = all.find(({ verdict }) => verdict === worst) as CaseResult;
  return {
    ...chosen,
    durationMs: Math.round(all.reduce((sum, { durationMs }) => sum + durationMs, 0) / all.length),
    rounds: countVerdicts(all.map(({ verdict }) => verdict.kind)),
  };
}
