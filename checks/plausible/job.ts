import type { Ledger } from '../../src/model/account.ts';
import type { Observed, Setting, Step } from '../../src/model/check.ts';
import type { Promise as Promised } from '../../src/model/promise.ts';
import type { Finding } from '../repeat/question.ts';

/** A short job as benchmarks do it, from one state of the caches. */
export interface Job {
  readonly name: string;
  /** The rows of the contract that its account is held against. */
  readonly scenarios: readonly string[];
  /** The steps of attempt `n`, on a file of its own. */
  attempt(setting: Setting, n: number): readonly Step[];
  /** What kept attempt `n` from being an account at all; undefined: nothing did. */
  spoilt(attempt: Attempt): Finding | undefined;
  /** What its account says. Only for an attempt that nothing spoilt. */
  weigh(attempt: Attempt, promised: PromiseOf): Finding;
}

/** One attempt at a job, as it came back. */
export interface Attempt {
  readonly observed: Observed;
  readonly n: number;
  /** Of a job of reads. */
  readonly ledger: Ledger | undefined;
}

/** The contract's answer for one of the job's scenarios. */
export type PromiseOf = (scenario: string) => Promised;
