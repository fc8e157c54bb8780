import type { Case, Check, Isolation, Need, Observed, Setting, Step } from '../../src/model/check.ts';
import type { ManyResult, Operation } from '../../src/model/operation.ts';
import { describeOutcome } from '../../src/model/outcome.ts';
import type { ViewName } from '../../src/model/side.ts';
import type { Verdict } from '../../src/model/verdict.ts';

/**
 * A question whose answer a kernel may spoil: it may drop a page or forget an attribute at any moment, and be
 * right. So one odd answer accuses nobody. The question is asked again with fresh files: the first good
 * answer settles it, and only the same objection three times over is a fail. What cannot come about
 * by dropping (old bytes, a page that must not be there) is certain the first time.
 */
export interface Question {
  readonly name: string;
  readonly scenarios: readonly string[];
  readonly isolation: Isolation;
  readonly needs: readonly Need[];
  readonly actors: Readonly<Record<string, ViewName>>;
  /** The steps of attempt `n` (from 1), on files of their own; ids by `inTurn`. */
  attempt(n: number): readonly Step[];
  /** What attempt `n` showed. */
  look(observed: Observed, n: number): Finding;
  /** What ought to be, in words. */
  promised(setting: Setting): string;
  readonly sources: readonly string[];
}

/** What one attempt showed. */
export type Finding =
  | { readonly kind: 'holds'; readonly words: string }
  | {
      readonly kind: 'broken';
      readonly code: string;
      readonly words: string;
      /** No legal loss explains it: once is enough. */
      readonly certain?: boolean;
    }
  | {
      readonly kind: 'unclear';
      readonly words: string;
      /** Of the unknown that it ends in; default `could-not-tell`. */
      readonly code?: string;
    }
  /** The question does not arise here. */
  | { readonly kind: 'not-here'; readonly words: string };

/** Objections that make a fail, and attempts in all. */
const objections = 3;
const maxAttempts = 5;

/** The codes of `unknown` and `skip` that any question may end in. */
export const questionCodes = {
  'could-not-run': 'a step did not end well',
  'could-not-tell': 'what was seen does not tell',
  'not-the-same-twice': 'one attempt objects and another does not',
  'not-here': 'the question does not arise here',
};

/** The case of a question: its first attempt. */
export function caseOf(question: Question): Case {
  const { name, scenarios, isolation, needs, actors } = question;
  return { name, scenarios, isolation, needs, actors, steps: question.attempt(1) };
}

/** The next attempt, where what was seen so far does not settle it. */
export function nextAttempt(question: Question, observed: Observed): readonly Step[] {
  const found = findings(question, observed);
  if (
    found.length >= maxAttempts ||
    failedStep(observed, ['stuck', 'gone', 'signal', 'not-run']) !== undefined
  )
    return [];
  return settled(found) ? [] : question.attempt(found.length + 1);
}

function settled(found: readonly Finding[]): boolean {
  return (
    found.some((each) => each.kind === 'holds' || each.kind === 'not-here' || isCertain(each)) ||
    found.filter(({ kind }) => kind === 'broken').length >= objections
  );
}

function isCertain(finding: Finding): boolean {
  return finding.kind === 'broken' && finding.certain === true;
}

/** The verdict of all attempts together. */
export function verdictOf(question: Question, observed: Observed): Verdict {
  const found = findings(question, observed);
  const failed = failedStep(observed, ['stuck', 'gone', 'signal', 'not-run']);
  if (failed !== undefined) {
    const reason = `${failed.actor}, ${failed.op.do}: ${describeOutcome(observed.outcome(failed.id))}`;
    return { kind: 'unknown', code: 'could-not-run', reason };
  }
  const of = (kind: Finding['kind']) => found.filter((each) => each.kind === kind);
  const broken = found.find(isCertain) ?? of('broken').at(-1);
  const [holds, absent] = [of('holds').at(0), of('not-here').at(0)];
  const words = { promised: question.promised(observed.setting), sources: question.sources };
  if (broken?.kind === 'broken' && (isCertain(broken) || of('broken').length >= objections)) {
    const evidence = { attempts: found };
    return {
      kind: 'fail',
      code: broken.code,
      reason: broken.words,
      observed: seen(found),
      ...words,
      evidence,
    };
  }
  if (absent !== undefined) return { kind: 'skip', code: 'not-here', reason: absent.words };
  if (broken !== undefined && holds !== undefined) {
    const reason = `once ${broken.words}; then ${holds.words}`;
    return { kind: 'unknown', code: 'not-the-same-twice', reason, ...words };
  }
  if (holds !== undefined) return { kind: 'pass', reason: holds.words, ...words };
  const last = found.at(-1);
  const reason = last?.words ?? 'nothing was tried';
  const code = (last?.kind === 'unclear' ? last.code : undefined) ?? 'could-not-tell';
  return { kind: 'unknown', code, reason, observed: seen(found), ...words };
}

function seen(found: readonly Finding[]): string {
  return [...new Set(found.map(({ words }) => words))].join('; ');
}

function findings(question: Question, observed: Observed): readonly Finding[] {
  const last = Math.max(0, ...observed.steps.map(({ id }) => Number.parseInt(id, 10)));
  return Array.from({ length: last }, (_, index) => question.look(observed, index + 1));
}

function failedStep(observed: Observed, kinds: readonly string[]): Step | undefined {
  // The step to blame comes before those that were not run because of it.
  const failed = observed.steps.filter(({ id }) => kinds.includes(observed.outcome(id).kind));
  return failed.find(({ id }) => observed.outcome(id).kind !== 'not-run') ?? failed[0];
}

/** Steps that each begin when the one before has ended, whoever its actor is. Ids: `1.name`. */
export function inTurn(n: number, steps: readonly (readonly [string, string, Operation])[]): readonly Step[] {
  return steps.map(([actor, name, op], index) => {
    const before = steps[index - 1];
    return {
      id: `${n}.${name}`,
      actor,
      op,
      mayFail: true,
      ...(before === undefined ? {} : { after: [{ step: `${n}.${before[1]}`, has: 'ended' as const }] }),
    };
  });
}

/** Several operations in one request: nothing of the network lies between them. */
export function many(...list: readonly Operation[]): Operation {
  return { do: 'many', list };
}

/** What a `many` gave; `stopped` is the refusal that ended it, or that of the step itself. */
export function valuesOf(observed: Observed, n: number, name: string): ManyResult {
  const outcome = observed.outcome(`${n}.${name}`);
  if (outcome.kind === 'value') return outcome.value as ManyResult;
  const errno = outcome.kind === 'errno' ? outcome.errno : outcome.kind.toUpperCase();
  return {
    values: [],
    timesNs: [],
    stopped: { errno, call: outcome.kind === 'errno' ? outcome.call : name },
  };
}

/** The first of these requests that was refused, in words. */
export function refusalIn(observed: Observed, n: number, names: readonly string[]): string | undefined {
  for (const name of names) {
    const { stopped } = valuesOf(observed, n, name);
    if (stopped !== undefined) return `${name}: ${stopped.call} failed with ${stopped.errno}`;
  }
  return undefined;
}

/** The `next` and the `judge` of a check whose cases are questions, each found by its name. */
export function answersTo(questions: readonly Question[]): Required<Pick<Check, 'next' | 'judge'>> {
  const asked = (observed: Observed) => questions.find(({ name }) => name === observed.case.name);
  return {
    next: (observed) => {
      const question = asked(observed);
      return question === undefined ? [] : nextAttempt(question, observed);
    },
    judge: (observed) => {
      const question = asked(observed);
      if (question === undefined)
        return { kind: 'unknown', code: 'could-not-run', reason: `no question ${observed.case.name}` };
      return verdictOf(question, observed);
    },
  };
}
