import type { BenchOperation } from '../../src/model/bench-verb.ts';
import type { Case, Check, Isolation, Need, Observed, Setting, Step } from '../../src/model/check.ts';
import type { ManyResult, Operation } from '../../src/model/operation.ts';
import { describeOutcome } from '../../src/model/outcome.ts';
import { describePromise, type Promise as Promised } from '../../src/model/promise.ts';
import type { ViewName } from '../../src/model/side.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { judgeRefusal } from '../promised/refusal.ts';

/** One thing that happens to a share, and what must be left of it: one scenario of the contract. */
export interface Trial {
  readonly name: string;
  readonly scenario: string;
  readonly isolation: Isolation;
  readonly needs: readonly Need[];
  /** Beside `host` and `guest`, which every trial has. */
  readonly actors?: Readonly<Record<string, ViewName>>;
  turns(seed: number): readonly Turn[];
  judge(seen: Seen, promise: Promised): Verdict;
}

/** One actor's request. */
export interface Turn {
  readonly actor: string;
  readonly name: string;
  readonly ops: readonly Operation[];
  /** Each refusal is an answer (`anyway`); otherwise the first one keeps the trial from telling anything. */
  readonly anyway?: boolean;
  /** What does not end well here keeps from nothing: its values are missing, and the judge sees to that. */
  readonly optional?: boolean;
}

/** What a trial's turns gave. */
export interface Seen {
  readonly setting: Setting;
  /** Each operation's value, or its refusal, where the turn goes on after one. */
  values(turn: string): readonly unknown[];
}

/** A refusal that stands in place of a value. */
export interface Refused {
  readonly errno: string;
  readonly call: string;
}

export function isRefused(value: unknown): value is Refused {
  return typeof value === 'object' && value !== null && 'errno' in value;
}

/** The codes of `unknown` and `skip` that any trial may end in. */
export const trialCodes = {
  'no-promise': 'the contract does not know this mode',
  'could-not-run': 'a step did not end well',
  'could-not-tell': 'what was seen does not tell',
  'not-here': 'the question does not arise here',
} as const;

type Without<T, K extends string> = T extends unknown ? Omit<T, K> : never;

/** A verb of the bench as a turn. */
export function bench(name: string, op: Without<BenchOperation, 'do'>, optional = false): Turn {
  return { actor: 'bench', name, ops: [{ do: 'bench', ...op }], optional };
}

/** A verb may have to boot or copy something. */
const verbLimitMs = 120_000;

function stepsOf(turns: readonly Turn[]): readonly Step[] {
  return turns.map(({ actor, name, ops, anyway }, index) => {
    const before = turns[index - 1];
    const [first] = ops;
    const verb = first?.do === 'bench' ? first : undefined;
    return {
      id: name,
      actor,
      op: verb ?? { do: 'many', list: ops, ...(anyway === true ? { anyway } : {}) },
      mayFail: true,
      ...(verb === undefined ? {} : { limit: { ms: verbLimitMs } }),
      ...(before === undefined ? {} : { after: [{ step: before.name, has: 'ended' as const }] }),
    };
  });
}

function caseOf(trial: Trial, { seed }: Setting): Case {
  const { name, scenario, isolation, needs, actors } = trial;
  const turns = trial.turns(seed);
  const views = { host: 'host', guest: 'guest', bench: 'host', ...actors } as const;
  const used = new Set(turns.map(({ actor }) => actor));
  return {
    name,
    scenarios: [scenario],
    isolation,
    needs,
    actors: Object.fromEntries(Object.entries(views).filter(([each]) => used.has(each))),
    steps: stepsOf(turns),
  };
}

/** The cases and the judge of a check that is made of trials. */
export function madeOf(trials: readonly Trial[]): Required<Pick<Check, 'cases' | 'judge'>> {
  return {
    cases: (setting) => trials.map((trial) => caseOf(trial, setting)),
    judge: (observed, promises) => {
      const trial = trials.find(({ name }) => name === observed.case.name);
      const promise = trial && promises(trial.scenario);
      if (trial === undefined)
        return { kind: 'unknown', code: 'could-not-run', reason: `no trial ${observed.case.name}` };
      if (promise === undefined) {
        const reason = `the contract knows no promise for ${trial.scenario} in this mode`;
        return { kind: 'unknown', code: 'no-promise', reason };
      }
      const words = { promised: describePromise(promise), sources: promise.sources };
      return { ...words, ...(troubleIn(trial, observed, promise) ?? judged(trial, observed, promise)) };
    },
  };
}

function judged(trial: Trial, observed: Observed, promise: Promised): Verdict {
  const values = (turn: string) => observed.value<ManyResult>(turn)?.values ?? [];
  return trial.judge({ setting: observed.setting, values }, promise);
}

/** A step that did not end well, or stopped at a refusal. The contract may promise that very refusal. */
function troubleIn(trial: Trial, observed: Observed, promise: Promised): Verdict | undefined {
  for (const { name, actor, ops, optional } of trial.turns(observed.setting.seed)) {
    if (optional === true) continue;
    const outcome = observed.outcome(name);
    const words = `${actor}, ${name}`;
    if (outcome.kind !== 'value')
      return judgeRefusal(`${words}: ${describeOutcome(outcome)}`, undefined, promise);
    const stopped = ops[0]?.do === 'bench' ? undefined : (outcome.value as ManyResult).stopped;
    if (stopped === undefined) continue;
    return judgeRefusal(`${words}: ${stopped.call} failed with ${stopped.errno}`, stopped.errno, promise);
  }
  return undefined;
}
