import type { Report, Result } from '../model/report.ts';
import { exitStatusOf } from '../model/verdict.ts';
import { openEvidence } from '../run/evidence.ts';
import { interruption } from './interruption.ts';
import { printReport } from './print.ts';
import { reachSides, type SideFlags, type Sides } from './sides.ts';
import { reportUnreached } from './unreached.ts';

/** The flags of every command that asks both sides. */
export interface AskFlags extends SideFlags {
  readonly bundle?: string;
  readonly json?: boolean;
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
}

/** What a command answers; without a status the report's own is taken. */
export interface Answer {
  readonly report: Report;
  readonly status?: 0 | 1 | 2;
}

/**
 * Reaches both sides, lets the command do its work, prints its report, sets the exit status, and closes
 * everything, whatever happens.
 * @param asked for a report of sides that were never reached.
 */
export async function withSides(
  command: Report['command'],
  flags: AskFlags,
  asked: readonly Pick<Result, 'check' | 'path'>[],
  work: (asking: Asking) => Promise<Answer>,
): Promise<void> {
  const started = Date.now();
  const sides = await reachSides(flags).catch((error: unknown) => {
    reportUnreached(error, flags.json === true, { command, started, asked });
  });
  if (sides === undefined) return;
  const interrupted = interruption();
  try {
    const evidence = await openEvidence(flags.bundle);
    try {
      const { directory } = evidence;
      const answer = await work({ sides, evidence: directory, signal: interrupted.signal, started });
      printReport(answer.report, flags.json === true);
      process.exitCode = answer.status ?? exitStatusOf(answer.report.verdict);
    } finally {
      await evidence.close();
    }
  } finally {
    interrupted.stop();
    await sides.close();
  }
}
