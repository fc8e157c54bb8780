import type { Promises } from '../../src/model/check.ts';
import { staleMsMax } from '../../src/model/promise.ts';
import type { StalenessEvidence, StalenessSeries } from '../../src/model/staleness.ts';
import type { Deed, Happened } from './deeds.ts';

/**
 * How long what was went on being seen, for each thing that was watched. The change was made after the last thing
 * that the watcher did before it, and before the watch began: both by the watcher's own clock, so that no other
 * clock counts.
 */
export function windowsOf({ deeds }: Happened, promises: Promises): StalenessEvidence | undefined {
  const series = new Map<string, StalenessSeries>();
  for (const deed of deeds) {
    if (!deed.watched || deed.look === undefined || deed.sightings.length === 0) continue;
    const { by, what = deed.look.of } = deed.look;
    const promise = promises(by);
    const boundMs = promise === undefined ? undefined : staleMsMax(promise);
    const before: StalenessSeries = series.get(what) ?? {
      what,
      ...(boundMs === undefined || boundMs === Number.POSITIVE_INFINITY ? {} : { boundMs }),
      intervalsMs: [],
    };
    series.set(what, withWindow(before, deed, deeds));
  }
  return series.size === 0 ? undefined : { kind: 'staleness', series: [...series.values()] };
}

function withWindow(series: StalenessSeries, deed: Deed, deeds: readonly Deed[]): StalenessSeries {
  const { look, sightings, beginNs } = deed;
  const newest = Object.values(look?.states ?? {}).at(-1);
  const isNew = sightings.map(({ answer }) => look?.shows(answer, () => undefined) === newest);
  const at = isNew.indexOf(true);
  const lastOld = at < 0 ? sightings.at(-1) : sightings[at - 1];
  if (at < 0) {
    const watchedMs = ((lastOld?.lastNs[0] ?? beginNs) - beginNs) / 1e6;
    const before = series.neverSeen ?? { count: 0, watchedMs };
    const never = { count: before.count + 1, watchedMs: rounded(Math.min(before.watchedMs, watchedMs)) };
    return { ...series, neverSeen: never };
  }
  const earlier = deeds.slice(
    0,
    deeds.findIndex(({ turn }) => turn === deed.turn),
  );
  const noted = Math.max(...earlier.filter(({ view }) => view === deed.view).map(({ endNs }) => endNs));
  const atLeast = lastOld === undefined ? 0 : Math.max(0, (lastOld.lastNs[0] - beginNs) / 1e6);
  const atMost = ((sightings[at]?.firstNs[1] ?? beginNs) - noted) / 1e6;
  return { ...series, intervalsMs: [...series.intervalsMs, [rounded(atLeast), rounded(atMost)]] };
}

/** Microseconds are all that is meant. */
function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
