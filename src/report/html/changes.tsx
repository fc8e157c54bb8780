import type { Baseline, Change, Report } from '../../model/report.ts';
import { changesWords } from '../answer.ts';
import { changedBoth, onlyInOne } from '../changes-text.ts';
import { printable } from '../printable.ts';
import { count } from '../quantities.ts';
import { Mark } from './mark.tsx';
import { dateWords } from './masthead.tsx';
import { ModeName, Name, Told } from './told.tsx';
import { lookOf, lookWords } from './words.ts';

const changeWords: Readonly<Record<Change['what'], string>> = {
  worse: '▼ worse',
  better: '▲ better',
  other: '● other',
  new: '+ new',
  gone: '− gone',
};

/** What is another than in an earlier run. */
export function Changes({ report }: { report: Report }) {
  const { baseline } = report;
  if (baseline === undefined) return null;
  const changes = changedBoth(baseline.changes);
  const only = onlyInOne(baseline.changes);
  const several = report.guests !== undefined;
  return (
    <section id="changes" aria-labelledby="changes-title">
      <h2 id="changes-title">Compared with the earlier run</h2>
      <p class="lead">
        {capitalized(changesWords(baseline.changes))}; {count(baseline.unchanged, 'case')} ended as before.
        The earlier run is <Name>{printable(baseline.file)}</Name> of {dateWords(baseline.startedAt)}.
      </p>
      <VersionChanges baseline={baseline} report={report} />
      {only.length === 0 ? null : (
        <dl class="told">
          {only.map(({ what, words }) => (
            <Told label={changeWords[what]}>{words}</Told>
          ))}
        </dl>
      )}
      {changes.length === 0 ? null : (
        <div class="scrolls">
          <table class="rows changes">
            <caption>Cases that ended otherwise</caption>
            <thead>
              <tr>
                <th scope="col">change</th>
                {several ? <th scope="col">guest</th> : null}
                <th scope="col">case</th>
                <th scope="col">mode</th>
                <th scope="col">before</th>
                <th scope="col">now</th>
              </tr>
            </thead>
            <tbody>
              {changes.map((change) => (
                <tr>
                  <td class={`change ${change.what}`}>{changeWords[change.what]}</td>
                  {several ? <td>{printable(change.guest ?? '')}</td> : null}
                  <th scope="row">
                    {printable(change.check)}
                    {change.case === '' ? '' : ` / ${printable(change.case)}`}
                  </th>
                  <td>
                    <ModeName mode={change.mode} />
                  </td>
                  <td>
                    <Ended verdict={change.before} />
                  </td>
                  <td>
                    <Ended verdict={change.after} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function Ended({ verdict }: { verdict: Change['before'] }) {
  if (verdict === undefined) return <span class="note">not run</span>;
  const look = lookOf({ kind: verdict.kind });
  return (
    <span class="ended">
      <Mark look={look} />
      {lookWords[look]}
      {verdict.code === undefined ? '' : ` (${printable(verdict.code)})`}
    </span>
  );
}

/** Which programs are others than before: the first suspects. */
function VersionChanges({ baseline, report }: { baseline: Baseline; report: Report }) {
  const now: Record<string, string> = { ...report.environment.versions, 'vfs-verify': report.tool.version };
  const names = [...new Set([...Object.keys(baseline.versions), ...Object.keys(now)])];
  const others = names.filter((name) => baseline.versions[name] !== now[name]);
  if (others.length === 0) return <p class="note">All program versions are the same.</p>;
  return (
    <table class="rows">
      <caption>Programs of another version</caption>
      <thead>
        <tr>
          <th scope="col">program</th>
          <th scope="col">before</th>
          <th scope="col">now</th>
        </tr>
      </thead>
      <tbody>
        {others.map((name) => (
          <tr>
            <th scope="row">{printable(name)}</th>
            <td>{printable(baseline.versions[name] ?? '–')}</td>
            <td>{printable(now[name] ?? '–')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
