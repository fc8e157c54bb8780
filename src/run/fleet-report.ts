import type { Environment, GuestRow, Report, Result } from '../model/report.ts';
import { makeReport } from './report.ts';

/** What one guest of several came to. */
export interface GuestAnswer {
  readonly row: Omit<GuestRow, 'verdict'>;
  readonly results: readonly Result[];
}

/** One report from those of several guests: all results, and a row for each guest. */
export function makeFleetReport(
  command: Report['command'],
  version: string,
  environment: Environment,
  answers: readonly GuestAnswer[],
): Report {
  const named = answers.map(({ row, results }) => ({
    row,
    results: results.map((result): Result => ({ guest: row.guest, ...result })),
  }));
  const whole = makeReport(
    command,
    version,
    environment,
    named.flatMap(({ results }) => results),
  );
  return {
    ...whole,
    guests: named.map(({ row, results }) => ({
      ...row,
      verdict: makeReport(command, version, environment, results).verdict,
    })),
  };
}
