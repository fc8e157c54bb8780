import type { CaseResult, Report, Result } from '../../model/report.ts';
import { casesIn } from '../answer.ts';
import { printable } from '../printable.ts';
import { count } from '../quantities.ts';
import { Sources } from './comparison.tsx';
import { Mark } from './mark.tsx';
import { Command, ModeName, Name } from './told.tsx';
import { type Look, lookOf, placesOf } from './words.ts';

type Anchors = ReadonlyMap<Result, string>;

interface Finding {
  readonly look: Look;
  /** Absent: results of several checks that never came to a case, all for one reason. */
  readonly check: string | undefined;
  readonly code: string | undefined;
  readonly known: CaseResult['known'];
  readonly where: readonly { readonly result: Result; readonly each: CaseResult }[];
}

/** What needs attention, once for each check and code, however many modes and cases it was met in. */
export function Findings({ report, anchors }: { report: Report; anchors: Anchors }) {
  const findings = findingsOf(report);
  if (findings.length === 0) return null;
  const broken = findings.some(({ look }) => look === 'fail');
  return (
    <section id="findings" aria-labelledby="findings-title">
      <h2 id="findings-title">{broken ? 'What was broken' : 'What needs a look'}</h2>
      <div class="findings">
        {findings.map((finding) => (
          <FindingCard finding={finding} report={report} anchors={anchors} />
        ))}
      </div>
    </section>
  );
}

const order: readonly Look[] = ['fail', 'unknown', 'known'];

function findingsOf({ results, guests }: Report): Finding[] {
  // A guest that did not answer is one thing to look at as well, and told among the guests.
  const silent = new Set(guests?.flatMap(({ guest, trouble }) => (trouble === undefined ? [] : [guest])));
  const found = new Map<string, { finding: Omit<Finding, 'where'>; where: Finding['where'][number][] }>();
  for (const result of results.filter(({ guest }) => guest === undefined || !silent.has(guest)))
    for (const each of casesIn(result)) {
      const look = lookOf(each.verdict, each.known !== undefined);
      if (!order.includes(look)) continue;
      const { code } = each.verdict;
      // A run that was interrupted is one thing to look at, not one for each check.
      const check = each.name === '' && code === 'not-run' ? undefined : result.check;
      const key = JSON.stringify([look, check, code, each.known?.id]);
      const group = found.get(key) ?? {
        finding: { look, check, code, known: each.known },
        where: [],
      };
      group.where.push({ result, each });
      found.set(key, group);
    }
  return [...found.values()]
    .map(({ finding, where }) => ({ ...finding, where }))
    .sort((a, b) => order.indexOf(a.look) - order.indexOf(b.look));
}

function FindingCard({ finding, report, anchors }: { finding: Finding; report: Report; anchors: Anchors }) {
  const { look, check, code, known, where } = finding;
  const [first] = where;
  if (first === undefined) return null;
  const { verdict, rerun } = first.each;
  const words = check === undefined ? undefined : report.checks?.[check];
  const meaning = code === undefined ? undefined : words?.codes[code];
  return (
    <article class={`finding ${look}`}>
      <h3>
        <Mark look={look} />
        <span class="check-name">
          {check === undefined ? count(where.length, 'result') : printable(check)}
        </span>
        {code === undefined ? null : <span class="code">{printable(code)}</span>}
      </h3>
      <p class="meaning">{printable(meaning ?? verdict.reason)}</p>
      {known === undefined ? null : (
        <p class="known-line">
          Known defect <Name>{printable(known.id)}</Name>: {printable(known.title)}
        </p>
      )}
      <dl class="told">
        {verdict.promised === undefined ? null : (
          <div>
            <dt>promised</dt>
            <dd>
              {printable(verdict.promised)}
              <Sources sources={verdict.sources ?? []} />
            </dd>
          </div>
        )}
        {verdict.observed === undefined && meaning === undefined ? null : (
          <div>
            <dt>observed</dt>
            <dd>{printable(verdict.observed ?? verdict.reason)}</dd>
          </div>
        )}
        <div>
          <dt>in</dt>
          <dd>
            {check === undefined ? (
              placesOf(
                where.map(({ result }) => result),
                report.results,
              )
            ) : (
              <Places finding={finding} anchors={anchors} />
            )}
          </dd>
        </div>
        {verdict.next === undefined ? null : (
          <div>
            <dt>next</dt>
            <dd>{printable(verdict.next)}</dd>
          </div>
        )}
        {rerun === undefined ? null : (
          <div>
            <dt>again</dt>
            <dd>
              <Command>{rerun}</Command>
            </dd>
          </div>
        )}
      </dl>
    </article>
  );
}

/** Each mode, of several guests each guest and mode, with its cases; leads to the evidence. */
function Places({ finding: { where }, anchors }: { finding: Finding; anchors: Anchors }) {
  const results = [...new Set(where.map(({ result }) => result))];
  return (
    <ul class="places">
      {results.slice(0, maxPlaces).map((result) => {
        const names = where.flatMap((each) => (each.result === result ? [each.each.name] : []));
        const few = names.slice(0, 4).map(printable).join(', ');
        return (
          <li>
            <a href={`#${anchors.get(result) ?? ''}`}>
              {result.guest === undefined ? null : <>{printable(result.guest)} · </>}
              <ModeName mode={result.mode} />
              <span class="unseen">, evidence of {printable(result.check)}</span>
            </a>{' '}
            {names.length > 4 ? `${few} and ${names.length - 4} more` : few}
          </li>
        );
      })}
      {results.length > maxPlaces ? <li>and {count(results.length - maxPlaces, 'more place')}</li> : null}
    </ul>
  );
}

/** More than one guest has modes. */
const maxPlaces = 30;
