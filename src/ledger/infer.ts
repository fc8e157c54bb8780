import type { LatencySummary, Source } from '../model/account.ts';
import type { Read } from '../model/read-plan.ts';
import { misfitWords, noTierWords, tierWords } from './book-medium.ts';
import type { Draft } from './draft.ts';
import { Histogram } from './histogram.ts';
import { isMisfit, type Tiers, tierOf } from './latency.ts';
import type { ReadSamples } from './samples.ts';

/** What latencies alone say of a run. */
export interface Inferred {
  /** The classes are those of this run. */
  readonly fits: boolean;
  readonly bytes: ReadonlyMap<Source, number>;
  readonly requests: ReadonlyMap<Source, number>;
  readonly latency: Readonly<Partial<Record<Source, LatencySummary>>>;
}

/** What latencies alone say of each read: the last resort, where no cache and no daemon can be seen. */
export class ByLatency {
  readonly #bytes = new Map<Source, number>();
  readonly #requests = new Map<Source, number>();
  readonly #histograms = new Map<Source, Histogram>();
  readonly #all = new Histogram();
  readonly #transport: 'fuse' | '9p';
  readonly #tiers: Tiers | undefined;

  constructor(transport: 'fuse' | '9p', tiers: Tiers | undefined) {
    this.#transport = transport;
    this.#tiers = tiers;
  }

  add({ bytes, ns }: Read): void {
    if (bytes <= 0) return;
    const source = this.#sourceOf(ns);
    this.#bytes.set(source, (this.#bytes.get(source) ?? 0) + bytes);
    this.#requests.set(source, (this.#requests.get(source) ?? 0) + 1);
    this.#all.add(ns);
    const histogram = this.#histograms.get(source) ?? new Histogram();
    this.#histograms.set(source, histogram);
    histogram.add(ns);
  }

  #sourceOf(ns: number): Source {
    const tier = this.#tiers === undefined ? undefined : tierOf(ns, this.#tiers)?.source;
    if (tier === 'guest-cache') return tier;
    if (tier !== undefined) return `${this.#transport}/${tier}`;
    return ns >= (this.#tiers?.crossedFromNs ?? Number.POSITIVE_INFINITY)
      ? `${this.#transport}/unexplained`
      : 'unexplained';
  }

  /** Once all reads are there. Nothing is inferred from classes that do not fit them. */
  end(): Inferred {
    const sum = (of: ReadonlyMap<Source, number>) =>
      [...of.values()].reduce((total, each) => total + each, 0);
    const inNoClass = (this.#requests.get('unexplained') ?? 0) / Math.max(1, sum(this.#requests));
    const fits = this.#tiers !== undefined && !isMisfit(this.#tiers, inNoClass);
    if (this.#tiers !== undefined && !fits) {
      return {
        fits,
        bytes: new Map([['unexplained', sum(this.#bytes)]]),
        requests: new Map([['unexplained', sum(this.#requests)]]),
        latency: { unexplained: this.#all.summary() },
      };
    }
    return {
      fits,
      bytes: this.#bytes,
      requests: this.#requests,
      latency: Object.fromEntries([...this.#histograms].map(([source, each]) => [source, each.summary()])),
    };
  }
}

/** Whether nothing but latencies is left to go by. */
export function onlyLatency({ before, counters, direct }: ReadSamples): boolean {
  return (
    before.guest === undefined &&
    before.dax !== true &&
    !direct &&
    counters.before.daemon === undefined &&
    counters.before.fuseReads === undefined
  );
}

/** Without the daemon's counters every line is an inference, whatever else it stands on. */
export function inferAll(
  draft: Draft,
  samples: ReadSamples,
  tiers: Tiers | undefined,
  byLatency: Inferred | undefined,
): void {
  for (const path of ['guest-cache', 'dax', 'fuse', '9p'] as const) {
    for (const source of draft.of(path)) {
      draft.infer(source);
      if (!onlyLatency(samples)) {
        if (!source.endsWith('/unexplained'))
          draft.say(source, "from the page caches' states before; the daemon could not be seen");
      } else if (source.endsWith('/unexplained'))
        draft.say(source, "slower than the guest's cache; latencies do not tell memory from disk here");
      else if (tiers !== undefined)
        draft.say(
          source,
          tierWords(
            tiers,
            source === 'guest-cache' ? source : source.endsWith('disk') ? 'disk' : 'host-cache',
          ),
        );
    }
  }
  if (onlyLatency(samples))
    draft.say(
      'unexplained',
      tiers === undefined
        ? samples.plan.order === 'seq'
          ? 'neither the daemon nor a page cache could be seen, and latencies say nothing of reads in order, which kernels read ahead'
          : 'neither the daemon nor a page cache could be seen, and no latencies were calibrated'
        : byLatency?.fits === false
          ? misfitWords
          : noTierWords(tiers),
    );
}
