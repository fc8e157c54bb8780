import type { Report } from '../model/report.ts';

/**
 * A report as JSON for other programs: two-space indents, keys always in the same order, a newline at the
 * end. Half a surrogate pair (a file name's invalid byte) is escaped, so that the output is valid UTF-8.
 */
export function renderJson(report: Report): string {
  const { schema, tool, command, verdict, environment, checks, baseline, guests, results } = report;
  const ordered = { schema, tool, command, verdict, environment, checks, baseline, guests, results };
  return `${JSON.stringify(ordered, undefined, 2)}\n`;
}
