import type { ReportedLatency } from '../../model/reported-latency.ts';
import { microseconds } from '../ledger-text.ts';
import { printable, printableName } from '../printable.ts';
import { count } from '../quantities.ts';
import { percentileOf, toldPercentiles } from '../reported-latency-text.ts';
import { reportedLatencyPlot } from './reported-latency-plot.ts';
import { Figure } from './told.tsx';

const mostRows = 12;

/** How long a benchmark's requests took, as it reports it itself: drawn and in numbers. */
export function ReportedLatencyBlock({ latency }: { latency: readonly ReportedLatency[] }) {
  const [first] = latency;
  if (first === undefined) return null;
  const shown = latency.slice(0, mostRows);
  const hasBins = shown.some(({ log2 }) => log2 !== undefined);
  return (
    <div class="latencies">
      <Figure svg={reportedLatencyPlot(shown)}>
        How long requests took, by {printable(first.by)}'s own report (line: from the shortest to the longest;
        ticks: its percentiles; dot: the median{hasBins ? '; height: the root of the number of requests' : ''}
        )
      </Figure>
      <div class="scrolls">
        <table class="numbers">
          <thead>
            <tr>
              <th scope="col">µs</th>
              {['min', ...toldPercentiles.map((percent) => `p${percent}`), 'max', 'requests'].map((word) => (
                <th scope="col">{word}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map(({ name, minNs, maxNs, count: requests, percentiles }) => (
              <tr>
                <th scope="row">{printableName(name)}</th>
                {[minNs, ...toldPercentiles.map((each) => percentileOf(percentiles, each)), maxNs].map(
                  (ns) => (
                    <td>{ns === undefined ? '–' : microseconds(ns)}</td>
                  ),
                )}
                <td>{requests === undefined ? '–' : requests.toLocaleString('en-US')}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {latency.length > mostRows ? (
          <p class="note">… and {count(latency.length - mostRows, 'more job')}, in the JSON.</p>
        ) : null}
      </div>
    </div>
  );
}
