import { setMaxListeners } from 'node:events';
import { availableParallelism, loadavg } from 'node:os';
import type { Case } from '../model/check.ts';
import type { Result } from '../model/report.ts';
import type { Bundle, CaseRecord } from './bundle.ts';
import { type Cell, carryOutCase, crashedCell, type PlannedCell, planCell, saveCell } from './cell.ts';
import { type BenchMaker, carryOutGangs } from './gangs.ts';
import { expectedMs, inTurns } from './queue.ts';

/** What happens in a matrix, for whoever shows it. `cell` is the index among the cells. */
export type MatrixEvent =
  | { readonly kind: 'planned'; readonly cell: number; readonly cases: number }
  | { readonly kind: 'case-began' | 'case-ended'; readonly cell: number; readonly case: string }
  | { readonly kind: 'cell-ended'; readonly cell: number; readonly result: Result };

/** How a matrix is run. */
export interface MatrixOptions {
  /** The way to a verdict, from a bundle that has been saved. */
  readonly judge: (cell: Cell, bundle: Bundle) => Promise<Result>;
  /** Makes benches for cases that would spoil a common one. */
  readonly maker?: BenchMaker | undefined;
  readonly onEvent?: (event: MatrixEvent) => void;
  readonly signal?: AbortSignal;
  /** Cases of isolation `shared` that are under way at once. */
  readonly atOnce?: number;
}

/** Many, because most wait: for a timeout to pass, or for a request over ssh. */
const mostAtOnce = 16;
/** On a machine that is busy with other things each request takes long, and cases that measure time tell less. */
const leastAtOnce = 12;

/** Shares that are read at once while each one's server is watched: more would only slow each other down. */
const sharesAtOnce = 4;

/** A wait that would be seen at the end of a run. */
const longWaitMs = 4000;

/** One cell while it is under way. */
interface Running {
  readonly index: number;
  readonly planned: PlannedCell;
  readonly records: Map<Case, CaseRecord>;
}

/** One case that is to be carried out. */
export interface Job {
  readonly planned: PlannedCell;
  readonly plan: Case;
}

/**
 * Runs many cells at once. Cases that may run beside others do, across checks and modes; then those that must be alone
 * on their share, and those that need a bench of their own; last those that must be alone altogether. A cell is saved and judged when its last case has ended,
 * so that of a run that is killed no more is lost than the cells it was at.
 * @returns a result for each cell that was finished, by its index; the others were interrupted.
 */
export async function runMatrix(
  cells: readonly Cell[],
  options: MatrixOptions,
): Promise<ReadonlyMap<number, Result>> {
  const results = new Map<number, Result>();
  const closing: Promise<void>[] = [];
  const { signal, onEvent } = options;
  // Every case that is under way listens to it.
  if (signal !== undefined) setMaxListeners(0, signal);

  const ended = (index: number, result: Result) => {
    results.set(index, result);
    onEvent?.({ kind: 'cell-ended', cell: index, result });
  };

  const running: Running[] = [];
  for (const [index, cell] of cells.entries()) {
    try {
      const planned = planCell(cell);
      onEvent?.({ kind: 'planned', cell: index, cases: planned.cases.length });
      running.push({ index, planned, records: new Map() });
    } catch (error) {
      ended(index, crashedCell(cell, error));
    }
  }
  const byCell = new Map(running.map((each) => [each.planned, each]));

  const note = ({ planned, plan }: Job, record: CaseRecord) => {
    const cell = byCell.get(planned) as Running;
    // What an interruption cut short is not evidence.
    if (signal?.aborted === true) return;
    cell.records.set(plan, record);
    onEvent?.({ kind: 'case-ended', cell: cell.index, case: plan.name });
    if (cell.records.size === planned.cases.length) closing.push(close(cell));
  };

  const close = async ({ index, planned, records }: Running) => {
    const inOrder = planned.cases.flatMap((plan) => records.get(plan) ?? []);
    ended(index, await options.judge(planned.cell, await saveCell(planned, inOrder)));
  };

  const began = ({ planned, plan }: Job) =>
    onEvent?.({ kind: 'case-began', cell: (byCell.get(planned) as Running).index, case: plan.name });

  const carry = async (job: Job) => {
    if (signal?.aborted === true) return;
    began(job);
    note(job, await carryOutCase(job.planned, job.plan, signal === undefined ? {} : { signal }));
  };

  for (const each of running) if (each.planned.cases.length === 0) closing.push(close(each));
  const jobs = running.flatMap(({ planned }) => planned.cases.map((plan): Job => ({ planned, plan })));
  const of = (...isolations: Case['isolation'][]) =>
    jobs.filter(({ plan }) => isolations.includes(plan.isolation));

  // Those that wait very long first, so that at the end nobody waits alone. The others cell by cell: what is
  // finished early is saved early.
  const shared = of('shared')
    .map((job) => ({ job, ms: expectedMs(job.plan) }))
    .map(({ job, ms }) => ({ job, ms: ms < longWaitMs ? 0 : ms }))
    .sort((a, b) => b.ms - a.ms)
    .map(({ job }) => job);
  await inTurns(shared, options.atOnce ?? atOnceHere(), ({ plan }) => Object.keys(plan.actors).length, carry);
  // Machines of their own boot, and mostly wait, while shares are watched whose counters they do not touch.
  await Promise.all([
    inTurns(
      lanesOf(of('exclusive-share')),
      sharesAtOnce,
      () => 1,
      async (lane) => {
        for (const job of lane) await carry(job);
      },
    ),
    carryOutGangs(of('own-share', 'own-vm'), {
      maker: options.maker,
      signal,
      onBegan: began,
      onEnded: note,
    }),
  ]);
  for (const job of of('exclusive')) await carry(job);
  await Promise.all(closing);
  return results;
}

/**
 * Sorts cases that are alone on their share into lanes, which may be carried out beside each other: one for each share
 * that has a server of its own, and one for all shares that QEMU serves or whose disk reads are charged to it, since
 * QEMU's counters have the traffic of all of these. That lane is the longest, and comes first.
 */
function lanesOf(jobs: readonly Job[]): readonly (readonly Job[])[] {
  const lanes = new Map<string, Job[]>([['', []]]);
  for (const job of jobs) {
    const { share } = job.planned.cell.bench;
    const { mode } = share;
    const isQemus = share.daemonPid === undefined || mode?.server === '9p' || mode?.dax !== undefined;
    const lane = isQemus ? '' : share.guestDir;
    lanes.set(lane, [...(lanes.get(lane) ?? []), job]);
  }
  return [...lanes.values()];
}

function atOnceHere(): number {
  const [load = 0] = loadavg();
  return load > 2 * availableParallelism() ? leastAtOnce : mostAtOnce;
}
