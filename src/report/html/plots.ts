import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { LatencySummary } from '../../model/account.ts';
import type { StalenessSeries } from '../../model/staleness.ts';
import { printable } from '../printable.ts';

/**
 * Plots as SVG text. They are small enough to be read unscaled on a phone, and take all colours from the
 * page's custom properties, so that they follow its light, dark and print dress.
 */
const width = 420;
const fontSize = 12;
const className = 'plot';

/**
 * The page has their style: an element inside would be refused by the policy that forbids inline style.
 * @param words what a screen reader says of it; without them it is hidden, since what is beside it says the same
 */
export function svgOf(options: Plot.PlotOptions, words?: string): string {
  const { document } = parseHTML('<html></html>');
  const svg = Plot.plot({ document, className, width, style: { fontSize: `${fontSize}px` }, ...options });
  svg.querySelector('style')?.remove();
  svg.removeAttribute('style');
  svg.setAttribute('font-size', String(fontSize));
  if (words === undefined) svg.setAttribute('aria-hidden', 'true');
  else {
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', words);
  }
  return svg.outerHTML;
}

/** Latencies of several classes, one row each: how many reads took how long, both axes compressed. */
export function latencyPlot(
  rows: readonly { readonly label: string; readonly color: string; readonly summary: LatencySummary }[],
): string {
  const bars = rows.flatMap(({ label, color, summary }) => {
    const most = Math.max(1, ...summary.log2);
    return summary.log2.flatMap((count, bin) =>
      // By the root of the count: rare ones shall be seen.
      count > 0
        ? [{ label, color, from: 2 ** bin, to: 2 ** (bin + 1), height: Math.sqrt(count / most) }]
        : [],
    );
  });
  const medians = rows.map(({ label, summary }) => ({ label, at: Math.max(1, summary.p50Ns) }));
  const edges = bars.flatMap(({ from, to }) => [from, to]);
  const domain = [Math.min(...edges), Math.max(...edges)];
  return svgOf({
    height: 34 + 46 * rows.length,
    marginLeft: 112,
    marginRight: 12,
    marginTop: 8,
    marginBottom: 24,
    x: { type: 'log', domain, label: null, ticks: decades(domain), tickFormat: timeTick },
    y: { axis: null, domain: [0, 1.05] },
    fy: { label: null, domain: rows.map(({ label }) => label), padding: 0.15 },
    marks: [
      Plot.gridX({ ticks: decades(domain), strokeOpacity: 0.15 }),
      Plot.rect(bars, {
        x1: 'from',
        x2: 'to',
        y1: 0,
        y2: 'height',
        fy: 'label',
        fill: 'color',
        insetRight: 1,
      }),
      Plot.ruleX(medians, {
        x: 'at',
        fy: 'label',
        stroke: 'var(--ink)',
        strokeWidth: 1.5,
        strokeDasharray: '3,2',
      }),
      Plot.ruleY([0], { stroke: 'var(--line-strong)' }),
      Plot.axisFy({ anchor: 'left', label: null, tickSize: 0, fill: 'var(--ink)' }),
    ],
  });
}

/** Powers of ten within a domain; at most six of them. */
export function decades([from = 1, to = 10]: readonly number[]): number[] {
  const first = Math.ceil(Math.log10(from));
  const last = Math.floor(Math.log10(to));
  const step = Math.ceil((last - first + 1) / 6);
  const all: number[] = [];
  for (let power = first; power <= last; power += step) all.push(10 ** power);
  return all;
}

export function timeTick(ns: number): string {
  if (ns >= 1e9) return `${ns / 1e9} s`;
  if (ns >= 1e6) return `${ns / 1e6} ms`;
  return ns >= 1e3 ? `${ns / 1e3} µs` : `${ns} ns`;
}

const maxDrawn = 160;

interface Bar {
  readonly row: string;
  readonly from: number;
  readonly to: number;
  readonly rank: number;
  readonly color: string;
}

/**
 * Staleness, one row for each series: a line for every change, from how long the old state was seen at least
 * to how long at most, sorted. So the lines of a row form the distribution with its own uncertainty. The bound
 * is a dashed line; where it lies far beyond, an arrow points to it.
 */
export function stalenessPlot(
  rows: readonly { readonly label: string; readonly series: StalenessSeries }[],
): string {
  const seen = rows.flatMap(({ series }) => [
    ...series.intervalsMs.map(([, atMost]) => atMost),
    ...(series.neverSeen === undefined ? [] : [series.neverSeen.watchedMs]),
  ]);
  const longest = Math.max(1, ...seen);
  const near = rows.flatMap(({ series: { boundMs = 0 } }) => (boundMs <= 4 * longest ? [boundMs] : []));
  const end = 1.06 * Math.max(longest, ...near);
  const unit = end >= 2000 ? { ms: 1000, name: 's' } : { ms: 1, name: 'ms' };
  // Two rows may have the same words: the number keeps them apart, and is not shown.
  const labelled = rows.map((row, index) => ({ ...row, key: `${index}` }));
  const bars = labelled.flatMap(({ key, series }) => barsOf(key, series, end));
  const bounds = labelled.flatMap(({ key, series: { boundMs } }) =>
    boundMs !== undefined && boundMs <= end ? [{ row: key, at: boundMs }] : [],
  );
  // Beside the label, because beside its own line it would lie on the bars.
  const boundTexts = labelled.flatMap(({ key, series: { boundMs } }) =>
    boundMs === undefined ? [] : [{ row: key, text: boundWords(boundMs, end) }],
  );
  return svgOf({
    height: 44 + 62 * rows.length,
    marginLeft: 12,
    marginRight: 14,
    marginTop: 4,
    marginBottom: 36,
    x: {
      domain: [0, end],
      label: `seen stale for (${unit.name})`,
      labelAnchor: 'right',
      labelArrow: 'none',
      ticks: 5,
      tickFormat: (ms: number) => String(Number((ms / unit.ms).toPrecision(3))),
    },
    // The upper part of a row is its label's.
    y: { axis: null, domain: [0, 1.55] },
    fy: { axis: null, domain: labelled.map(({ key }) => key), padding: 0.12 },
    marks: [
      Plot.gridX({ ticks: 5, strokeOpacity: 0.15 }),
      Plot.ruleY(bars, {
        x1: 'from',
        x2: 'to',
        y: 'rank',
        fy: 'row',
        stroke: 'color',
        strokeWidth: 2.2,
        strokeLinecap: 'round',
      }),
      Plot.ruleX(bounds, {
        x: 'at',
        fy: 'row',
        y1: 0,
        y2: 1.05,
        stroke: 'var(--ink)',
        strokeWidth: 1.5,
        strokeDasharray: '4,3',
      }),
      Plot.text(boundTexts, { fy: 'row', text: 'text', frameAnchor: 'top-right', fill: 'var(--muted)' }),
      Plot.text(labelled, {
        fy: 'key',
        text: ({ label }: { label: string }) => shortened(label),
        frameAnchor: 'top-left',
        fill: 'var(--ink)',
        fontWeight: 600,
      }),
      Plot.ruleY([0], { stroke: 'var(--line-strong)' }),
    ],
  });
}

function boundWords(boundMs: number, end: number): string {
  return boundMs === 0 ? 'fresh at once' : `bound ${duration(boundMs)}${boundMs > end ? ' →' : ''}`;
}

function barsOf(row: string, series: StalenessSeries, end: number): Bar[] {
  const { boundMs } = series;
  const never = Array.from({ length: Math.min(maxDrawn, series.neverSeen?.count ?? 0) }, () => {
    return [series.neverSeen?.watchedMs ?? 0, end] as const;
  });
  const all = [...series.intervalsMs, ...never].sort((a, b) => a[0] + a[1] - (b[0] + b[1]));
  const step = Math.max(1, all.length / maxDrawn);
  const count = Math.ceil(all.length / step);
  const shortest = end / 400;
  return Array.from({ length: count }, (_, index) => {
    const [atLeast, atMost] = all[Math.floor(index * step)] ?? [0, 0];
    const color =
      boundMs === undefined
        ? 'var(--series)'
        : atLeast > boundMs
          ? 'var(--fail-mark)'
          : atMost > boundMs && atLeast > 0
            ? 'var(--unknown-mark)'
            : 'var(--series)';
    return {
      row,
      from: atLeast,
      to: Math.max(atMost, atLeast + shortest),
      rank: (index + 0.5) / count,
      color,
    };
  });
}

/** `0 s`, `15 ms`, `1 s`, `24 h`. */
export function duration(ms: number): string {
  const told = (value: number, unit: string) => `${Number(value.toPrecision(3))} ${unit}`;
  if (ms >= 3_600_000) return told(ms / 3_600_000, 'h');
  if (ms >= 120_000) return told(ms / 60_000, 'min');
  return ms >= 1000 ? told(ms / 1000, 's') : told(ms, 'ms');
}

export function shortened(label: string): string {
  const text = [...printable(label)];
  return text.length > 38 ? `${text.slice(0, 37).join('')}…` : text.join('');
}
