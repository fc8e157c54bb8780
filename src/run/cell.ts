import { randomBytes } from 'node:crypto';
import path from 'node:path';
import type { Case, Check, Setting } from '../model/check.ts';
import { KnownError } from '../model/error.ts';
import type { Result } from '../model/report.ts';
import type { Bench } from './bench.ts';
import { type Bundle, type CaseRecord, loadBundle, saveBundle } from './bundle.ts';
import { carryOut, type RunEvent } from './interpreter.ts';
import { crashed, judgeBundle } from './judge.ts';
import { unmetByNode, unmetNeed } from './needs.ts';
import { settingOf } from './setting.ts';
import type { Workplace } from './workplace.ts';

/** One cell of the matrix: a check on one bench. */
export interface Cell {
  readonly check: Check;
  readonly bench: Bench;
  /** Where the bundle goes. */
  readonly bundleDir: string;
  readonly seed: number;
  readonly args?: Setting['args'];
  /** Only the cases of these names. */
  readonly only?: readonly string[];
  /** The run's own directory in the share; undefined where it could not be made, or is not wanted. */
  readonly workplace?: Workplace;
}

/** How a case of a cell is carried out. */
export interface CaseOptions {
  readonly onEvent?: (event: RunEvent) => void;
  readonly signal?: AbortSignal;
}

/** How one check is run in one mode, by itself. */
export interface CellOptions extends Omit<Cell, 'check' | 'bench'>, CaseOptions {
  /** For a judge that never answers; default 120,000. */
  readonly judgeLimitMs?: number;
}

/** For a step that names no limit, in milliseconds. */
const stepLimitMs = 30_000;

/** A cell whose cases are known. */
export interface PlannedCell {
  readonly cell: Cell;
  readonly setting: Setting;
  readonly cases: readonly Case[];
}

/** Plans a cell. Throws what the check's own `cases` throws. */
export function planCell(cell: Cell): PlannedCell {
  const { check, bench, seed, args, only } = cell;
  const setting = settingOf(bench, seed, args ?? {});
  const cases = check.cases(setting).filter(({ name }) => only === undefined || only.includes(name));
  return { cell, setting, cases };
}

/**
 * Sees that every case that was asked for by name is one of its check's.
 * @throws KnownError `no-such-case`
 */
export function requireCases(cells: readonly Cell[]): void {
  for (const { check, only } of cells) {
    if (only === undefined) continue;
    const names = new Set(cells.filter((each) => each.check === check).flatMap(caseNames));
    const missing = names.size === 0 ? undefined : only.find((name) => !names.has(name));
    if (missing !== undefined)
      throw new KnownError(
        'no-such-case',
        `the check "${check.name}" has no case "${missing}" here`,
        `It has: ${[...names].join(', ')}.`,
      );
  }
}

/** None where the check crashes: that is told as its result. */
function caseNames({ check, bench, seed, args }: Cell): readonly string[] {
  try {
    return check.cases(settingOf(bench, seed, args ?? {})).map(({ name }) => name);
  } catch {
    return [];
  }
}

/** Carries one case out; a defect of the check, and a need that is not met, are part of the record. */
export async function carryOutCase(
  { cell, setting }: PlannedCell,
  plan: Case,
  options: CaseOptions,
): Promise<CaseRecord> {
  const { check, bench, bundleDir, workplace } = cell;
  const nothing = { case: plan, steps: [], outcomes: {}, bulk: {}, durationMs: 0 };
  const unmet = whyNot(plan, bench, workplace);
  if (unmet !== undefined) return { ...nothing, skipped: unmet };
  const name = `${check.name}.${plan.name}.${setting.mode?.name ?? 'unknown'}.${randomBytes(3).toString('hex')}`;
  const caseDir = workplace === undefined ? '' : await workplace.makeCaseDir(name);
  try {
    return await carryOut(check, plan, setting, bench, {
      bundleDir: path.resolve(bundleDir),
      caseDir,
      limitMs: stepLimitMs,
      ...options,
    });
  } catch (error) {
    return { ...nothing, crashed: error instanceof Error ? error.message : String(error) };
  }
}

/** The first need of a case that its bench does not meet, in words. */
function whyNot(plan: Case, bench: Bench, workplace: Workplace | undefined): string | undefined {
  const unmet = plan.needs
    .map((need) => unmetNeed(need, bench, workplace))
    .find((reason) => reason !== undefined);
  return unmet ?? unmetByNode(plan, bench);
}

/** Saves what a cell's cases gave, and reads it back: judges see nothing else. */
export async function saveCell(
  { cell, setting }: PlannedCell,
  records: readonly CaseRecord[],
): Promise<Bundle> {
  const bundle: Bundle = { schema: 'vfs-verify/bundle/1', check: cell.check.name, setting, cases: records };
  await saveBundle(cell.bundleDir, bundle);
  return loadBundle(cell.bundleDir);
}

/** The result of a cell whose check could not even plan its cases. */
export function crashedCell({ check, bench }: Cell, error: unknown): Result {
  const mode = bench.share.mode?.name ?? 'unknown';
  return { check: check.name, mode, verdict: crashed(check.name, error), cases: [], durationMs: 0 };
}

/** One cell by itself, its cases one after the other: what questions about the user's own paths are. */
export async function runCell(check: Check, bench: Bench, options: CellOptions): Promise<Result> {
  const { judgeLimitMs, onEvent, signal, ...place } = options;
  const cell: Cell = { check, bench, ...place };
  let planned: PlannedCell;
  try {
    planned = planCell(cell);
  } catch (error) {
    return crashedCell(cell, error);
  }
  const records: CaseRecord[] = [];
  for (const plan of planned.cases)
    records.push(
      await carryOutCase(planned, plan, {
        ...(onEvent === undefined ? {} : { onEvent }),
        ...(signal === undefined ? {} : { signal }),
      }),
    );
  return judgeBundle(cell.bundleDir, await saveCell(planned, records), check, judgeLimitMs);
}
