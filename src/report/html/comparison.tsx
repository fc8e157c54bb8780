import type { ComparisonEvidence, TreeEvidence } from '../../model/comparison.ts';
import { rangeWords, voterWords } from '../comparison-text.ts';
import { printable, printableName } from '../printable.ts';
import { count, formatBytes, formatRate } from '../quantities.ts';
import { bothWords, kindWords } from '../tree-text.ts';
import { Name, Told } from './told.tsx';

const maxShown = 100;

/** Two looks at one file: digests, where they differ, who agrees with whom. */
export function ComparisonBlock({ evidence }: { evidence: ComparisonEvidence }) {
  const { path, hostPath, algorithm, guest, host, expected, permitted, layerWords } = evidence;
  const sides = [
    ['guest', guest],
    ['host', host],
  ] as const;
  return (
    <dl class="told">
      <Told label="file">
        <Name>{printableName(path)}</Name> in the guest, <Name>{printableName(hostPath)}</Name> on the host
      </Told>
      {sides.map(([name, side]) =>
        side === undefined ? null : (
          <Told label={name}>
            {algorithm} <Name>{side.digest}</Name> {formatBytes(side.bytes)}
            {rateOf(side.bytes, side.seconds)}
          </Told>
        ),
      )}
      <Told label="expected">
        {expected === undefined ? undefined : (
          <>
            {algorithm} <Name>{expected}</Name>
          </>
        )}
      </Told>
      <Told label="layer">{layerWords === undefined ? undefined : printable(layerWords)}</Told>
      <Told label="differs in">
        {evidence.ranges.length === 0 ? undefined : <Ranges evidence={evidence} />}
      </Told>
      <Told label="looked at again">
        {evidence.votes.length === 0 ? undefined : <Votes evidence={evidence} />}
      </Told>
      <Told label="permitted">
        {permitted === undefined ? undefined : (
          <>
            {printable(permitted.words)}
            <Sources sources={permitted.sources} />
          </>
        )}
      </Told>
      <Disturbed disturbed={evidence.disturbed} />
    </dl>
  );
}

function rateOf(bytes: number, seconds: number): string {
  const rate = formatRate(bytes, seconds);
  return rate === undefined ? '' : `, ${rate}`;
}

/** Where a promise is written down. */
export function Sources({ sources }: { sources: readonly string[] }) {
  if (sources.length === 0) return null;
  return (
    <ul class="sources">
      {sources.map((source) => (
        <li>{printable(source)}</li>
      ))}
    </ul>
  );
}

/** What the measurement itself changed. */
export function Disturbed({ disturbed }: { disturbed: readonly string[] }) {
  return (
    <Told label="measuring changed">
      {disturbed.length === 0 ? undefined : disturbed.map((each) => <div>{printable(each)}</div>)}
    </Told>
  );
}

function Ranges({ evidence: { ranges, rangesTotal, guest, host } }: { evidence: ComparisonEvidence }) {
  const size = Math.max(guest?.bytes ?? 0, host?.bytes ?? 0);
  const shown = ranges.slice(0, maxShown);
  const more = Math.max(rangesTotal, ranges.length) - shown.length;
  return (
    <>
      {count(Math.max(rangesTotal, ranges.length), 'range')}
      <ul class="ranges">
        {shown.map((range) => (
          <li>{rangeWords(range, size)}</li>
        ))}
        {more > 0 ? <li>… and {more.toLocaleString('en-US')} more</li> : null}
      </ul>
    </>
  );
}

function Votes({ evidence: { votes } }: { evidence: ComparisonEvidence }) {
  const groups = [...new Set(votes.flatMap(({ digest }) => digest ?? []))];
  return (
    <table class="votes">
      <tbody>
        {votes.map(({ who, digest, note }) => (
          <tr>
            <th scope="row">{voterWords[who]}</th>
            <td>{digest === undefined ? '–' : String.fromCharCode(65 + groups.indexOf(digest))}</td>
            <td>{digest === undefined ? null : <Name>{printable(digest.slice(0, 12))}</Name>}</td>
            <td>{note === undefined ? null : printable(note)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Two looks at one tree: the names that differ. */
export function TreeBlock({ evidence }: { evidence: TreeEvidence }) {
  const { path, hostPath, entries, bytes, differences, differencesTotal } = evidence;
  const shown = differences.slice(0, maxShown);
  const more = Math.max(differencesTotal, differences.length) - shown.length;
  return (
    <>
      <dl class="told">
        <Told label="tree">
          <Name>{printableName(path)}</Name> in the guest, <Name>{printableName(hostPath)}</Name> on the host:{' '}
          {count(entries, 'name')}, {formatBytes(bytes)}
        </Told>
        <Disturbed disturbed={evidence.disturbed} />
      </dl>
      {shown.length === 0 ? null : (
        <div class="scrolls">
          <table class="rows">
            <thead>
              <tr>
                <th scope="col">what</th>
                <th scope="col">name</th>
                <th scope="col">seen</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((each) => (
                <tr>
                  <td>{kindWords[each.what]}</td>
                  <td>
                    {each.path === '' ? '(the directory itself)' : <Name>{printableName(each.path)}</Name>}
                  </td>
                  <td>{bothWords(each)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {more > 0 ? <p class="note">… and {more.toLocaleString('en-US')} more, in the JSON.</p> : null}
    </>
  );
}
