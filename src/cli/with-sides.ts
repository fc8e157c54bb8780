import type { Report, Result } from '../model/report.ts';
import { exitStatusOf } from '../model/verdict.ts';
import { openEvidence } from '../run/evidence.ts';
import type { Against } from './against.ts';
import type { FleetFlags } from './each-guest.ts';
import { askFleet } from './fleet.ts';
import { interruption } from './interruption.ts';
import { printReport } from './print.ts';
import { writeReportFiles } from './report-files.ts';
import { reachSides, type SideFlags, type Sides } from './sides.ts';
import type { Target } from './targets.ts';
import { reportUnreached } from './unreached.ts';

/** The flags of every command that asks both sides. */
export interface AskFlags extends SideFlags, FleetFlags {
  readonly bundle?: string;
}

/** What a command that asks both sides has while it does. */
export interface Asking {
  readonly sides: Sides;
  /** Where the evidence goes; without --bundle it is removed at the end. */
  readonly evidence: string;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly started: number;
  /** Where progress is shown; undefined where several guests would write over each other. */
  readonly display: NodeJS.WriteStream | undefined;
}

/** What a command answers; without a status the report's own is taken. */
export interface Answer {
  readonly report: Report;
  readonly status?: 0 | 1 | 2;
}

/** What a command does once both sides are reached. `flags` are those of this guest. */
export type Work<F extends AskFlags> = (asking: Asking, flags: F) => Promise<Answer>;

/**
 * Reaches both sides, lets the command do its work, prints its report, sets the exit status, and closes
 * everything, whatever happens. Where several guests are named, each of them.
 * @param asked for a report of sides that were never reached.
 * @param against what the whole report is held against, and where it goes besides.
 */
export async function withSides<F extends AskFlags>(
  command: Report['command'],
  flags: F,
  asked: readonly Pick<Result, 'check' | 'path'>[],
  work: Work<F>,
  against: Pick<Against, 'files' | 'answer'> = alone,
): Promise<void> {
  const started = Date.now();
  if (flags.targets !== undefined) {
    await withFleet({ command, flags, asked, work }, flags.targets, started, against);
    return;
  }
  const sides = await reachSides(flags).catch(async (error: unknown) => {
    const to = { json: flags.json === true, files: against.files };
    await reportUnreached(error, to, { command, started, asked });
  });
  if (sides === undefined) return;
  const interrupted = interruption();
  try {
    const run = { signal: interrupted.signal, started, display: process.stderr };
    const answer = await askThere(sides, flags, run, work);
    const { report, status = exitStatusOf(report.verdict) } = against.answer(answer.report);
    await writeReportFiles(against.files, report);
    printReport(report, flags.json === true);
    process.exitCode = answer.status ?? status;
  } finally {
    interrupted.stop();
    await sides.close();
  }
}

/** The report itself, and nowhere else. */
const alone: Pick<Against, 'files' | 'answer'> = { files: [], answer: (report) => ({ report }) };

/** The work on sides that are reached, with a place for its evidence. */
export async function askThere<F extends AskFlags>(
  sides: Sides,
  flags: F,
  run: Omit<Asking, 'sides' | 'evidence'>,
  work: Work<F>,
): Promise<Answer> {
  const evidence = await openEvidence(flags.bundle);
  try {
    return await work({ sides, evidence: evidence.directory, ...run }, flags);
  } finally {
    await evidence.close();
  }
}

async function withFleet<F extends AskFlags>(
  question: Parameters<typeof askFleet<F>>[0],
  targets: readonly Target[],
  started: number,
  against: Pick<Against, 'files' | 'answer'>,
): Promise<void> {
  const interrupted = interruption();
  try {
    const { signal } = interrupted;
    const { report: made, defect, abandoned } = await askFleet(question, targets, { signal, started });
    const { report, status = exitStatusOf(report.verdict) } = against.answer(made);
    await writeReportFiles(against.files, report);
    printReport(report, question.flags.json === true);
    process.exitCode = defect ? 3 : status;
    // What hangs would keep the program for as long as its own limits; processes of ours end with it.
    if (abandoned) process.exit();
  } finally {
    interrupted.stop();
  }
}
