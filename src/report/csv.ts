import { isExplain } from '../model/explain-evidence.ts';
import type { Report } from '../model/report.ts';
import { quantityNames, snakeCase } from '../model/run-quantities.ts';
import { intervalCount } from '../model/timeline.ts';

/**
 * The timelines of the programs that a report explains, as RFC 4180 CSV: a row for each interval, times in seconds
 * from the program's start, sizes in bytes and calls as numbers, sums of the interval and levels at its end. What was not seen is an empty field. Each
 * field is a number or a word of our own: nothing needs quotes.
 */
export function renderCsv({ results }: Report): string {
  const runs = results.flatMap(({ verdict: { evidence } }) =>
    isExplain(evidence) && evidence.timeline !== undefined
      ? [{ state: evidence.state ?? '', timeline: evidence.timeline }]
      : [],
  );
  const names = quantityNames.filter((name) =>
    runs.some(({ timeline }) => timeline.series[name] !== undefined),
  );
  const header = ['state', 'from_seconds', 'to_seconds', ...names.map(snakeCase)];
  const rows = runs.flatMap(({ state, timeline }) => {
    const { fromMs, intervalMs, series } = timeline;
    return Array.from({ length: intervalCount(timeline) }, (_, index) => [
      state,
      (fromMs + index * intervalMs) / 1000,
      (fromMs + (index + 1) * intervalMs) / 1000,
      ...names.map((name) => series[name]?.[index] ?? ''),
    ]);
  });
  return [header, ...rows].map((fields) => `${fields.join(',')}\r\n`).join('');
}
