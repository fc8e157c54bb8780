import { type QuantityName, quantityNames, runQuantities } from './run-quantities.ts';

/**
 * A run of somebody else's program over time, in intervals of one length. Sums say how much in each interval, levels
 * how much there was at its end; null where nobody looked.
 */
export interface Timeline {
  /** Milliseconds from the program's start to the first interval's begin: 0 or less. */
  readonly fromMs: number;
  readonly intervalMs: number;
  /** When the program ended. What comes after it is what it left behind. */
  readonly endMs: number;
  /** Who answers the guest, where that is no daemon: QEMU serves 9p itself. */
  readonly server?: 'qemu';
  /** One value for each interval. What could not be seen is absent. */
  readonly series: Readonly<Partial<Record<QuantityName, readonly (number | null)[]>>>;
  /**
   * How well the two sides' moments fit together: the clock of the guest was bracketed by our own to within `guest`
   * milliseconds either way, and a look at the host lasted twice `host` at most.
   */
  readonly withinMs: { readonly guest: number; readonly host: number };
  /** The longest time between two looks: what happened in it is told as its average. */
  readonly longestGapMs: { readonly guest: number; readonly host: number; readonly queue?: number };
  /** What is left out, and why. */
  readonly unseen: readonly { readonly what: string; readonly why: string }[];
}

/** The intervals that a timeline has. */
export function intervalCount({ series }: Timeline): number {
  return Math.max(0, ...Object.values(series).map((values) => values.length));
}

/** Neighbouring intervals made one, so that at most so many are left. */
export function coarsened(timeline: Timeline, most: number): Timeline {
  const factor = Math.ceil(intervalCount(timeline) / most);
  if (factor <= 1) return timeline;
  const series = quantityNames.flatMap((name) => {
    const values = timeline.series[name];
    return values === undefined ? [] : [[name, merged(values, factor, runQuantities[name].kind)] as const];
  });
  return { ...timeline, intervalMs: timeline.intervalMs * factor, series: Object.fromEntries(series) };
}

function merged(
  values: readonly (number | null)[],
  factor: number,
  kind: 'sum' | 'level',
): readonly (number | null)[] {
  return Array.from({ length: Math.ceil(values.length / factor) }, (_, index) => {
    const seen = values
      .slice(index * factor, (index + 1) * factor)
      .filter((value): value is number => value !== null);
    if (seen.length === 0) return null;
    return kind === 'sum' ? seen.reduce((sum, value) => sum + value, 0) : (seen.at(-1) ?? null);
  });
}

/** Whether anything at all was counted there. */
export function isQuiet(values: readonly (number | null)[] | undefined): boolean {
  return values === undefined || values.every((value) => value === null || value === 0);
}
