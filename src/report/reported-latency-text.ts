import type { ReportedLatency } from '../model/reported-latency.ts';
import { padTo, type Style, wrapped } from './layout.ts';
import { microseconds } from './ledger-text.ts';
import { printable, printableName } from './printable.ts';
import { count } from './quantities.ts';
import { sparks } from './sparks.ts';

const indent = '  ';
const nameWidth = 24;
const numberWidth = 9;
const mostRows = 8;
/** The percentiles that are told where a benchmark has them. */
export const toldPercentiles = [50, 99, 99.9] as const;

/** How long a benchmark's requests took, as it reports it itself: a line for each job and direction. */
export function latencyLines(latency: readonly ReportedLatency[] | undefined, style: Style): string[] {
  const [first] = latency ?? [];
  if (latency === undefined || first === undefined) return [];
  const head = ['p50', 'p99', 'p99.9', 'max'].map((word) => word.padStart(numberWidth)).join('');
  const more = latency.length - mostRows;
  return [
    `${indent}${padTo(`µs, ${printable(first.by)}'s own report`, nameWidth)}${head}`,
    ...latency.slice(0, mostRows).map((each) => row(each, style)),
    ...(more > 0
      ? wrapped(`and ${count(more, 'more job')}, in the JSON`, { width: style.width, first: indent })
      : []),
    '',
  ];
}

function row({ name, percentiles, maxNs, log2 }: ReportedLatency, style: Style): string {
  const numbers = [...toldPercentiles.map((percent) => percentileOf(percentiles, percent)), maxNs];
  const told = numbers
    .map((ns) => (ns === undefined ? '-' : microseconds(ns)).padStart(numberWidth))
    .join('');
  const label = printableName(name);
  const short = label.length > nameWidth - 1 ? `${[...label].slice(0, nameWidth - 2).join('')}~` : label;
  const picture = log2 === undefined ? '' : `  ${pictureOf(log2, style)}`;
  return `${indent}${padTo(short, nameWidth)}${told}${picture}`.trimEnd();
}

/** The nanoseconds that so many percent of the requests were no longer than; undefined where nobody said. */
export function percentileOf(
  percentiles: ReportedLatency['percentiles'],
  percent: number,
): number | undefined {
  return percentiles.find(([each]) => each === percent)?.[1];
}

const mostBins = 14;

/** A column for each power of two that has requests, its height by the root of their number. */
function pictureOf(log2: readonly number[], style: Style): string {
  const from = log2.findIndex((requests) => requests > 0);
  const bins = log2.slice(Math.max(0, from)).slice(0, mostBins);
  const most = Math.max(1, ...bins);
  return sparks(
    bins.map((requests) => (requests === 0 ? null : Math.sqrt(requests / most))),
    style,
  );
}
