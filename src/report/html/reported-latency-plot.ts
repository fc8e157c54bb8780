import * as Plot from '@observablehq/plot';
import type { ReportedLatency } from '../../model/reported-latency.ts';
import { percentileOf } from '../reported-latency-text.ts';
import { decades, shortened, svgOf, timeTick } from './plots.ts';

/**
 * Latencies as a benchmark reports them, a row for each job and direction: a line from the shortest to the longest
 * with its percentiles as ticks, and above it all of the requests where it gave them.
 */
export function reportedLatencyPlot(latency: readonly ReportedLatency[]): string {
  // Two jobs may have the same name: the number keeps them apart, and is not shown.
  const rows = latency.map((row, index) => ({ ...row, key: `${index}` }));
  const spans = rows.flatMap(({ key, minNs, maxNs, percentiles }) => {
    const known = [minNs, maxNs, ...percentiles.map(([, ns]) => ns)].filter(
      (ns): ns is number => ns !== undefined && ns > 0,
    );
    return known.length === 0 ? [] : [{ key, from: Math.min(...known), to: Math.max(...known) }];
  });
  const ticks = rows.flatMap(({ key, percentiles }) =>
    percentiles.flatMap(([, ns]) => (ns > 0 ? [{ key, at: ns }] : [])),
  );
  const medians = rows.flatMap(({ key, percentiles }) => {
    const at = percentileOf(percentiles, 50);
    return at === undefined || at <= 0 ? [] : [{ key, at }];
  });
  const bars = rows.flatMap(({ key, log2 = [] }) => {
    const most = Math.max(1, ...log2);
    return log2.flatMap((requests, bin) =>
      requests > 0
        ? [{ key, from: 2 ** bin, to: 2 ** (bin + 1), top: barFoot + barRoom * Math.sqrt(requests / most) }]
        : [],
    );
  });
  const edges = [...spans, ...bars].flatMap(({ from, to }) => [from, to]);
  const domain = edges.length === 0 ? [1, 10] : [Math.min(...edges) / 1.2, Math.max(...edges) * 1.2];
  return svgOf({
    height: 32 + 58 * rows.length,
    marginLeft: 12,
    marginRight: 14,
    marginTop: 4,
    marginBottom: 24,
    x: { type: 'log', domain, label: null, ticks: decades(domain), tickFormat: timeTick },
    // The upper part of a row is its label's.
    y: { axis: null, domain: [-0.1, 1.45] },
    fy: { axis: null, domain: rows.map(({ key }) => key), padding: 0.12 },
    marks: [
      Plot.gridX({ ticks: decades(domain), strokeOpacity: 0.15 }),
      Plot.rect(bars, {
        x1: 'from',
        x2: 'to',
        y1: barFoot,
        y2: 'top',
        fy: 'key',
        fill: 'var(--series)',
        fillOpacity: 0.5,
        insetRight: 1,
      }),
      Plot.ruleY(spans, {
        x1: 'from',
        x2: 'to',
        y: 0.12,
        fy: 'key',
        stroke: 'var(--series)',
        strokeWidth: 2,
      }),
      Plot.ruleX(ticks, { x: 'at', y1: 0, y2: 0.24, fy: 'key', stroke: 'var(--ink)', strokeOpacity: 0.6 }),
      Plot.dot(medians, { x: 'at', y: 0.12, fy: 'key', r: 4, fill: 'var(--ink)' }),
      Plot.text(rows, {
        fy: 'key',
        text: ({ name }: { name: string }) => shortened(name),
        frameAnchor: 'top-left',
        fill: 'var(--ink)',
        fontWeight: 600,
      }),
    ],
  });
}

const barFoot = 0.3;
const barRoom = 0.75;
