import type { Ledger, Source } from '../src/model/account.ts';
import { defineCheck, type Observed, type Setting } from '../src/model/check.ts';
import type { Mode } from '../src/model/mode.ts';
import { sources9p, traitsOf } from './mode/traits.ts';
import { lookAt } from './path/look.ts';
import { type Rung, rungs } from './path/rungs.ts';
import { attemptAt, blockOf, reads, runName } from './path/steps.ts';
import { caseOf, nextAttempt, type Question, questionCodes, verdictOf } from './repeat/question.ts';

/**
 * Climbs the ladder of cache states: at each rung the bytes must come by the path, and from the medium, that
 * the mode makes true, as counters and page states prove it.
 */
export default defineCheck({
  name: 'read-path',
  title: 'every byte comes by the path and from the medium that the mode makes true',
  codes: {
    'wrong-path': "the guest's cache served what it must not hold, or did not serve what it must",
    'wrong-medium': "the host's cache served what the disk must serve, or the other way round",
    'unexplained-bytes': 'the account leaves bytes unexplained',
    'not-proved': 'counters and states leave open where the bytes came from',
    'evicted-meanwhile': 'somebody else changed the caches meanwhile',
    ...questionCodes,
  },
  cases: (setting) => (applies(setting) ? rungs.map((rung) => caseOf(questionOf(rung, setting, []))) : []),
  async next(observed) {
    const rung = rungOf(observed);
    if (rung === undefined) return [];
    return nextAttempt(questionOf(rung, observed.setting, await ledgersOf(observed)), observed);
  },
  async judge(observed) {
    const rung = rungOf(observed);
    if (rung === undefined)
      return { kind: 'unknown', code: 'could-not-run', reason: `no rung ${observed.case.name}` };
    const ledgers = await ledgersOf(observed);
    const verdict = verdictOf(questionOf(rung, observed.setting, ledgers), observed);
    const ledger = ledgers.findLast((each) => each !== undefined);
    // Reports draw it.
    return ledger === undefined ? verdict : { ...verdict, evidence: { ...verdict.evidence, ledger } };
  },
});

/** Only a mode with known traits has a ladder, and a DAX window is another one. */
function applies({ mode }: Setting): boolean {
  return (
    mode !== undefined && traitsOf(mode) !== undefined && (mode.dax === undefined || mode.dax === 'never')
  );
}

function rungOf(observed: Observed): Rung | undefined {
  return rungs.find(({ name }) => name === observed.case.name);
}

/** A rung as a question that can be asked again. @param ledgers the accounts of its attempts, the first first. */
function questionOf(rung: Rung, setting: Setting, ledgers: readonly (Ledger | undefined)[]): Question {
  const { mode, views } = setting;
  const traits = mode === undefined ? undefined : traitsOf(mode, views.guest?.kernel);
  if (traits === undefined) throw new Error('a rung is asked only in a mode whose traits are known');
  const must = over(setting.mode, rung.must(traits));
  return {
    name: rung.name,
    scenarios: [],
    // Other reads on this share would be counted too.
    isolation: 'exclusive-share',
    needs: ['writable', 'daemon-visible'],
    actors: { guest: 'guest', host: 'host' },
    attempt: (n) => attemptAt(rung, setting, n),
    look: (observed, n) => lookAt(rung, must, ledgers[n - 1], observed, n),
    promised: () =>
      `${(reads * blockOf(setting)).toLocaleString('en-US')} bytes by ${must}: mode ${setting.mode?.name}, and ${rung.state}`,
    sources: setting.mode?.server === '9p' ? sources9p : rung.sources,
  };
}

/** What a rung names by FUSE comes by 9p in its modes. */
function over(mode: Mode | undefined, source: Source): Source {
  return mode?.server === '9p' ? (source.replace(/^fuse\//, '9p/') as Source) : source;
}

async function ledgersOf(observed: Observed): Promise<readonly (Ledger | undefined)[]> {
  const attempts = observed.steps.filter(({ op }) => op.do === 'reads').length;
  return Promise.all(Array.from({ length: attempts }, (_, index) => observed.account(runName(index + 1))));
}
