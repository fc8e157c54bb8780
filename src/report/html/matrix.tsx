// biome-ignore-all lint/a11y/noRedundantRoles: on a narrow screen the style turns the table into cards, which takes its elements' own roles away
import { failsAsKnown, type Report, type Result } from '../../model/report.ts';
import { casesIn } from '../answer.ts';
import { printable } from '../printable.ts';
import { count, formatSeconds } from '../quantities.ts';
import { Heading, type Place, wholePage } from './heading.tsx';
import { Mark } from './mark.tsx';
import { ModeName } from './told.tsx';
import { lookMeanings, lookOf, looks, lookWords } from './words.ts';

type Anchors = ReadonlyMap<Result, string>;

/**
 * The table of checks and modes; every cell leads to its evidence, which opens when it is reached. On a
 * narrow screen rows turn into cards. That takes the table's own roles away, so they are given by name.
 */
export function Matrix({
  report,
  anchors,
  place = wholePage,
}: {
  report: Report;
  anchors: Anchors;
  place?: Place;
}) {
  const { results, environment } = report;
  const checks = [...new Set(results.map(({ check }) => check))];
  const modes = [...new Set(results.map(({ mode }) => mode))];
  const cases = results.reduce((sum, result) => sum + casesIn(result).length, 0);
  const id = `${place.prefix}matrix`;
  const total = `${count(checks.length, 'check')}, ${count(modes.length, 'mode')}, ${count(cases, 'case')} in ${formatSeconds(environment.durationMs / 1000)}`;
  return (
    <section id={id} aria-labelledby={`${id}-title`}>
      <Heading level={place.level} id={`${id}-title`}>
        Checks and modes
      </Heading>
      <p class="lead">{total}. Every cell leads to its evidence.</p>
      <section class="matrix-frame" aria-label="The table">
        <table class={modes.length > 8 ? 'matrix dense' : 'matrix'} role="table">
          <thead role="rowgroup">
            <tr role="row">
              <th scope="col" role="columnheader">
                check
              </th>
              {modes.map((mode) => (
                <th scope="col" role="columnheader">
                  <ModeName mode={mode} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody role="rowgroup">
            {checks.map((check) => (
              <tr role="row">
                <th scope="row" role="rowheader">
                  <span class="check-name">{printable(check)}</span>
                  <span class="check-title">{printable(report.checks?.[check]?.title ?? '')}</span>
                </th>
                {modes.map((mode) => (
                  <td role="cell">
                    <Cells
                      results={results.filter((each) => each.check === check && each.mode === mode)}
                      anchors={anchors}
                    />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Legend results={results} />
    </section>
  );
}

/** Usually one; several where bundles of several runs are judged together. */
function Cells({ results, anchors }: { results: readonly Result[]; anchors: Anchors }) {
  if (results.length === 0) return <span class="cell none">–</span>;
  return (
    <>
      {results.map((result) => (
        <Cell result={result} anchor={anchors.get(result) ?? ''} />
      ))}
    </>
  );
}

function Cell({ result, anchor }: { result: Result; anchor: string }) {
  const look = lookOf(result.verdict, failsAsKnown(result));
  const cases = casesIn(result);
  const same = cases.filter(({ verdict }) => verdict.kind === result.verdict.kind).length;
  return (
    <a class={`cell ${look}`} href={`#${anchor}`}>
      <Mark look={look} />
      <span class="cell-mode">
        <ModeName mode={result.mode} />
      </span>
      <span class="cell-word">{lookWords[look]}</span>
      {result.verdict.kind === 'pass' || cases.length < 2 ? null : (
        <span class="cell-count">
          {same}
          <span class="unseen"> of </span>
          <span aria-hidden="true">/</span>
          {cases.length}
        </span>
      )}
      <span class="unseen">
        , {printable(result.check)} in mode {printable(result.mode)}
      </span>
    </a>
  );
}

function Legend({ results }: { results: readonly Result[] }) {
  const seen = new Set(results.map((result) => lookOf(result.verdict, failsAsKnown(result))));
  return (
    <ul class="legend" aria-label="What the marks mean">
      {looks
        .filter((look) => seen.has(look))
        .map((look) => (
          <li>
            <span class={`cell ${look}`}>
              <Mark look={look} />
              {lookWords[look]}
            </span>{' '}
            {lookMeanings[look]}
          </li>
        ))}
    </ul>
  );
}
