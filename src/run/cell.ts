import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Case, Check, Setting } from '../model/check.ts';
import type { Result } from '../model/report.ts';
import type { Bench } from './bench.ts';
import { type Bundle, type CaseRecord, loadBundle, saveBundle } from './bundle.ts';
import { carryOut, type RunEvent } from './interpreter.ts';
import { crashed, judgeBundle } from './judge.ts';
import { unmetNeed } from './needs.ts';
import { settingOf } from './setting.ts';
import type { Workplace } from './workplace.ts';

/** How one check is run in one mode. */
export interface CellOptions {
  /** Where the bundle goes. */
  readonly bundleDir: string;
  readonly seed: number;
  readonly args?: Setting['args'];
  /** Only the case of this name. */
  readonly only?: string;
  /** The run's own directory in the share; undefined where it could not be made, or is not wanted. */
  readonly workplace?: Workplace;
  readonly onEvent?: (event: RunEvent) => void;
  readonly signal?: AbortSignal;
  /** For a judge that never answers; default 120,000. */
  readonly judgeLimitMs?: number;
}

/** For a step that names no limit, in milliseconds. */
const stepLimitMs = 30_000;

/** Cases of isolation `shared` that run at once. */
const atOnce = 4;

/** One cell of the matrix: plans, carries out, saves, reads the bundle back and judges it. */
export async function runCell(check: Check, bench: Bench, options: CellOptions): Promise<Result> {
  const setting = settingOf(bench, options.seed, options.args ?? {});
  let records: readonly CaseRecord[];
  try {
    const cases = check
      .cases(setting)
      .filter(({ name }) => options.only === undefined || name === options.only);
    records = await carryOutAll(check, cases, setting, bench, options);
  } catch (error) {
    const verdict = crashed(check.name, error);
    return { check: check.name, mode: setting.mode?.name ?? 'unknown', verdict, cases: [], durationMs: 0 };
  }
  const bundle: Bundle = { schema: 'vfs-verify/bundle/1', check: check.name, setting, cases: records };
  await saveBundle(options.bundleDir, bundle);
  return judgeBundle(options.bundleDir, await loadBundle(options.bundleDir), check, options.judgeLimitMs);
}

async function carryOutAll(
  check: Check,
  cases: readonly Case[],
  setting: Setting,
  bench: Bench,
  options: CellOptions,
): Promise<readonly CaseRecord[]> {
  const records = new Map<Case, CaseRecord>();
  const run = async (plan: Case) => {
    records.set(plan, await carryOutOne(check, plan, setting, bench, options));
  };
  const shared = cases.filter(({ isolation }) => isolation === 'shared');
  const queue = [...shared];
  await Promise.all(
    Array.from({ length: Math.min(atOnce, queue.length) }, async () => {
      for (let plan = queue.shift(); plan !== undefined; plan = queue.shift()) await run(plan);
    }),
  );
  for (const plan of cases.filter((each) => !shared.includes(each))) await run(plan);
  return cases.flatMap((plan) => records.get(plan) ?? []);
}

async function carryOutOne(
  check: Check,
  plan: Case,
  setting: Setting,
  bench: Bench,
  options: CellOptions,
): Promise<CaseRecord> {
  const workplace = options.workplace;
  const unmet = plan.needs
    .map((need) => unmetNeed(need, bench, workplace !== undefined))
    .find((reason) => reason !== undefined);
  if (unmet !== undefined)
    return { case: plan, steps: [], outcomes: {}, bulk: {}, durationMs: 0, skipped: unmet };
  const name = `${check.name}.${plan.name}.${setting.mode?.name ?? 'unknown'}.${randomBytes(3).toString('hex')}`;
  const caseDir = workplace === undefined ? '' : await workplace.makeCaseDir(name);
  return carryOut(check, plan, setting, bench, {
    bundleDir: path.resolve(options.bundleDir),
    caseDir,
    limitMs: stepLimitMs,
    ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}
