import * as Plot from '@observablehq/plot';
import { type QuantityName, runQuantities } from '../../model/run-quantities.ts';
import { intervalCount, type Timeline } from '../../model/timeline.ts';
import { isCache, type Panel } from '../timeline-words.ts';
import { svgOf } from './plots.ts';

/** How a quantity is drawn: its colour, and a dash where another has the same. */
export interface LineLook {
  readonly color: string;
  readonly dash?: string;
  /** Filled to the ground, so that what is smaller lies before it. */
  readonly isArea?: true;
}

const guest = 'var(--guest-cache)';
const host = 'var(--host-cache)';
const disk = 'var(--disk)';

export const lineLooks: Readonly<Record<QuantityName, LineLook>> = {
  askedReadBytes: { color: guest, isArea: true },
  askedReads: { color: guest },
  askedWrittenBytes: { color: guest, isArea: true },
  askedWrites: { color: guest, dash: '5,3' },
  crossedReadBytes: { color: host, isArea: true },
  crossedWrittenBytes: { color: host, isArea: true },
  crossedMessages: { color: host },
  serverDiskReadBytes: { color: disk, isArea: true },
  vmmDiskReadBytes: { color: disk, dash: '2,3' },
  deviceReadBytes: { color: disk },
  deviceReads: { color: disk },
  deviceWrittenBytes: { color: disk, isArea: true },
  deviceWrites: { color: disk, dash: '5,3' },
  deviceFlushes: { color: 'var(--unexplained)', dash: '2,3' },
  guestCachedBytes: { color: guest },
  guestDirtyBytes: { color: guest },
  guestWritebackBytes: { color: guest, dash: '5,3' },
  hostCachedBytes: { color: host },
  hostDirtyBytes: { color: host },
  hostWritebackBytes: { color: host, dash: '5,3' },
};

/** What the numbers of a panel's axis are in. */
export interface PanelUnit {
  readonly words: string;
  /** What a value of one interval is divided by. */
  readonly per: number;
}

/** The unit that makes the largest value of a panel a number below 1,024. */
export function unitOf({ kind, unit, lines }: Panel, { series, intervalMs }: Timeline): PanelUnit {
  const seconds = kind === 'sum' ? intervalMs / 1000 : 1;
  const each = kind === 'sum' ? '/s' : '';
  if (unit === 'count') return { words: 'each second', per: seconds };
  const most = Math.max(0, ...lines.flatMap(({ name }) => (series[name] ?? []).map((value) => value ?? 0)));
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(
    names.length - 1,
    Math.floor(Math.log(Math.max(1, most / seconds)) / Math.log(1024)),
  );
  return { words: `${names[power]}${each}`, per: seconds * 1024 ** power };
}

const bodyHeight = 74;
const axisHeight = 38;

/**
 * One panel of a timeline. All panels have the same time axis, which the last one shows.
 * @param words what a screen reader says instead of it
 */
export function panelPlot(
  panel: Panel,
  timeline: Timeline,
  { isLast, words }: { readonly isLast: boolean; readonly words: string },
): string {
  const { fromMs, intervalMs, endMs } = timeline;
  const { per } = unitOf(panel, timeline);
  const until = (fromMs + intervalMs * intervalCount(timeline)) / 1000;
  const lines = panel.lines.map(({ name }) => ({ name, points: pointsOf(name, timeline, per) }));
  const values = lines.flatMap(({ points }) => points.flatMap(({ y }) => (Number.isNaN(y) ? [] : [y])));
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const floor = panel.lines.every(({ name }) => isCache(name)) ? least : 0;
  const top = most > floor ? most : floor + 1;
  const curve = panel.kind === 'sum' ? 'step-after' : 'linear';
  return svgOf(
    {
      height: bodyHeight + (isLast ? axisHeight : 8),
      marginLeft: 46,
      marginRight: 12,
      marginTop: 6,
      marginBottom: isLast ? axisHeight - 2 : 6,
      x: {
        domain: [fromMs / 1000, until],
        ...(isLast
          ? { label: "seconds since the program's start", labelAnchor: 'right', labelArrow: 'none' }
          : { axis: null }),
        ticks: 6,
      },
      y: { domain: [floor, floor + (top - floor) * 1.06], ticks: 3, tickSize: 3, label: null, nice: false },
      marks: [
        Plot.gridX({ ticks: 6, strokeOpacity: 0.15 }),
        Plot.gridY({ ticks: 3, strokeOpacity: 0.15 }),
        ...lines.flatMap(({ name, points }) => {
          const { color, dash, isArea } = lineLooks[name];
          return [
            ...(isArea === true
              ? [Plot.areaY(points, { x: 'x', y1: floor, y2: 'y', curve, fill: color, fillOpacity: 0.85 })]
              : []),
            Plot.lineY(points, {
              x: 'x',
              y: 'y',
              curve,
              stroke: color,
              strokeWidth: 1.4,
              ...(dash === undefined ? {} : { strokeDasharray: dash }),
            }),
          ];
        }),
        Plot.ruleX([endMs / 1000], { stroke: 'var(--ink)', strokeDasharray: '4,3' }),
        Plot.ruleY([floor], { stroke: 'var(--line-strong)' }),
      ],
    },
    words,
  );
}

interface Point {
  readonly x: number;
  /** Not a number where nobody looked: the line has a gap there. */
  readonly y: number;
}

/** Sums stand over their whole interval, levels at its end. */
function pointsOf(name: QuantityName, { series, fromMs, intervalMs }: Timeline, per: number): Point[] {
  const values = series[name] ?? [];
  const isSum = runQuantities[name].kind === 'sum';
  const at = (index: number) => (fromMs + index * intervalMs) / 1000;
  const points = values.map((value, index) => ({
    x: at(isSum ? index : index + 1),
    y: value === null ? Number.NaN : value / per,
  }));
  const last = points.at(-1);
  // The last step would have no width.
  return isSum && last !== undefined ? [...points, { x: at(values.length), y: last.y }] : points;
}
