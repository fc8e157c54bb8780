import type { Report } from '../model/report.ts';

/**
 * A report as JSON for other programs: two-space indents, keys always in the same order, a newline at the
 * end. Half a surrogate pair (a file name's invalid byte) is escaped, so that the output is valid UTF-8.
 */
export function renderJson(report: Report): string {
  const { schema, tool, command, verdict, environment, checks, baseline, results } = report;
  return `${JSON.stringify({ schema, tool, command, verdict, environment, checks, baseline, results }, undefined, 2)}\n`;
}
