import type { GuestRow, Report, Result } from '../../model/report.ts';
import { guestCounts, guestReasons, guestWord, reportOfGuest, worstFirst } from '../fleet.ts';
import { printable } from '../printable.ts';
import { count, formatSeconds } from '../quantities.ts';
import { sideWords } from './ground.tsx';
import type { Place } from './heading.tsx';
import { Mark } from './mark.tsx';
import { Matrix } from './matrix.tsx';
import { Results } from './results.tsx';
import { Told } from './told.tsx';
import { guestAnchorsOf } from './words.ts';

type Anchors = ReadonlyMap<Result, string>;

/** A row for each guest of several, what is not well first; each leads to the guest's own part of the page. */
export function Guests({ report, guests }: { report: Report; guests: readonly GuestRow[] }) {
  const anchors = guestAnchorsOf(report);
  return (
    <section id="guests" aria-labelledby="guests-title">
      <h2 id="guests-title">{count(guests.length, 'guest')}</h2>
      <p class="lead">Every name leads to what that guest was asked and what came of it.</p>
      <div class="scrolls">
        <table class="rows guests">
          <thead>
            <tr>
              <th scope="col">guest</th>
              <th scope="col">result</th>
              <th scope="col">time</th>
              <th scope="col">why</th>
            </tr>
          </thead>
          <tbody>
            {worstFirst(guests).map((row) => (
              <tr>
                <th scope="row">
                  <a href={`#${anchors.get(row) ?? ''}`}>{printable(row.guest)}</a>
                </th>
                <td>
                  <span class={`cell ${row.verdict.kind}`}>
                    <Mark look={row.verdict.kind} />
                    {guestWord(report, row)}
                  </span>
                </td>
                <td>{formatSeconds(row.durationMs / 1000)}</td>
                <td>
                  {guestCounts(row)}
                  {guestReasons(report, row).map((reason) => (
                    <p class="note">{reason}</p>
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** Each guest's matrix and evidence, closed: a link to anything inside opens it. */
export function GuestByGuest({
  report,
  guests,
  anchors,
}: {
  report: Report;
  guests: readonly GuestRow[];
  anchors: Anchors;
}) {
  const guestAnchors = guestAnchorsOf(report);
  return (
    <section id="guest-by-guest" aria-labelledby="guest-by-guest-title">
      <h2 id="guest-by-guest-title">Guest by guest</h2>
      {worstFirst(guests).map((row) => (
        <GuestDetails report={report} row={row} anchor={guestAnchors.get(row) ?? ''} anchors={anchors} />
      ))}
    </section>
  );
}

function GuestDetails({
  report,
  row,
  anchor,
  anchors,
}: {
  report: Report;
  row: GuestRow;
  anchor: string;
  anchors: Anchors;
}) {
  const { verdict, side, trouble } = row;
  const own = reportOfGuest(report, row);
  const place: Place = { prefix: `${anchor}-`, level: 3 };
  return (
    <details class={`result guest ${verdict.kind}`}>
      <summary>
        <Mark look={verdict.kind} />
        <span class="result-mode">{printable(row.guest)}</span>
        <span class="result-word">{guestWord(report, row)}</span>
        <span class="result-reason">{guestCounts(row)}</span>
        <span class="result-time">{formatSeconds(row.durationMs / 1000)}</span>
      </summary>
      <div class="result-body" id={anchor} tabindex={-1}>
        <dl class="told">
          <Told label="guest">{side === undefined ? undefined : sideWords(side)}</Told>
          <Told label="why">{trouble === undefined ? undefined : printable(trouble.reason)}</Told>
          <Told label="next">{trouble === undefined ? undefined : printable(trouble.next)}</Told>
        </dl>
        {trouble !== undefined ? null : (
          <>
            {report.command === 'check' ? <Matrix report={own} anchors={anchors} place={place} /> : null}
            <Results report={own} anchors={anchors} place={place} />
          </>
        )}
        <p class="back">
          <a href="#guests">
            ↑ back to the guests<span class="unseen"> from {printable(row.guest)}</span>
          </a>
        </p>
      </div>
    </details>
  );
}
