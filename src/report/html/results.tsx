import { type CaseResult, failsAsKnown, type Report, type Result } from '../../model/report.ts';
import { casesIn } from '../answer.ts';
import { printable, printableName } from '../printable.ts';
import { count, formatSeconds } from '../quantities.ts';
import { verdictWord } from '../verdict-text.ts';
import { CaseBody, CaseDetails } from './case.tsx';
import { Heading, type Place, wholePage } from './heading.tsx';
import { Mark } from './mark.tsx';
import { ModeName } from './told.tsx';
import { type Look, lookOf, looks, lookWords } from './words.ts';

type Anchors = ReadonlyMap<Result, string>;

/** The evidence of every cell, check by check; what needs attention is open. */
export function Results({
  report,
  anchors,
  place = wholePage,
}: {
  report: Report;
  anchors: Anchors;
  place?: Place;
}) {
  const checks = [...new Set(report.results.map(({ check }) => check))];
  const id = `${place.prefix}evidence`;
  return (
    <section id={id} aria-labelledby={`${id}-title`}>
      <Heading level={place.level} id={`${id}-title`}>
        Evidence
      </Heading>
      {checks.map((check) => (
        <section class="check">
          <Heading level={place.level === 2 ? 3 : 4}>
            <span class="check-name">{printable(check)}</span>
            <span class="check-title">{printable(report.checks?.[check]?.title ?? '')}</span>
          </Heading>
          {report.results
            .filter((result) => result.check === check)
            .map((result) => (
              <ResultDetails
                result={result}
                report={report}
                anchor={anchors.get(result) ?? ''}
                matrix={`${place.prefix}matrix`}
              />
            ))}
        </section>
      ))}
    </section>
  );
}

/**
 * One cell. Its address is that of an element inside what is closed: a browser that is sent there opens it.
 */
function ResultDetails({
  result,
  report,
  anchor,
  matrix,
}: {
  result: Result;
  report: Report;
  anchor: string;
  matrix: string;
}) {
  const look = lookOf(result.verdict, failsAsKnown(result));
  const cases = worstFirst(casesIn(result));
  const [only] = cases;
  const words = report.checks?.[result.check];
  const isCheck = report.command === 'check';
  return (
    <details class={`result ${look}`} open={!isCheck || look === 'fail' || look === 'unknown'}>
      <summary>
        <Mark look={look} />
        <span class="result-mode">
          {result.path === undefined ? <ModeName mode={result.mode} /> : printableName(result.path)}
        </span>
        <span class="result-word">{wordOf(report.command, result, look)}</span>
        <span class="result-reason">{printable(result.verdict.reason)}</span>
        <span class="result-time">
          {cases.length > 1 ? `${count(cases.length, 'case')}, ` : ''}
          {formatSeconds(result.durationMs / 1000)}
        </span>
      </summary>
      <div class="result-body" id={anchor} tabindex={-1}>
        {cases.length === 1 && only !== undefined ? (
          <>
            {only.name === '' ? null : <p class="only-case">case {printable(only.name)}</p>}
            <CaseBody result={result} each={only} words={words} />
          </>
        ) : (
          cases.map((each) => <CaseDetails result={result} each={each} words={words} />)
        )}
        {isCheck ? (
          <p class="back">
            <a href={`#${matrix}`}>
              ↑ back to the matrix
              <span class="unseen">
                {' '}
                from {printable(result.check)} in mode {printable(result.mode)}
              </span>
            </a>
          </p>
        ) : null}
      </div>
    </details>
  );
}

/** What needs attention first, the rest as planned. */
function worstFirst(cases: readonly CaseResult[]): CaseResult[] {
  const rank = ({ verdict, known }: CaseResult) => looks.indexOf(lookOf(verdict, known !== undefined));
  const needsLook = (each: CaseResult) => rank(each) <= looks.indexOf('unknown');
  return [
    ...cases.filter(needsLook).sort((a, b) => rank(a) - rank(b)),
    ...cases.filter((each) => !needsLook(each)),
  ];
}

/** Of a path it is said what was found; of a cell, whether a promise was kept. */
function wordOf(command: Report['command'], { verdict }: Result, look: Look): string {
  if (command === 'check') return lookWords[look];
  if (command === 'md5') return verdictWord(verdict.kind);
  return verdict.kind === 'pass' ? 'done' : verdictWord(verdict.kind);
}
