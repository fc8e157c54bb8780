import type { StalenessSeries } from '../../model/staleness.ts';
import { printable } from '../printable.ts';
import { duration, stalenessPlot } from './plots.ts';
import { Figure } from './told.tsx';

/** A series with the words of its row. */
export interface StalenessRow {
  readonly label: string;
  readonly series: StalenessSeries;
}

/** How long changes were not seen: the distributions against their bounds, drawn and in numbers. */
export function StalenessBlock({ rows, title }: { rows: readonly StalenessRow[]; title: string }) {
  return (
    <div class="staleness">
      <Figure svg={stalenessPlot(rows)}>{printable(title)}</Figure>
      <details class="in-numbers">
        <summary>
          in numbers<span class="unseen">: {printable(title)}</span>
        </summary>
        <div class="scrolls">
          <table class="numbers">
            <thead>
              <tr>
                <th scope="col">watched</th>
                <th scope="col">changes</th>
                <th scope="col">seen stale</th>
                <th scope="col">median</th>
                <th scope="col">longest</th>
                <th scope="col">bound</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ label, series }) => (
                <tr>
                  <th scope="row">{printable(label)}</th>
                  <Numbers series={series} />
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </div>
  );
}

function Numbers({ series }: { series: StalenessSeries }) {
  const { intervalsMs, boundMs, neverSeen } = series;
  const stale = intervalsMs.filter(([atLeast]) => atLeast > 0).length + (neverSeen?.count ?? 0);
  const sorted = [...intervalsMs].sort((a, b) => a[0] + a[1] - (b[0] + b[1]));
  const longest = sorted.reduce<readonly [number, number]>(
    (most, each) => (each[0] > most[0] || (each[0] === most[0] && each[1] > most[1]) ? each : most),
    [0, 0],
  );
  const median = sorted[Math.floor((sorted.length - 1) / 2)];
  const never =
    neverSeen === undefined || neverSeen.count === 0
      ? undefined
      : `${neverSeen.count} not seen in ${duration(neverSeen.watchedMs)}`;
  return (
    <>
      <td>{intervalsMs.length + (neverSeen?.count ?? 0)}</td>
      <td>{stale}</td>
      <td>{median === undefined ? '–' : between(median)}</td>
      <td>{never ?? (sorted.length === 0 ? '–' : between(longest))}</td>
      <td>{boundMs === undefined ? 'none' : boundMs === 0 ? 'fresh' : duration(boundMs)}</td>
    </>
  );
}

function between([atLeast, atMost]: readonly [number, number]): string {
  const [low, high] = [duration(atLeast), duration(atMost)];
  if (low === high) return low;
  // The unit once, where both have the same.
  const [number = '', unit] = low.split(' ');
  return `${high.endsWith(` ${unit}`) ? number : low}–${high}`;
}
