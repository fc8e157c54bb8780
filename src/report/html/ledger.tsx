import type { Ledger, LedgerLine } from '../../model/account.ts';
import { groundWords, knownNote, microseconds, percentOf } from '../ledger-text.ts';
import { printable } from '../printable.ts';
import { formatBytes } from '../quantities.ts';
import { sourceColor } from './colors.ts';
import { latencyPlot } from './plots.ts';
import { Figure, ShareBar } from './told.tsx';

/** Whether a value is an account of bytes, wherever in a check's evidence it stands. */
export function isLedger(value: unknown): value is Ledger {
  if (typeof value !== 'object' || value === null) return false;
  const { sentence, lines, latency, readahead } = value as Partial<Record<keyof Ledger, unknown>>;
  return (
    typeof sentence === 'string' &&
    Array.isArray(lines) &&
    typeof latency === 'object' &&
    latency !== null &&
    typeof readahead === 'object'
  );
}

/** Where the bytes of a run came from: bars, latencies, and what both stand on. */
export function LedgerBlock({ ledger }: { ledger: Ledger }) {
  const lines = ledger.lines.filter(({ bytes, source }) => bytes > 0 || source === 'unexplained');
  return (
    <div class="ledger">
      <p class="sentence">{printable(ledger.sentence)}</p>
      <div class="columns">
        <div>
          <table class="bars">
            <caption>Where {formatBytes(ledger.bytes)} came from</caption>
            <tbody>
              {lines.map((line) => (
                <BarRow line={line} whole={ledger.bytes} />
              ))}
            </tbody>
          </table>
          <ul class="ground">
            {groundWords(ledger).map((words) => (
              <li>{printable(words)}</li>
            ))}
          </ul>
        </div>
        <Latency ledger={ledger} />
      </div>
    </div>
  );
}

/** One line of an account: its bar, how it is known, its bytes. */
export function BarRow({ line, whole }: { line: LedgerLine; whole: number }) {
  const note = knownNote(line);
  return (
    <tr>
      <th scope="row">{line.source}</th>
      <td class="bar-cell">
        <ShareBar share={line.bytes / Math.max(1, whole)} color={sourceColor(line.source)} />
        {note === undefined ? null : <p class="note">{printable(note)}</p>}
      </td>
      <td class="number">{formatBytes(line.bytes)}</td>
      <td class="number">{percentOf(line.bytes, whole)}</td>
    </tr>
  );
}

function Latency({ ledger }: { ledger: Ledger }) {
  const rows = ledger.lines.flatMap(({ source }) => {
    const summary = ledger.latency[source];
    return summary === undefined || summary.count === 0
      ? []
      : [{ label: source, color: sourceColor(source), summary }];
  });
  if (rows.length === 0) return null;
  return (
    <div>
      <Figure svg={latencyPlot(rows)}>
        How long reads took, by where they were served from (height: the root of their number; dashed: the
        median)
      </Figure>
      <div class="scrolls">
        <table class="numbers">
          <thead>
            <tr>
              <th scope="col">µs</th>
              <th scope="col">p50</th>
              <th scope="col">p99</th>
              <th scope="col">max</th>
              <th scope="col">reads</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ label, summary }) => (
              <tr>
                <th scope="row">{label}</th>
                <td>{microseconds(summary.p50Ns)}</td>
                <td>{microseconds(summary.p99Ns)}</td>
                <td>{microseconds(summary.maxNs)}</td>
                <td>{summary.count.toLocaleString('en-US')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
