import type { Ledger } from '../src/model/account.ts';
import { defineCheck, type Observed, type Setting } from '../src/model/check.ts';
import { hasWindow } from '../src/model/mode.ts';
import { control, perFile } from './dax/control.ts';
import { groundCodes, inWindow } from './dax/ground.ts';
import { questionOf, runName, ways } from './dax/path.ts';
import { caseOf, nextAttempt, type Question, questionCodes, verdictOf } from './repeat/question.ts';

const answers = inWindow({
  async next(observed) {
    const question = questionFor(observed, await ledgersOf(observed));
    return question === undefined ? [] : nextAttempt(question, observed);
  },
  async judge(observed) {
    const ledgers = await ledgersOf(observed);
    const question = questionFor(observed, ledgers);
    if (question === undefined)
      return { kind: 'unknown', code: 'could-not-run', reason: `no case ${observed.case.name}` };
    const verdict = verdictOf(question, observed);
    const ledger = ledgers.findLast((each) => each !== undefined);
    // Reports draw it.
    return ledger === undefined ? verdict : { ...verdict, evidence: { ...verdict.evidence, ledger } };
  },
});

/** That the window was really used: told from counters and page states, and held against the same share without one. */
export default defineCheck({
  name: 'dax-path',
  title:
    'a file in DAX state is read through the window: the daemon reads nothing, and the guest caches nothing',
  codes: {
    'daemon-reads': 'the daemon read the bytes itself: the window shows a copy, or is not used',
    'cached-in-guest': 'pages of a file in DAX state are in the guest’s page cache',
    'other-bytes': 'the window shows other bytes than are in the file',
    'unexplained-bytes': 'the account leaves bytes unexplained',
    'not-proved': 'counters and states leave open where the bytes came from',
    'evicted-meanwhile': 'the host’s cache was not as the case made it',
    ...questionCodes,
    ...groundCodes,
  },
  cases: (setting) => questionsFor(setting).map(caseOf),
  ...answers,
});

function questionsFor(setting: Setting): readonly Question[] {
  const { mode } = setting;
  if (!hasWindow(mode)) return [];
  return [
    ...ways.map((way) => questionOf(way, setting, [])),
    control,
    ...(mode?.dax === 'inode' ? [perFile] : []),
  ];
}

function questionFor(
  { case: { name }, setting }: Observed,
  ledgers: readonly (Ledger | undefined)[],
): Question | undefined {
  const way = ways.find((each) => each.name === name);
  if (way !== undefined) return questionOf(way, setting, ledgers);
  return [control, perFile].find((each) => each.name === name);
}

async function ledgersOf(observed: Observed): Promise<readonly (Ledger | undefined)[]> {
  const attempts = observed.steps.filter(({ op }) => op.do === 'reads').length;
  return Promise.all(Array.from({ length: attempts }, (_, index) => observed.account(runName(index + 1))));
}
