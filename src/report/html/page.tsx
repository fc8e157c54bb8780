import { createHash } from 'node:crypto';
import { raw } from 'hono/html';
import type { Report } from '../../model/report.ts';
import { Changes } from './changes.tsx';
import { Findings } from './findings.tsx';
import { Ground, LeftOut } from './ground.tsx';
import { GuestByGuest, Guests } from './guests.tsx';
import { MarkShapes } from './mark.tsx';
import { headlineOf, Masthead } from './masthead.tsx';
import { Matrix } from './matrix.tsx';
import { Measurements } from './measurements.tsx';
import { Results } from './results.tsx';
import { style } from './style.ts';
import { anchorsOf } from './words.ts';

/**
 * A report as one self-contained HTML file: no script, nothing fetched, and a policy that would refuse both.
 * What opens and closes are the browser's own elements; a link to something closed opens it.
 */
export function renderHtml(report: Report): string {
  return `<!doctype html>\n${visible(String(<Page report={report} />))}\n`;
}

/**
 * The last line of defence: each part prints names so that every character is seen, and what any of them
 * forgot is still no character that reorders text, hides, or is no text at all.
 */
function visible(html: string): string {
  return html.replaceAll(
    /(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Noncharacter_Code_Point}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

const policy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

function Page({ report }: { report: Report }) {
  const anchors = anchorsOf(report);
  const isCheck = report.command === 'check';
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content={policy} />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>{`${headlineOf(report)} · vfs-verify`}</title>
        {/* Else a browser asks the server of the file for its icon. */}
        <link rel="icon" href="data:," />
        <style>{raw(style)}</style>
      </head>
      <body>
        <a class="skip-link" href="#main">
          Skip to the results
        </a>
        <MarkShapes />
        <Masthead report={report} />
        <Contents report={report} />
        <main id="main" tabindex={-1}>
          {report.guests === undefined ? null : <Guests report={report} guests={report.guests} />}
          {isCheck ? <Findings report={report} anchors={anchors} /> : null}
          <Changes report={report} />
          {report.guests === undefined ? (
            <>
              {isCheck ? <Matrix report={report} anchors={anchors} /> : null}
              <Measurements report={report} anchors={anchors} />
              <Results report={report} anchors={anchors} />
            </>
          ) : (
            <GuestByGuest report={report} guests={report.guests} anchors={anchors} />
          )}
          <LeftOut report={report} />
          <Ground report={report} />
        </main>
        <footer>
          vfs-verify {report.tool.version} · {report.schema} · this file needs no network and runs no script
        </footer>
      </body>
    </html>
  );
}

/** Only what is there. */
function Contents({ report }: { report: Report }) {
  const isCheck = report.command === 'check';
  const several = report.guests !== undefined;
  const kinds = new Set(
    report.results.flatMap(({ cases, verdict }) => [verdict.kind, ...cases.map((each) => each.verdict.kind)]),
  );
  const parts: [string, string, boolean][] = [
    ['#guests', 'Guests', several],
    ['#findings', 'Findings', isCheck && (kinds.has('fail') || kinds.has('unknown'))],
    ['#changes', 'Changes', report.baseline !== undefined],
    ['#guest-by-guest', 'Guest by guest', several],
    ['#matrix', 'Matrix', isCheck && !several],
    ['#evidence', 'Evidence', !several],
    ['#ground', 'Sides and shares', true],
  ];
  return (
    <nav aria-label="Contents">
      {parts.map(([href, words, there]) => (there ? <a href={href}>{words}</a> : null))}
    </nav>
  );
}
