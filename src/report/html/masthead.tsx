import { failsAsKnown, type Report } from '../../model/report.ts';
import { casesIn, changesWords, isOpen, pathsAnswer } from '../answer.ts';
import { statesAnswer } from '../explain-text.ts';
import { fleetAnswer } from '../fleet.ts';
import { printable, printableName } from '../printable.ts';
import { count, formatSeconds } from '../quantities.ts';
import { verdictWord } from '../verdict-text.ts';
import { Mark } from './mark.tsx';
import { type Look, lookOf, looks, placesOf, tallyWords } from './words.ts';

/** The answer, how the cases ended, and what was tested. */
export function Masthead({ report }: { report: Report }) {
  const { environment, verdict } = report;
  const look = verdict.kind;
  const { answer, also } = answerOf(report);
  return (
    <header class={`masthead ${look}`}>
      <p class="kicker">
        <span class="product">vfs-verify</span>
        <span>{environment.lab === undefined ? 'report' : `lab ${printable(environment.lab)}`}</span>
        <time datetime={printable(environment.startedAt)}>{dateWords(environment.startedAt)}</time>
      </p>
      <div class="answer">
        <span class="seal">
          <Mark look={look} />
        </span>
        <div>
          <h1>
            <span class="unseen">{verdictWords[verdict.kind]}: </span>
            {answer}
          </h1>
          {also.map((each) => (
            <p class="also">{each}</p>
          ))}
        </div>
      </div>
      {report.command === 'check' ? <Tally report={report} /> : null}
      <Facts report={report} />
    </header>
  );
}

const verdictWords: Readonly<Record<Report['verdict']['kind'], string>> = {
  pass: 'passed',
  fail: 'failed',
  unknown: 'could not tell',
};

/** The report's answer in a few words: the page's headline and title. */
export function headlineOf(report: Report): string {
  return answerOf(report).answer;
}

function answerOf(report: Report): { answer: string; also: string[] } {
  const { results, verdict, baseline } = report;
  const [first] = results;
  const compared = baseline === undefined ? [] : [capitalized(changesWords(baseline.changes))];
  if (report.guests !== undefined) return { answer: fleetAnswer(report, report.guests), also: compared };
  if (report.command !== 'check') {
    if (report.command === 'explain' && results.length > 1)
      return { answer: statesAnswer(results), also: [] };
    if (results.length !== 1 || first === undefined) return { answer: pathsAnswer(report), also: [] };
    if (report.command !== 'md5') return { answer: printable(first.verdict.reason), also: [] };
    const name = printableName(first.path ?? first.check);
    return { answer: `${verdictWord(first.verdict.kind)}: ${name}`, also: [printable(first.verdict.reason)] };
  }
  const known = results.filter(failsAsKnown);
  const broken = results.filter((result) => result.verdict.kind === 'fail' && !failsAsKnown(result));
  const open = results.filter(isOpen);
  const stale = results.filter((result) => result.verdict.stale === true);
  const parts: [string, string][] = [
    ...(broken.length > 0
      ? [[`${count(broken.length, 'promise')} broken`, placesOf(broken, results)] as [string, string]]
      : []),
    ...(open.length > 0
      ? [[`${count(open.length, 'result')} could not be told`, placesOf(open, results)] as [string, string]]
      : []),
    ...(known.length > 0
      ? [[`${count(known.length, 'known defect')} seen again`, placesOf(known, results)] as [string, string]]
      : []),
  ];
  const [worst, ...others] = parts;
  if (worst === undefined || (broken.length === 0 && open.length === 0)) {
    const answer =
      verdict.kind === 'unknown'
        ? 'Nothing that was asked for applies here'
        : worst === undefined
          ? 'Every promise was kept'
          : 'Nothing new is broken';
    const seen =
      stale.length > 0
        ? [`Staleness that the mode permits was seen in ${count(stale.length, 'result')}`]
        : [];
    return { answer, also: [...parts.map((part) => part.join(': ')), ...seen, ...compared] };
  }
  return {
    answer: worst[0],
    also: [worst[1], ...others.map((part) => part.join(': ')), ...compared],
  };
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `22 November 2026, 19:44 UTC`; what is no date stays as it is. */
export function dateWords(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return printable(iso);
  const words = new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  }).format(date);
  return `${words.replace(' at ', ', ')} UTC`;
}

/** How many cases ended how: a bar in proportion, and the numbers. */
function Tally({ report }: { report: Report }) {
  const counts = new Map<Look, number>();
  for (const result of report.results)
    for (const { verdict, known } of casesIn(result)) {
      const look = lookOf(verdict, known !== undefined);
      counts.set(look, (counts.get(look) ?? 0) + 1);
    }
  const shown = looks.flatMap((look) =>
    (counts.get(look) ?? 0) > 0 ? [{ look, number: counts.get(look) ?? 0 }] : [],
  );
  const all = shown.reduce((sum, { number }) => sum + number, 0);
  let at = 0;
  return (
    <div class="tally">
      <svg
        class="proportion"
        viewBox="0 0 1000 10"
        preserveAspectRatio="none"
        aria-hidden="true"
        focusable="false"
      >
        {shown.map(({ look, number }) => {
          const from = at;
          at += (1000 * number) / Math.max(1, all);
          return (
            <rect
              class={look}
              x={from.toFixed(1)}
              width={Math.max(2, at - from - 2).toFixed(1)}
              height="10"
            />
          );
        })}
      </svg>
      <ul>
        <li>
          <strong>{all.toLocaleString('en-US')}</strong> {all === 1 ? 'case' : 'cases'}:
        </li>
        {shown.map(({ look, number }) => (
          <li class={look}>
            <Mark look={look} /> <strong>{number.toLocaleString('en-US')}</strong> {tallyWords[look]}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Who was tested by whom: the facts that a bug report needs. */
function Facts({ report: { environment, tool } }: { report: Report }) {
  const { versions, guest, host, seed, durationMs } = environment;
  const facts: [string, string][] = [
    ...Object.entries(versions).map(([name, version]): [string, string] => [
      printable(name.replace(/^(guest|host)-kernel$/, '$1 kernel')),
      printable(version),
    ]),
    ...(versions['guest-kernel'] === undefined && guest?.kernel !== undefined
      ? ([['guest kernel', printable(guest.kernel)]] as [string, string][])
      : []),
    ...(versions['host-kernel'] === undefined && host?.kernel !== undefined
      ? ([['host kernel', printable(host.kernel)]] as [string, string][])
      : []),
    ['vfs-verify', printable(tool.version)],
    ['seed', seed.toString(16)],
    ['took', formatSeconds(durationMs / 1000)],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
