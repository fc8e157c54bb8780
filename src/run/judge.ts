import { promiseFor } from '../contract/contract.ts';
import type { Check, Setting } from '../model/check.ts';
import type { CaseResult, Result } from '../model/report.ts';
import { type Verdict, worstOf } from '../model/verdict.ts';
import { type Bundle, type CaseRecord, observedCase } from './bundle.ts';

/** An asynchronous judge that takes longer than this has hung. */
export const judgeLimitMs = 120_000;

/**
 * Judges a saved bundle: the only way to a verdict, on line and off. A judge that throws or hangs yields
 * `unknown`, as any other thing that kept us from telling.
 */
export async function judgeBundle(
  directory: string,
  bundle: Bundle,
  check: Check,
  limitMs: number = judgeLimitMs,
): Promise<Result> {
  const verdicts: Verdict[] = [];
  for (const record of bundle.cases)
    verdicts.push(await judgeRecord(directory, bundle.setting, record, check, limitMs));
  return resultOf(bundle, verdicts);
}

/** Judges one case of a bundle. */
export async function judgeRecord(
  directory: string,
  setting: Setting,
  record: CaseRecord,
  check: Check,
  limitMs: number,
): Promise<Verdict> {
  if (record.skipped !== undefined) return skipped(record.skipped);
  if (record.crashed !== undefined) return crashed(check.name, record.crashed);
  const own = record.setting ?? setting;
  return isPlannedSo(check, own, record)
    ? judgeCase(directory, own, record, check, limitMs)
    : plannedOtherwise(check.name);
}

/**
 * Whether this version of the check would carry out the steps that were recorded. A judge knows answers by the
 * steps that it plans: those of other steps it would take for what they are not.
 */
function isPlannedSo(check: Check, setting: Setting, record: CaseRecord): boolean {
  try {
    const planned = check.cases(setting).find(({ name }) => name === record.case.name);
    return planned !== undefined && JSON.stringify(planned.steps) === JSON.stringify(record.case.steps);
  } catch {
    return false;
  }
}

function plannedOtherwise(name: string): Verdict {
  return {
    kind: 'unknown',
    code: 'planned-otherwise',
    reason: `what was recorded is not what the check ${name} does today`,
    next: 'judge it with the version that recorded it, or record it again',
  };
}

/** A bundle's result from the verdicts of its cases, in their order. */
export function resultOf(bundle: Bundle, verdicts: readonly Verdict[]): Result {
  const cases = bundle.cases.map((record, index): CaseResult => {
    const verdict = verdicts[index] ?? crashed(bundle.check, 'it gave no verdict');
    return { name: record.case.name, verdict, durationMs: Math.round(record.durationMs) };
  });
  return {
    check: bundle.check,
    mode: bundle.setting.mode?.name ?? 'unknown',
    verdict: worstOf(cases.map(({ verdict }) => verdict)) ?? skipped('no case applies here'),
    cases,
    durationMs: cases.reduce((sum, { durationMs }) => sum + durationMs, 0),
  };
}

function skipped(reason: string): Verdict {
  return { kind: 'skip', code: 'need-not-met', reason };
}

async function judgeCase(
  directory: string,
  setting: Setting,
  record: CaseRecord,
  check: Check,
  limitMs: number,
): Promise<Verdict> {
  const observed = observedCase(directory, setting, record);
  try {
    const verdict = await limited(
      Promise.resolve(
        check.judge(observed, (scenario) => promiseFor(scenario, setting.mode, setting.versions)),
      ),
      limitMs,
    );
    if (
      verdict.kind === 'fail' &&
      (verdict.code === undefined || !Object.hasOwn(check.codes, verdict.code))
    ) {
      throw new Error(`it failed with the code "${verdict.code}", which it does not list`);
    }
    return verdict;
  } catch (error) {
    return crashed(check.name, error);
  }
}

/** What a check that threw, or a judge that hung, ends in. */
export function crashed(name: string, error: unknown): Verdict {
  const words = error instanceof Error ? error.message : String(error);
  return {
    kind: 'unknown',
    code: 'crashed',
    reason: `the check ${name} crashed: ${words}`,
    next: 'this is a defect of the check, not of the share',
  };
}

/** What a judge that gave no answer is told to have done. */
export function noAnswer(limitMs: number): string {
  return `its judge gave no answer for ${limitMs / 1000} s`;
}

async function limited<T>(work: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(noAnswer(limitMs))), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
