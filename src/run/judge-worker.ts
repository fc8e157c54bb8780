import { parentPort, workerData } from 'node:worker_threads';
import type { Check } from '../model/check.ts';
import type { Verdict } from '../model/verdict.ts';
import { loadBundle } from './bundle.ts';
import { judgeRecord } from './judge.ts';
import { loadCheck } from './load-checks.ts';

/**
 * The thread in which judges run (judge-thread.ts): a judge that loops for ever can be ended there, and one
 * that computes long does not hold up the steps of other cases.
 */

/** One bundle to judge, from case number `from` on. */
export interface JudgeJob {
  readonly id: number;
  readonly directory: string;
  readonly checkFile: string;
  readonly from: number;
}

/** What the thread says: a case's judge begins, a verdict, or what went wrong with the whole job. */
export type JudgeSays = { readonly id: number } & (
  | { readonly begins: number }
  | { readonly verdict: Verdict; readonly index: number }
  | { readonly error: string }
  | { readonly done: true }
);

const { limitMs } = workerData as { readonly limitMs: number };
const checks = new Map<string, Promise<Check>>();
let last: Promise<void> = Promise.resolve();

parentPort?.on('message', (job: JudgeJob) => {
  last = last.then(() => judge(job));
});

async function judge({ id, directory, checkFile, from }: JudgeJob): Promise<void> {
  const say = (says: JudgeSays) => parentPort?.postMessage(says);
  try {
    const loading = checks.get(checkFile) ?? loadCheck(checkFile).then(({ check }) => check);
    checks.set(checkFile, loading);
    const check = await loading;
    const bundle = await loadBundle(directory);
    for (const [index, record] of bundle.cases.entries()) {
      if (index < from) continue;
      say({ id, begins: index });
      const verdict = await judgeRecord(directory, bundle.setting, record, check, limitMs);
      say({ id, index, verdict });
    }
    say({ id, done: true });
  } catch (error) {
    say({ id, error: error instanceof Error ? error.message : String(error) });
  }
}
