import type { Interval, Known, LedgerLine, Medium, Path, Source } from '../model/account.ts';

/** One part of a whole that is only bounded. */
export interface Part {
  readonly source: Source;
  readonly estimate: number;
  readonly bounds: Interval;
  readonly because: string;
  readonly requests?: number;
  /** The estimate leans on something that was not counted, however narrow its bounds are. */
  readonly inferred?: boolean;
}

/** An interval this narrow, as a share of the whole, is as good as a number. */
const narrow = 0.005;

/**
 * The lines of an account from parts that are bounded: estimates that add up to the whole, each with its interval.
 * @param inferred the estimates lean on something that was not counted.
 */
export function linesOf(whole: number, parts: readonly Part[], inferred: boolean): LedgerLine[] {
  return parts
    .map((part): LedgerLine => {
      const { source, estimate, because } = part;
      const bounds = [Math.max(0, Math.round(part.bounds[0])), Math.round(Math.max(...part.bounds))] as const;
      const known: Known =
        part.inferred === true
          ? 'inferred'
          : isNarrow(bounds, whole)
            ? 'proved'
            : inferred
              ? 'inferred'
              : 'bounded';
      const [path, medium] = source.split('/') as [Path, Medium | undefined];
      return {
        source,
        path,
        ...(medium === undefined ? {} : { medium }),
        bytes: Math.max(0, Math.round(estimate)),
        requests: Math.max(0, Math.round(part.requests ?? 0)),
        known,
        ...(bounds[0] === bounds[1] || !Number.isFinite(bounds[1]) ? {} : { interval: bounds }),
        because,
      };
    })
    .filter(({ bytes, interval }) => bytes > 0 || (interval?.[1] ?? 0) > narrow * whole)
    .sort((a, b) => b.bytes - a.bytes);
}

/** A number held within an interval. */
export function clamp(value: number, [low, high]: Interval): number {
  return Math.min(Math.max(value, low), high);
}

/** Whether an interval is as good as a number beside the whole. */
export function isNarrow([low, high]: Interval, whole: number): boolean {
  return high - low <= narrow * whole;
}
