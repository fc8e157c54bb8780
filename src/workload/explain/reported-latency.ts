import type { LatencySummary } from '../../model/account.ts';
import type { ReportedLatency } from '../../model/reported-latency.ts';
import { readOutput } from '../read-output.ts';
import type { SavedDirection, SavedLatency } from '../saved-run.ts';
import { programOf } from './reporting-program.ts';

/** More jobs than this are told by the benchmark itself. */
const mostJobs = 64;

/**
 * How long requests took by a benchmark's own report: completion latencies where it has percentiles of those, else
 * all of the latency. Nothing of what it does not say is made up.
 */
export function latencyIn(output: Uint8Array): ReportedLatency[] {
  const { runs } = readOutput('its output', output);
  return runs
    .flatMap((run) =>
      run.jobs.flatMap(({ name, directions }) =>
        directions.flatMap((direction) =>
          reported(`${name}: ${direction.direction}`, programOf(run), direction),
        ),
      ),
    )
    .slice(0, mostJobs);
}

function reported(name: string, by: string, direction: SavedDirection): ReportedLatency[] {
  const { requests, percentiles, bins, clat, lat, isOfAllLatency = false } = direction;
  // Percentiles of the one beside the mean of the other would be of nothing.
  const spread: SavedLatency | undefined = isOfAllLatency ? (lat ?? clat) : (clat ?? lat);
  if (percentiles.length === 0 && spread === undefined) return [];
  const count = spread?.count?.value ?? requests?.value;
  return [
    {
      name,
      by,
      ...(count === undefined ? {} : { count }),
      ...(spread === undefined
        ? {}
        : { minNs: spread.min.value, meanNs: spread.mean.value, maxNs: spread.max.value }),
      percentiles: percentiles
        .map(([percent, { value }]) => [percent, value] as const)
        .sort(([a], [b]) => a - b),
      ...(bins === undefined ? {} : { log2: byPower(bins) }),
    },
  ];
}

/** fio's bins are much finer than a power of two. */
function byPower(bins: NonNullable<SavedDirection['bins']>): LatencySummary['log2'] {
  const log2: number[] = [];
  for (const [ns, count] of bins) {
    const bin = Math.floor(Math.log2(Math.max(1, ns)));
    while (log2.length <= bin) log2.push(0);
    log2[bin] = (log2[bin] ?? 0) + count;
  }
  return log2;
}
