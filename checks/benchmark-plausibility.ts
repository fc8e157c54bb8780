import { defineCheck, type Observed, type Promises, type Setting } from '../src/model/check.ts';
import { hasWindow } from '../src/model/mode.ts';
import { describePromise, type Promise as Promised } from '../src/model/promise.ts';
import type { Attempt, Job } from './plausible/job.ts';
import { readJobs } from './plausible/reads.ts';
import { writeJobs } from './plausible/writes.ts';
import {
  caseOf,
  type Finding,
  nextAttempt,
  type Question,
  questionCodes,
  verdictOf,
} from './repeat/question.ts';

const jobs: readonly Job[] = [...readJobs, ...writeJobs];

/**
 * A short job from each state of the caches, whose account must add up: what was asked for is what the guest's cache,
 * the daemon and the disk gave, and what was acknowledged is where the mode says it is.
 */
export default defineCheck({
  name: 'benchmark-plausibility',
  title: 'the account of a short benchmark adds up, from each state of the caches, for reads and for writes',
  codes: {
    'did-not-cross': 'bytes that the mode fetches from the daemon, and that the daemon never read',
    'no-disk-read': 'bytes that only the disk can have given, and no disk read stands behind them',
    'too-fast': 'reads that crossed to the daemon took less time than those that the guest’s cache answered',
    'not-passed-on': 'acknowledged writes that the daemon never wrote',
    'not-on-disk': 'fsync had returned, and the disk does not have it',
    'unexplained-bytes': 'the account leaves bytes unexplained',
    'not-proved': 'counters and states that the account needs cannot be seen here',
    'no-promise': 'the contract does not know this mode',
    ...questionCodes,
  },
  cases: (setting) =>
    jobs
      .filter((job) => applies(job, setting))
      .map((job) => caseOf(questionOf(job, [], () => settled, setting))),
  async next(observed) {
    const job = jobOf(observed);
    // Only a spoilt attempt is made again: what an account says does not get better by another one.
    const question = job && questionOf(job, await attemptsOf(observed), () => settled, observed.setting);
    return question === undefined ? [] : nextAttempt(question, observed);
  },
  async judge(observed, promises) {
    const job = jobOf(observed);
    if (job === undefined)
      return { kind: 'unknown', code: 'could-not-run', reason: `no job ${observed.case.name}` };
    const promised = promisesOf(job, promises);
    if (promised === undefined)
      return {
        kind: 'unknown',
        code: 'no-promise',
        reason: `the contract knows no promise for ${job.scenarios.join(', ')} in this mode`,
      };
    const attempts = await attemptsOf(observed);
    const of = (scenario: string) => promised.get(scenario) as Promised;
    const weigh = (attempt: Attempt) => job.weigh(attempt, of);
    const verdict = verdictOf(
      questionOf(job, attempts, weigh, observed.setting, [...promised.values()]),
      observed,
    );
    const ledger = attempts.findLast((each) => each.ledger !== undefined)?.ledger;
    // Reports draw it.
    return ledger === undefined ? verdict : { ...verdict, evidence: { ...verdict.evidence, ledger } };
  },
});

const settled: Finding = { kind: 'holds', words: '' };

/** No promise speaks of O_DIRECT on a file in a window. */
function applies({ name }: Job, { mode }: Setting): boolean {
  return name !== 'read-direct' || !hasWindow(mode);
}

function jobOf({ case: { name } }: Observed): Job | undefined {
  return jobs.find((each) => each.name === name);
}

function promisesOf(job: Job, promises: Promises): ReadonlyMap<string, Promised> | undefined {
  const all = new Map<string, Promised>();
  for (const scenario of job.scenarios) {
    const promise = promises(scenario);
    if (promise === undefined) return undefined;
    all.set(scenario, promise);
  }
  return all;
}

/** @param weigh what an attempt says that nothing spoilt. */
function questionOf(
  job: Job,
  attempts: readonly Attempt[],
  weigh: (attempt: Attempt) => Finding,
  setting: Setting,
  promised: readonly Promised[] = [],
): Question {
  return {
    name: job.name,
    scenarios: job.scenarios,
    // Other traffic of this share would be counted too.
    isolation: 'exclusive-share',
    needs: ['writable', 'daemon-visible'],
    actors: { guest: 'guest', host: 'host' },
    attempt: (n) => job.attempt(setting, n),
    look: (_, n) => {
      const attempt = attempts[n - 1];
      if (attempt === undefined) return { kind: 'unclear', words: 'it was not tried' };
      return job.spoilt(attempt) ?? weigh(attempt);
    },
    promised: () => promised.map((each) => `${each.scenario}: ${describePromise(each)}`).join('; '),
    sources: [...new Set(promised.flatMap(({ sources }) => sources))],
  };
}

/** Every attempt that was begun. */
async function attemptsOf(observed: Observed): Promise<readonly Attempt[]> {
  const count = Math.max(0, ...observed.steps.map(({ id }) => Number.parseInt(id, 10)));
  return Promise.all(
    Array.from({ length: count }, async (_, index) => ({
      observed,
      n: index + 1,
      ledger: await observed.account(`${index + 1}.read`),
    })),
  );
}
