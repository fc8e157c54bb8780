import type { Ledger } from '../../model/account.ts';
import type { Report, Result } from '../../model/report.ts';
import { isStaleness } from '../../model/staleness.ts';
import { percentOf } from '../ledger-text.ts';
import { printable } from '../printable.ts';
import { count } from '../quantities.ts';
import { sourceColor } from './colors.ts';
import { isLedger } from './ledger.tsx';
import { StalenessBlock, type StalenessRow } from './staleness.tsx';
import { ModeName } from './told.tsx';

type Anchors = ReadonlyMap<Result, string>;

/** What was measured, mode beside mode: how stale views were, and where bytes came from. */
export function Measurements({ report, anchors }: { report: Report; anchors: Anchors }) {
  const staleness = stalenessByQuestion(report);
  const ledgers = report.command === 'check' ? ledgersOf(report) : [];
  if (staleness.length === 0 && ledgers.length === 0) return null;
  return (
    <section id="measured" aria-labelledby="measured-title">
      <h2 id="measured-title">Measured</h2>
      {staleness.length === 0 ? null : (
        <>
          <h3>How long the other side's changes were not seen</h3>
          <p class="lead">
            A line for each change, from how long the old state was seen at least to how long at most, sorted.
            One that reaches the right edge was not seen to end. Dashed: the longest that the mode permits.
          </p>
          <Distributions all={staleness.slice(0, maxAtOnce)} />
          {staleness.length <= maxAtOnce ? null : (
            <details class="more">
              <summary>{count(staleness.length - maxAtOnce, 'more distribution')}</summary>
              <Distributions all={staleness.slice(maxAtOnce)} />
            </details>
          )}
        </>
      )}
      {ledgers.length === 0 ? null : (
        <>
          <h3>Where bytes came from</h3>
          <Accounts accounts={ledgers} anchors={anchors} />
        </>
      )}
    </section>
  );
}

const maxRows = 10;
/** Distributions that are open to see; the rest folds out. */
const maxAtOnce = 4;

type Distribution = Readonly<{ title: string; rows: readonly StalenessRow[] }>;

function Distributions({ all }: { all: readonly Distribution[] }) {
  return (
    <div class="columns">
      {all.map(({ title, rows }) => (
        <StalenessBlock title={title} rows={rows} />
      ))}
    </div>
  );
}

/** Series of the same check, case and words, a row for each mode. */
function stalenessByQuestion({ results }: Report): Distribution[] {
  const byTitle = new Map<string, StalenessRow[]>();
  for (const result of results)
    for (const { name, verdict } of result.cases) {
      if (!isStaleness(verdict.evidence)) continue;
      for (const series of verdict.evidence.series) {
        const title = `${result.check} / ${name}: ${series.what}`;
        const rows = byTitle.get(title) ?? [];
        byTitle.set(title, [...rows, { label: result.mode, series }]);
      }
    }
  return [...byTitle].flatMap(([title, rows]) =>
    Array.from({ length: Math.ceil(rows.length / maxRows) }, (_, part) => ({
      title,
      rows: rows.slice(part * maxRows, (part + 1) * maxRows),
    })),
  );
}

interface Account {
  readonly result: Result;
  readonly name: string;
  readonly ledger: Ledger;
}

function ledgersOf({ results }: Report): Account[] {
  return results.flatMap((result) =>
    result.cases.flatMap(({ name, verdict }) =>
      ledgersIn(verdict.evidence).map((ledger) => ({ result, name: `${result.check} / ${name}`, ledger })),
    ),
  );
}

/** Ledgers anywhere in evidence of a check's own shape. */
function ledgersIn(value: unknown, depth = 0): Ledger[] {
  if (isLedger(value)) return [value];
  if (typeof value !== 'object' || value === null || depth > 4) return [];
  return Object.values(value).flatMap((each) => ledgersIn(each, depth + 1));
}

function Accounts({ accounts, anchors }: { accounts: readonly Account[]; anchors: Anchors }) {
  const sources = [
    ...new Set(
      accounts.flatMap(({ ledger }) =>
        ledger.lines.flatMap(({ source, bytes }) => (bytes > 0 ? source : [])),
      ),
    ),
  ];
  const modes = [...new Set(accounts.map(({ result }) => result.mode))];
  const names = [...new Set(accounts.map(({ name }) => name))];
  return (
    <>
      <p class="lead">Each bar is all that one case read. It leads to the case's latencies and counters.</p>
      <ul class="legend" aria-label="Colours of the bars">
        {sources.map((source) => (
          <li>
            <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true" focusable="false">
              <rect width="10" height="10" fill={sourceColor(source)} />
            </svg>
            {source}
          </li>
        ))}
      </ul>
      <div class="scrolls">
        <table class="accounts">
          <thead>
            <tr>
              <th scope="col">case</th>
              {modes.map((mode) => (
                <th scope="col">
                  <ModeName mode={mode} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {names.map((name) => (
              <tr>
                <th scope="row">{printable(name)}</th>
                {modes.map((mode) => (
                  <td>
                    {accounts
                      .filter((each) => each.name === name && each.result.mode === mode)
                      .map(({ ledger, result }) => (
                        <a class="stack" href={`#${anchors.get(result) ?? ''}`}>
                          <span class="stack-mode">
                            <ModeName mode={mode} />
                          </span>
                          <Stack ledger={ledger} />
                        </a>
                      ))}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** All of a run's bytes as one bar, and the same in words. */
function Stack({ ledger }: { ledger: Ledger }) {
  const lines = ledger.lines.filter(({ bytes }) => bytes > 0);
  let at = 0;
  return (
    <>
      <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false">
        <rect class="bar-ground" width="100" height="8" />
        {lines.map(({ source, bytes }) => {
          const from = at;
          at += (100 * bytes) / Math.max(1, ledger.bytes);
          return (
            <rect
              x={from.toFixed(2)}
              width={Math.max(0.4, at - from - 0.3).toFixed(2)}
              height="8"
              fill={sourceColor(source)}
            />
          );
        })}
      </svg>
      <span class="note">
        {lines.map(({ source, bytes }) => `${source} ${shortPercent(bytes / ledger.bytes)}`).join(', ')}
      </span>
    </>
  );
}

function shortPercent(share: number): string {
  return share === 1 ? '100 %' : percentOf(share, 1);
}
