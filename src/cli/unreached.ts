import { KnownError } from '../model/error.ts';
import type { Report, Result } from '../model/report.ts';
import { exitStatusOf } from '../model/verdict.ts';
import { makeReport } from '../run/report.ts';
import { reportFailure } from './failure.ts';
import { printReport } from './print.ts';
import { packageVersion } from './version.ts';

/**
 * Tells other programs, in the report that they wait for, that a side could not be reached: every question is
 * unknown. The one line for people still goes to standard error. Without --json the error just goes on.
 */
export function reportUnreached(
  error: unknown,
  json: boolean,
  run: {
    readonly command: Report['command'];
    readonly started: number;
    readonly asked: readonly Pick<Result, 'check' | 'path'>[];
  },
): void {
  if (!json || !(error instanceof KnownError)) throw error;
  const verdict = { kind: 'unknown', code: error.code, reason: error.message, next: error.cure } as const;
  const results = run.asked.map((each) => ({ ...each, mode: 'unknown', verdict, cases: [], durationMs: 0 }));
  const environment = {
    startedAt: new Date(run.started).toISOString(),
    durationMs: Date.now() - run.started,
    seed: 0,
    shares: [],
    versions: {},
  };
  const report = makeReport(run.command, packageVersion(), environment, results);
  reportFailure(error);
  printReport(report, true);
  process.exitCode = exitStatusOf(report.verdict);
}
