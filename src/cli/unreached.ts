import { KnownError } from '../model/error.ts';
import type { Report, Result } from '../model/report.ts';
import { makeReport } from '../run/report.ts';
import { reportFailure } from './failure.ts';
import { printReport } from './print.ts';
import { type ReportFile, writeReportFiles } from './report-files.ts';
import { packageVersion } from './version.ts';

/**
 * Tells other programs, in the reports that they wait for, that a side could not be reached: every question is
 * unknown. The one line for people goes to standard error.
 * @throws what is no KnownError
 */
export async function reportUnreached(
  error: unknown,
  to: { readonly json: boolean; readonly files: readonly ReportFile[] },
  run: {
    readonly command: Report['command'];
    readonly started: number;
    readonly asked: readonly Pick<Result, 'check' | 'path'>[];
  },
): Promise<void> {
  if (!(error instanceof KnownError)) throw error;
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
  process.exitCode = reportFailure(error);
  await writeReportFiles(to.files, report);
  if (to.json) printReport(report, true);
}
