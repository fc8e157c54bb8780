import type { Observed } from '../../src/model/check.ts';
import type { ManyResult } from '../../src/model/operation.ts';
import { describeOutcome } from '../../src/model/outcome.ts';
import type { Promise as Promised } from '../../src/model/promise.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { judgeRefusal } from '../promised/refusal.ts';

/** What kept a case from being carried out to its end. */
export interface Trouble {
  readonly step: string;
  readonly words: string;
  /** Where it is a refusal. */
  readonly errno?: string;
}

/** The first step that did not end well, or whose list stopped; undefined where all were carried out. */
export function troubleIn(observed: Observed): Trouble | undefined {
  for (const { id, actor, op } of observed.steps) {
    const outcome = observed.outcome(id);
    const errno = outcome.kind === 'errno' ? { errno: outcome.errno } : {};
    if (outcome.kind !== 'value')
      return { step: id, words: `${actor}, ${id}: ${describeOutcome(outcome)}`, ...errno };
    const stopped = op.do === 'many' ? (outcome.value as ManyResult).stopped : undefined;
    if (stopped !== undefined)
      return {
        step: id,
        words: `${actor}, ${id}: ${stopped.call} failed with ${stopped.errno}`,
        errno: stopped.errno,
      };
  }
  return undefined;
}

/** What a case came to that was not carried out to its end. */
export function judgeTrouble({ words, errno }: Trouble, promise: Promised | undefined): Verdict {
  return judgeRefusal(words, errno, promise);
}
