import type { LabelledLatencies, ReadSamples } from './samples.ts';

/** What a class of latencies stands for. */
export type TierSource = LabelledLatencies['source'];

/**
 * Latency classes of this machine in this run. A duration in none of the intervals belongs to no class:
 * where classes overlap nothing is classified.
 */
export interface Tiers {
  /** Fastest first. Durations from `fromNs` (included) to `toNs` are this class's alone; empty for none. */
  readonly classes: readonly Tier[];
  /** Classes that cannot be told, and why. */
  readonly refused: readonly { readonly source: TierSource; readonly why: string }[];
  /** From here on a read has crossed to the daemon, whatever the medium; absent where that cannot be told. */
  readonly crossedFromNs?: number;
}

/** One class. */
export interface Tier {
  readonly source: TierSource;
  readonly fromNs: number;
  readonly toNs: number;
  readonly samples: number;
  /** The share of its reads that would be taken for another class, and for none: never 0, whatever was seen. */
  readonly mistaken: number;
  readonly undecided: number;
}

/** Fewer samples of a class say nothing of its tails. */
const leastSamples = 50;

/** A class is where all but this share of its own samples are, on either side. */
const tail = 0.01;

interface Body {
  readonly source: TierSource;
  readonly ns: readonly number[];
  readonly low: number;
  readonly high: number;
}

/**
 * Classes from calibration reads. Each is where its own body lies: where bodies overlap, everything in the
 * overlap is left undecided, and so is the gap between two that do not touch, since a machine that is busier
 * or idler than at the calibration shifts them. Ground beyond the fastest and the slowest is nobody's, unless
 * they are the guest's cache and the disk: a class that was not calibrated must not be taken for one that was.
 */
export function tiersFrom(calibration: readonly LabelledLatencies[]): Tiers {
  const refused = calibration
    .filter(({ ns }) => ns.length < leastSamples)
    .map(({ source, ns }) => ({
      source,
      why: `${ns.length} calibration reads are fewer than ${leastSamples}`,
    }));
  const bodies = calibration
    .filter(({ ns }) => ns.length >= leastSamples)
    .map(({ source, ns }): Body => {
      const sorted = [...ns].sort((a, b) => a - b);
      return { source, ns: sorted, low: quantile(sorted, tail), high: quantile(sorted, 1 - tail) };
    })
    .sort((a, b) => quantile(a.ns, 0.5) - quantile(b.ns, 0.5));
  const intervals = bodies.map((body, at) => {
    const faster = bodies.slice(0, at).map(({ high }) => high);
    const slower = bodies.slice(at + 1).map(({ low }) => low);
    const fromNs = faster.length === 0 && body.source === 'guest-cache' ? 0 : Math.max(body.low, ...faster);
    const toNs =
      slower.length === 0 && body.source === 'disk' ? Number.MAX_VALUE : Math.min(body.high, ...slower);
    return { source: body.source, fromNs, toNs, body };
  });
  const classes = intervals.map(({ body, ...interval }): Tier => {
    const confusion = confusionOf(body, intervals);
    // What holds next to none of its own class says nothing of what falls into it.
    const toNs = confusion.undecided + confusion.mistaken > 0.5 ? interval.fromNs : interval.toNs;
    return { ...interval, toNs, samples: body.ns.length, ...confusion };
  });
  return {
    classes,
    refused: [
      ...refused,
      ...classes
        .filter(({ fromNs, toNs }) => fromNs >= toNs)
        .map(({ source }) => ({ source, why: 'most of its durations lie within those of another class' })),
    ],
  };
}

/**
 * The classes that a run's latencies may be held against. None for reads in order: both kernels read ahead
 * then, and a byte of the disk comes as fast as one that was there.
 */
export function tiersOf({ calibration, plan, host }: ReadSamples): Tiers | undefined {
  if (calibration === undefined || plan.order !== 'random') return undefined;
  const { classes, refused } = tiersFrom(calibration.classes);
  const crossed = crossedFrom(classes);
  // A disk that was not timed may be as fast as anything that crosses.
  const hasDisk = host.storage === 'tmpfs' || classes.some(({ source }) => source === 'disk');
  const memory = classes.some(({ source }) => source === 'host-cache');
  return {
    classes: hasDisk ? classes : classes.filter(({ source }) => source !== 'host-cache'),
    refused: [
      ...calibration.refused,
      ...refused,
      ...(memory && !hasDisk
        ? [
            {
              source: 'host-cache' as const,
              why: 'without the latency of the disk it cannot be told from it',
            },
          ]
        : []),
    ],
    ...(crossed === undefined ? {} : { crossedFromNs: crossed }),
  };
}

/** Where what crosses to the daemon begins, if the guest's own cache was timed too and lies apart from it. */
function crossedFrom(classes: readonly Tier[]): number | undefined {
  const apart = classes.filter(({ fromNs, toNs }) => fromNs < toNs);
  if (!apart.some(({ source }) => source === 'guest-cache')) return undefined;
  const begins = apart.filter(({ source }) => source !== 'guest-cache').map(({ fromNs }) => fromNs);
  return begins.length === 0 ? undefined : Math.min(...begins);
}

/**
 * The class of a read that is known to have crossed to the daemon: what is faster than the host's memory is
 * still that, since nothing faster lies there.
 */
export function crossedTierOf(ns: number, tiers: Tiers): 'host-cache' | 'disk' | undefined {
  const found = tierOf(ns, tiers)?.source;
  if (found === 'host-cache' || found === 'disk') return found;
  const memory = tiers.classes.find(({ source, fromNs, toNs }) => source === 'host-cache' && fromNs < toNs);
  return memory !== undefined && ns < memory.fromNs ? 'host-cache' : undefined;
}

/** More than calibration lets expect, by this much: the machine was another one then, busier or idler. */
const misfit = 0.1;

/** Whether so large a share of a run's reads lies in no class that the classes are not those of this run. */
export function isMisfit({ classes }: Tiers, inNoClass: number): boolean {
  return inNoClass > Math.max(0, ...classes.map(({ undecided }) => undecided)) + misfit;
}

/** The class of a duration; undefined where classes overlap, or none was calibrated there. */
export function tierOf(ns: number, tiers: Tiers): Tier | undefined {
  return tiers.classes.find(({ fromNs, toNs }) => ns >= fromNs && ns < toNs);
}

/** Estimated with one more than was seen, so that no number of samples makes it 0. */
function confusionOf(
  { source, ns }: Body,
  intervals: readonly Pick<Tier, 'source' | 'fromNs' | 'toNs'>[],
): { readonly mistaken: number; readonly undecided: number } {
  let mistaken = 0;
  let undecided = 0;
  for (const each of ns) {
    const found = intervals.find(({ fromNs, toNs }) => each >= fromNs && each < toNs);
    if (found === undefined) undecided += 1;
    else if (found.source !== source) mistaken += 1;
  }
  return { mistaken: (mistaken + 1) / (ns.length + 2), undecided: (undecided + 1) / (ns.length + 2) };
}

/** @param sorted ascending, not empty. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
