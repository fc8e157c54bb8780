import { rm } from 'node:fs/promises';
import path from 'node:path';
import { KnownError } from '../model/error.ts';
import { parseMode } from '../model/mode.ts';
import { type CaseResult, failsAsKnown, type Result } from '../model/report.ts';
import { shellWord } from '../model/shell-word.ts';
import { loadBundle } from '../run/bundle.ts';
import { type Cell, requireCases } from '../run/cell.ts';
import { judgeThread } from '../run/judge-thread.ts';
import { type Finding, markKnown } from '../run/known.ts';
import type { PickedCheck } from '../run/load-checks.ts';
import { type MatrixEvent, runMatrix } from '../run/matrix.ts';
import { mergeRounds } from '../run/rounds.ts';
import { hasRunRecord, loadRunRecord, requireSameVersions, saveRunRecord } from '../run/run-record.ts';
import { makeWorkplace, type Workplace } from '../run/workplace.ts';
import type { Share } from '../share/share.ts';
import { benchFor } from './bench.ts';
import { type Asked, type CheckFlags, seedOfRound } from './check-flags.ts';
import { bundleInUse } from './fleet-run.ts';
import { type MatrixDisplay, showMatrix } from './matrix-display.ts';
import { type Monitors, monitorsOf } from './monitor.ts';
import { benchMaker } from './own-bench.ts';
import { parseTimeout } from './quantities.ts';
import { rerunCommand } from './rerun.ts';
import type { Sides } from './sides.ts';
import type { Asking } from './with-sides.ts';

/** What is run, and by whom it was asked. */
export interface Run {
  readonly asked: Asked;
  readonly picked: readonly PickedCheck[];
  readonly findings: readonly Finding[];
  readonly flags: CheckFlags;
  readonly asking: Asking;
}

/** Runs all rounds: one result for each check and mode, in the order of the checks. */
export async function runChecks(run: Run, shares: readonly Share[]): Promise<readonly Result[]> {
  const { asked, picked, flags, asking } = run;
  const { sides, evidence, display: screen } = asking;
  const workplaces = await makeWorkplaces(shares, sides);
  const monitors = monitorsOf(sides);
  const judge = judgeThread(flags.judgeLimit === undefined ? undefined : parseTimeout(flags.judgeLimit));
  const display = showMatrix(screen, {
    checks: picked.map((each) => each.check.name),
    modes: shares.map(modeName),
    rounds: asked.repeat,
    quiet: flags.json === true,
    signal: asking.signal,
  });
  try {
    const rounds: (readonly Result[])[] = [];
    for (let round = 0; round < asked.repeat; round += 1) {
      const seed = seedOfRound(asked.seed, round);
      const directory = asked.repeat === 1 ? evidence : path.join(evidence, `round-${round + 1}`);
      const cells = picked.flatMap((each) =>
        shares.map((share) => cellFor(each, share, { run, seed, directory, workplaces, monitors })),
      );
      if (round === 0) requireCases(cells);
      display.beginRound(round);
      const results = await runRound(cells, { run, seed, judge, display });
      rounds.push(results);
      const stopped = flags.failFast === true && results.some(isNewFail);
      if (stopped || asking.signal.aborted) break;
    }
    return mergeRounds(rounds);
  } finally {
    display.end();
    await judge.close();
    monitors.close();
    await removeWorkplaces(workplaces);
  }
}

/** Writes down what this run is, or sees that it is the one that is continued. */
export async function beginRun({ asked, flags, asking: { sides, evidence } }: Run): Promise<void> {
  const { versions } = sides;
  if (flags.continue !== undefined) {
    requireSameVersions(await loadRunRecord(evidence), versions, evidence);
    return;
  }
  if (flags.bundle !== undefined && (await hasRunRecord(evidence))) throw bundleInUse(evidence);
  await saveRunRecord(evidence, { schema: 'vfs-verify/run/1', ...asked, versions });
}

type JudgedCell = Cell & { readonly file: string };

function cellFor(
  { check, file, only }: PickedCheck,
  share: Share,
  at: {
    readonly run: Run;
    readonly seed: number;
    readonly directory: string;
    readonly workplaces: ReadonlyMap<string, Workplace>;
    readonly monitors: Monitors;
  },
): JudgedCell {
  const { asked, asking } = at.run;
  const workplace = at.workplaces.get(share.hostDir);
  return {
    check,
    file,
    bench: benchFor(share, asking.sides, at.monitors.usedIndexOf(share)),
    bundleDir: path.join(at.directory, `${check.name}.${modeName(share)}`),
    seed: at.seed,
    args: asked.systemWide ? { systemWide: true } : {},
    ...(only === undefined ? {} : { only }),
    ...(workplace === undefined ? {} : { workplace }),
  };
}

async function runRound(
  cells: readonly JudgedCell[],
  at: {
    readonly run: Run;
    readonly seed: number;
    readonly judge: ReturnType<typeof judgeThread>;
    readonly display: MatrixDisplay;
  },
): Promise<readonly Result[]> {
  const { flags, asking, findings } = at.run;
  const { sides } = asking;
  const finished = new Map<JudgedCell, Result>();
  const failed = new AbortController();
  const ended = (cell: JudgedCell, result: Result) => {
    const told = markKnown(withRerun(cell, result), findings, sides.versions);
    finished.set(cell, told);
    at.display.onCell(told);
    if (flags.failFast === true && isNewFail(told)) failed.abort();
  };
  const withRerun = (cell: JudgedCell, result: Result): Result => ({
    ...result,
    cases: result.cases.map(
      (one): CaseResult => ({
        ...one,
        rerun: rerunCommand(
          { check: result.check, case: one.name, mode: cell.bench.share.mode?.name },
          { lab: sides.lab?.name, seed: at.seed },
          { ...flags, ...askedFlags(at.run.asked) },
        ),
      }),
    ),
    ...(flags.bundle === undefined && flags.continue === undefined ? {} : { bundle: cell.bundleDir }),
  });

  const todo: JudgedCell[] = [];
  for (const cell of cells) {
    const bundle = await loadBundle(cell.bundleDir).catch(() => undefined);
    if (bundle === undefined) {
      // Half of a cell is not evidence: its bulk results are written anew.
      await rm(cell.bundleDir, { recursive: true, force: true });
      todo.push(cell);
    } else ended(cell, await at.judge.judge(cell.bundleDir, bundle, cell.file));
  }
  const onEvent = (event: MatrixEvent) => {
    const cell = todo[event.cell];
    if (cell === undefined) return;
    if (event.kind === 'cell-ended') ended(cell, event.result);
    else at.display.onEvent({ check: cell.check.name, mode: modeName(cell.bench.share) }, event);
  };
  await runMatrix(todo, {
    judge: (cell, bundle) => at.judge.judge(cell.bundleDir, bundle, (cell as JudgedCell).file),
    maker: benchMaker(sides),
    onEvent,
    signal: AbortSignal.any([asking.signal, failed.signal]),
  });
  const why = asking.signal.aborted ? 'the run was interrupted' : 'an earlier result failed (--fail-fast)';
  return cells.map((cell) => finished.get(cell) ?? notRun(cell, why, flags));
}

/** A run that is continued was asked with flags that are not given again. */
function askedFlags({ checks, systemWide }: Asked): Partial<CheckFlags> {
  return { systemWide, ...(checks === undefined ? {} : { checks }) };
}

function notRun({ check, bench }: Cell, why: string, flags: CheckFlags): Result {
  return notRunIn(check.name, modeName(bench.share), why, flags);
}

/** The result of a check that was not run in a mode. */
export function notRunIn(check: string, mode: string, why: string, flags: CheckFlags): Result {
  const directory = flags.continue ?? flags.bundle;
  return {
    check,
    mode,
    verdict: {
      kind: 'unknown',
      code: 'not-run',
      reason: `not run: ${why}`,
      ...(directory === undefined ? {} : { next: `vfs-verify check --continue ${shellWord(directory)}` }),
    },
    cases: [],
    durationMs: 0,
  };
}

function isNewFail(result: Result): boolean {
  return result.verdict.kind === 'fail' && !failsAsKnown(result);
}

function modeName({ mode }: Share): string {
  return mode?.name ?? 'unknown';
}

/** One for each host directory: the modes of a lab share one. */
async function makeWorkplaces(shares: readonly Share[], sides: Sides): Promise<Map<string, Workplace>> {
  const made = new Map<string, Workplace>();
  for (const share of shares) {
    const { host } = benchFor(share, sides).views;
    if (host === undefined || made.has(share.hostDir)) continue;
    const workplace = await makeWorkplace(host).catch(unlessUnwritable);
    if (workplace !== undefined) made.set(share.hostDir, workplace);
  }
  return made;
}

/** A share that cannot be written to is a need that is not met, and said by each check that has it. */
function unlessUnwritable(error: unknown): undefined {
  if (error instanceof KnownError && error.code === 'not-writable') return undefined;
  throw error;
}

async function removeWorkplaces(workplaces: ReadonlyMap<string, Workplace>): Promise<void> {
  for (const each of workplaces.values()) {
    const left = await each.remove();
    if (left !== undefined) process.stderr.write(`vfs-verify: left behind: ${left}\n`);
  }
}

/**
 * The shares of the modes that were asked for.
 * @throws KnownError `no-such-mode`, `several-shares`
 */
export function sharesFor(
  modes: string | undefined,
  { shares, lab }: Pick<Sides, 'shares' | 'lab'>,
): readonly Share[] {
  const names = modes?.split(',').map((name) => name.trim());
  requireOneOfEachMode(shares);
  if (names === undefined || names.includes('all')) return shares;
  return names.map((name) => {
    // A flag may be written with dashes or underscores, and in any order.
    const canonical = canonicalName(name);
    const found = shares.find(({ mode }) => mode?.name === canonical);
    if (found !== undefined) return found;
    const leftOut = lab?.leftOut?.find(({ mode }) => mode === canonical);
    const known = shares.map(modeName).join(', ');
    throw new KnownError(
      'no-such-mode',
      leftOut === undefined
        ? `no share in mode "${name}" is known here`
        : `the lab "${lab?.name}" has no mode ${name}: ${leftOut.why}`,
      `Known: ${known}. A lab brings modes up with: vfs-verify lab up --modes ${name}.`,
    );
  });
}

/** A cell of the matrix is a check in a mode: two shares in one mode would be one row. */
function requireOneOfEachMode(shares: readonly Share[]): void {
  const twice = shares.find((each) =>
    shares.some((other) => other !== each && modeName(other) === modeName(each)),
  );
  if (twice === undefined) return;
  throw new KnownError(
    'several-shares',
    `several shares are in the mode ${modeName(twice)}`,
    'Say which is to be checked: one of the flags above.',
    {
      detail: shares
        .map(
          ({ guestDir, hostDir, mode }) =>
            `--share ${shellWord(guestDir)}   ${mode?.name ?? 'unknown'}, ${hostDir}`,
        )
        .join('\n'),
    },
  );
}

function canonicalName(name: string): string {
  try {
    return parseMode(name).name;
  } catch {
    return name;
  }
}
