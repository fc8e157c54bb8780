import type { Report, ShareFacts, SideFacts } from '../../model/report.ts';
import { casesOf } from '../answer.ts';
import { printable, printableName } from '../printable.ts';
import { Name, Told } from './told.tsx';

/** What did not apply, by reason: a skip is never silent. */
export function LeftOut({ report }: { report: Report }) {
  const byReason = new Map<string, string[]>();
  for (const [result, each] of casesOf(report, 'skip')) {
    const names = byReason.get(each.verdict.reason) ?? [];
    names.push(`${result.check}/${each.name} (${result.mode})`);
    byReason.set(each.verdict.reason, names);
  }
  if (byReason.size === 0) return null;
  return (
    <section id="left-out" aria-labelledby="left-out-title">
      <h2 id="left-out-title">Left out</h2>
      <dl class="told wide">
        {[...byReason].map(([reason, names]) => (
          <Told label={printable(reason)}>
            {names.slice(0, 12).map(printable).join(', ')}
            {names.length > 12 ? ` and ${names.length - 12} more` : ''}
          </Told>
        ))}
      </dl>
    </section>
  );
}

/** The two sides and the shares between them. */
export function Ground({ report: { environment } }: { report: Report }) {
  const { host, guest, shares } = environment;
  return (
    <section id="ground" aria-labelledby="ground-title">
      <h2 id="ground-title">Sides and shares</h2>
      <dl class="told">
        <Told label="host">{host === undefined ? undefined : sideWords(host)}</Told>
        <Told label="guest">{guest === undefined ? undefined : sideWords(guest)}</Told>
      </dl>
      {shares.length === 0 ? null : (
        <div class="scrolls">
          <table class="rows">
            <thead>
              <tr>
                <th scope="col">mode</th>
                <th scope="col">known from</th>
                <th scope="col">served by</th>
                <th scope="col">in the guest</th>
                <th scope="col">on the host</th>
              </tr>
            </thead>
            <tbody>
              {shares.map((share) => (
                <ShareRow share={share} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** One side in words: its name, its kernel, its user. */
export function sideWords({ name, kernel, arch, uid, pageSize }: SideFacts): string {
  return [
    name,
    ...(kernel === undefined ? [] : [`Linux ${kernel}`]),
    ...(arch === undefined ? [] : [arch]),
    ...(uid === undefined ? [] : [uid === 0 ? 'root' : `uid ${uid}`]),
    ...(pageSize === undefined ? [] : [`pages of ${pageSize} bytes`]),
  ]
    .map(printable)
    .join(' · ');
}

function ShareRow({ share: { mode, how, server, type, tag, guestDir, hostDir } }: { share: ShareFacts }) {
  const served = [server, type, tag === undefined ? undefined : `tag ${tag}`].flatMap((each) => each ?? []);
  return (
    <tr>
      <th scope="row">{printable(mode)}</th>
      <td>{printable(how)}</td>
      <td>{served.map(printable).join(', ')}</td>
      <td>{guestDir === undefined ? '' : <Name>{printableName(guestDir)}</Name>}</td>
      <td>{hostDir === undefined ? '' : <Name>{printableName(hostDir)}</Name>}</td>
    </tr>
  );
}
