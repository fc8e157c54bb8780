import type { Check } from '../model/check.ts';
import type { Report } from '../model/report.ts';
import { baselineOf, compareWith, exitStatusAgainst, type Guests, loadBaseline } from '../run/baseline.ts';
import { type Finding, loadFindings } from '../run/known.ts';
import { type ReportFile, readReportFiles } from './report-files.ts';
import type { Answer } from './with-sides.ts';

/** What verdicts are held against, and where the report goes besides: of `check` and of `judge`. */
export interface AgainstFlags {
  readonly report?: readonly string[];
  readonly known?: readonly string[];
  readonly baseline?: string;
}

/** The same, read and found well. */
export interface Against {
  readonly files: readonly ReportFile[];
  readonly findings: readonly Finding[];
  /** The report itself, or the report and the exit status that the comparison gives it. */
  answer(report: Report): Answer;
}

/**
 * Reads all of it before anything is run, so that a mistake costs no run.
 * @param guests whom the verdicts are about.
 * @throws KnownError `bad-flag`, `report-not-written`, `bad-findings`, `bad-baseline`
 */
export async function readAgainst(
  { report: given, known = [], baseline: file }: AgainstFlags,
  guests: Guests = undefined,
): Promise<Against> {
  const files = await readReportFiles(given);
  const findings = (await Promise.all(known.map(loadFindings))).flat();
  const baseline = file === undefined ? undefined : baselineOf(await loadBaseline(file), guests);
  return {
    files,
    findings,
    answer(report) {
      if (baseline === undefined || file === undefined) return { report };
      const compared = compareWith(baseline, report, file);
      return { report: { ...report, baseline: compared }, status: exitStatusAgainst(compared) };
    },
  };
}

/** What a report says of the checks themselves: titles, and what their codes mean. */
export function checksIn(checks: readonly Check[]): NonNullable<Report['checks']> {
  return Object.fromEntries(checks.map(({ name, title, codes }) => [name, { title, codes: { ...codes } }]));
}
