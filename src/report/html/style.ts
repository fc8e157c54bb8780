/**
 * The page's style, whole: nothing is fetched and nothing is inline, so that the page's policy can name it by
 * its hash. Colours repeat what symbols and words say; verdicts differ in lightness and in filling too, for
 * those who see no hue.
 */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #f5f6f8; --card: #ffffff; --ink: #16191d; --muted: #56606b; --line: #dde1e6; --line-strong: #aab2bc;
  --link: #0a4fb3; --focus: #0a4fb3; --code: #eef0f3;
  --pass-ink: #0b5f46; --pass-ground: #e4f3ec; --pass-mark: #14805f;
  --stale-ink: #0b5070; --stale-ground: #e0f0f8; --stale-mark: #1479a8;
  --fail-ink: #ffffff; --fail-ground: #b3200f; --fail-mark: #b3200f; --fail-soft: #fdecea; --fail-text: #98190a;
  --known-ink: #98190a; --known-ground: #fdecea;
  --unknown-ink: #5f4300; --unknown-ground: #fff0c2; --unknown-mark: #a06a00;
  --skip-ink: #56606b; --skip-mark: #8b949e;
  --series: #1479a8;
  --guest-cache: #2f8f6b; --host-cache: #1f77b4; --disk: #d06a00; --hole: #8b949e; --unexplained: #a34b8c;
  --shadow: 0 1px 2px rgb(16 24 32 / .06), 0 1px 8px rgb(16 24 32 / .05);
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --ground: #101316; --card: #181c21; --ink: #e7eaee; --muted: #a2abb5; --line: #2d343c; --line-strong: #56606b;
    --link: #8ab8ff; --focus: #8ab8ff; --code: #22272e;
    --pass-ink: #86dcb9; --pass-ground: #12301f; --pass-mark: #4fc296;
    --stale-ink: #97d3f2; --stale-ground: #102e3d; --stale-mark: #5bb5e0;
    --fail-ink: #2a0602; --fail-ground: #ff8f80; --fail-mark: #ff8f80; --fail-soft: #351512; --fail-text: #ffaea3;
    --known-ink: #ffaea3; --known-ground: #351512;
    --unknown-ink: #ffd978; --unknown-ground: #362a08; --unknown-mark: #e5b136;
    --skip-ink: #a2abb5; --skip-mark: #7b858f;
    --series: #5bb5e0;
    --guest-cache: #4fc296; --host-cache: #5ea9e8; --disk: #f0963c; --hole: #7b858f; --unexplained: #d487bf;
    --shadow: none;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 0 clamp(.75rem, 3vw, 2rem) 3rem; max-width: 76rem; background: var(--ground);
  color: var(--ink); font: 1rem/1.5 var(--sans); overflow-wrap: anywhere;
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
a { color: var(--link); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 3px; }
main:focus, .result-body:focus { outline: none; }
h1, h2, h3, h4 { line-height: 1.2; text-wrap: balance; margin: 0; }
h2 { font-size: 1.35rem; margin: 2.75rem 0 .35rem; letter-spacing: -.01em; }
h3, h4 { font-size: 1.05rem; }
.guest h3 { margin-top: 1.4rem; }
p { margin: 0; }
code, pre, .name, .check-name, .mode-name, .case-name, .code { font-family: var(--mono); font-size: .92em; }
.lead, .note { color: var(--muted); }
.lead { margin-bottom: .9rem; max-width: 48rem; }
.note { font-size: .85rem; }
.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip-link { position: absolute; left: .75rem; top: -4rem; z-index: 9; background: var(--card); padding: .5rem .9rem; border-radius: 0 0 .4rem .4rem; box-shadow: var(--shadow); }
.skip-link:focus { top: 0; }
.shapes { position: absolute; width: 0; height: 0; }
.mark, symbol path { fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.mark { width: 1em; height: 1em; flex: none; vertical-align: -.13em; }
.mark.pass { color: var(--pass-mark); } .mark.stale { color: var(--stale-mark); }
.mark.fail, .mark.known { color: var(--fail-mark); } .mark.unknown { color: var(--unknown-mark); } .mark.skip { color: var(--skip-mark); }

/* --- the answer --- */
.masthead {
  margin: 1.25rem 0 0; padding: 1.4rem clamp(1rem, 3vw, 2rem) 1.3rem; background: var(--card);
  border-radius: .9rem; box-shadow: var(--shadow); border: 1px solid var(--line); border-top: .45rem solid var(--accent);
}
.masthead { --accent: var(--pass-mark); --on-accent: #fff; }
.masthead.fail { --accent: var(--fail-ground); }
.masthead.known { --accent: var(--fail-mark); }
.masthead.unknown { --accent: var(--unknown-mark); }
.kicker { display: flex; flex-wrap: wrap; gap: .1rem 1.25rem; color: var(--muted); font-size: .88rem; }
.product { font-weight: 700; color: var(--ink); letter-spacing: .01em; }
.kicker time { margin-left: auto; }
.answer { display: flex; gap: 1.1rem; align-items: flex-start; margin: 1.15rem 0 1.25rem; }
.answer h1 { font-size: clamp(1.35rem, 1rem + 1.7vw, 2.05rem); letter-spacing: -.02em; line-height: 1.18; }
.seal { flex: none; display: grid; place-items: center; width: 3.1rem; height: 3.1rem; border-radius: 50%; background: var(--accent); }
.seal .mark { width: 1.75rem; height: 1.75rem; color: var(--card); }
.also { color: var(--muted); margin-top: .35rem; font-size: 1.02rem; }
.proportion { display: block; width: 100%; height: .6rem; border-radius: .3rem; overflow: hidden; background: var(--code); }
rect.pass { fill: var(--pass-mark); } rect.stale { fill: var(--stale-mark); } rect.fail { fill: var(--fail-mark); }
rect.known { fill: var(--fail-mark); fill-opacity: .45; } rect.unknown { fill: var(--unknown-mark); } rect.skip { fill: var(--skip-mark); fill-opacity: .5; }
.tally ul { list-style: none; margin: .6rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; font-size: .93rem; color: var(--muted); }
.tally strong { color: var(--ink); font-variant-numeric: tabular-nums; }
.facts { display: flex; flex-wrap: wrap; gap: .7rem 2.4rem; margin: 1.25rem 0 0; padding-top: 1.1rem; border-top: 1px solid var(--line); }
.facts dt { font-size: .78rem; color: var(--muted); }
.facts dd { margin: 0; font-weight: 600; font-size: .95rem; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.3rem; margin: .9rem .25rem 0; font-size: .93rem; }
nav a { padding: .25rem 0; }

/* --- findings --- */
.findings { display: grid; gap: 1rem; margin-top: .9rem; }
.finding { background: var(--card); border: 1px solid var(--line); border-left: .4rem solid var(--fail-mark); border-radius: .6rem; padding: 1rem clamp(.9rem, 2vw, 1.4rem); box-shadow: var(--shadow); }
.finding.unknown { border-left-color: var(--unknown-mark); border-left-style: dashed; }
.finding.known { border-left-style: double; }
.finding h3 { display: flex; flex-wrap: wrap; align-items: center; gap: .3rem .6rem; }
.finding .code { font-weight: 600; padding: .1rem .5rem; border-radius: .3rem; background: var(--fail-soft); color: var(--fail-text); }
.finding.unknown .code { background: var(--unknown-ground); color: var(--unknown-ink); }
.meaning { margin: .3rem 0 .6rem; font-size: 1.05rem; }
.known-line { color: var(--muted); margin-bottom: .5rem; }
.places { list-style: none; margin: 0; padding: 0; }
.places .mode-name { font-weight: 600; }

/* --- label and value --- */
.told { margin: 0; }
.told > div { display: grid; grid-template-columns: 7.5rem minmax(0, 1fr); gap: .1rem .9rem; padding: .22rem 0; }
.told dt { color: var(--muted); font-size: .9rem; line-height: 1.65; }
.told dd { margin: 0; min-width: 0; }
.told.wide > div { grid-template-columns: minmax(0, 26rem) minmax(0, 1fr); padding: .45rem 0; border-top: 1px solid var(--line); }
.told .told.own > div, .items .told.own > div { grid-template-columns: fit-content(9rem) minmax(0, 1fr); }
.sources, .ranges, .ground { list-style: none; margin: 0; padding: 0; }
.sources { color: var(--muted); font-size: .88rem; }
.ranges { font-family: var(--mono); font-size: .86rem; }
.items { margin: 0; padding-left: 1.6rem; }
.command { margin: 0; padding: .45rem .7rem; background: var(--code); border-radius: .35rem; white-space: pre-wrap; user-select: all; font-size: .88rem; line-height: 1.45; }
.command code { font-size: 1em; }

/* --- the matrix --- */
/* Positioned: what only screen readers see is clipped with the rest. */
.matrix-frame, .scrolls { overflow-x: auto; position: relative; }
.matrix-frame { background: var(--card); border: 1px solid var(--line); border-radius: .7rem; box-shadow: var(--shadow); }
.matrix { border-collapse: collapse; width: 100%; }
.matrix th, .matrix td { padding: .3rem .4rem; text-align: left; border-top: 1px solid var(--line); }
.matrix thead th { border-top: 0; font-size: .85rem; font-weight: 600; vertical-align: bottom; padding: .6rem .6rem .5rem; color: var(--muted); }
.matrix tbody th { font-weight: 400; padding: .5rem .9rem; position: sticky; left: 0; background: var(--card); min-width: 11rem; }
.matrix thead th:first-child { width: 34%; padding-left: .9rem; position: sticky; left: 0; background: var(--card); }
.matrix .check-name { font-weight: 600; display: block; }
.matrix .check-title { display: block; color: var(--muted); font-size: .82rem; line-height: 1.35; }
.cell { display: inline-flex; align-items: center; gap: .4rem; padding: .32rem .6rem; border-radius: .4rem; text-decoration: none; font-size: .9rem; white-space: nowrap; border: 1px solid transparent; }
td .cell { width: 100%; min-height: 2.2rem; }
a.cell:hover { border-color: currentColor; }
.cell .mark { color: inherit; }
.cell.pass { background: var(--pass-ground); color: var(--pass-ink); }
.cell.stale { background: var(--stale-ground); color: var(--stale-ink); }
.cell.fail { background: var(--fail-ground); color: var(--fail-ink); font-weight: 700; }
.cell.known { background: var(--known-ground); color: var(--known-ink); border: 1px solid var(--fail-mark); font-weight: 600; }
.cell.unknown { background: var(--unknown-ground); color: var(--unknown-ink); border: 1px dashed var(--unknown-mark); font-weight: 600; }
.cell.skip, .cell.none { background: none; color: var(--skip-ink); }
.cell-mode { display: none; }
.cell-count { margin-left: auto; font-size: .82rem; font-variant-numeric: tabular-nums; font-weight: 500; }
.matrix.dense .cell-word, .matrix.dense .cell-count { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.matrix.dense .cell { justify-content: center; padding: .32rem; }
.matrix.dense .cell .mark { width: 1.15em; height: 1.15em; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .4rem 1.4rem; margin: .8rem 0 0; padding: 0; color: var(--muted); font-size: .85rem; }
.legend .cell { padding: .1rem .45rem; font-size: .82rem; }
.swatch { width: .8rem; height: .8rem; margin-right: .4rem; vertical-align: -.08em; border-radius: 2px; }

/* --- evidence --- */
.check { margin-top: 1.4rem; }
.check h3, .check h4 { display: flex; flex-wrap: wrap; gap: .1rem .8rem; align-items: baseline; margin-bottom: .5rem; }
.check h3 .check-title, .check h4 .check-title { font-weight: 400; font-size: .92rem; color: var(--muted); }
details.result { background: var(--card); border: 1px solid var(--line); border-radius: .55rem; margin-top: .4rem; }
details.result.fail { border-color: var(--fail-mark); }
details.result.unknown { border-color: var(--unknown-mark); }
summary { display: flex; flex-wrap: wrap; align-items: baseline; gap: .1rem .8rem; padding: .55rem .9rem; cursor: pointer; list-style: none; border-radius: .5rem; }
summary::-webkit-details-marker { display: none; }
summary::before { content: ""; flex: none; align-self: center; width: .42rem; height: .42rem; border-right: 2px solid var(--muted); border-bottom: 2px solid var(--muted); transform: rotate(-45deg); margin-right: .1rem; }
details[open] > summary::before { transform: rotate(45deg); }
summary:hover { background: color-mix(in srgb, var(--ink) 5%, transparent); }
summary .mark { align-self: center; }
.result-mode { font-weight: 600; min-width: 8.5rem; }
.result-word, .case-word { font-size: .9rem; font-weight: 600; min-width: 5.4rem; }
.fail > summary .result-word, .fail > summary .case-word, .known > summary .result-word { color: var(--fail-text); }
.unknown > summary .result-word, .unknown > summary .case-word { color: var(--unknown-ink); }
.pass > summary .result-word, .pass > summary .case-word { font-weight: 400; color: var(--muted); }
.result-reason, .case-reason { flex: 1 1 14rem; min-width: 0; color: var(--muted); font-size: .92rem; }
.result-time, .case-time { color: var(--muted); font-size: .85rem; font-variant-numeric: tabular-nums; margin-left: auto; }
.result-body { padding: .3rem 1rem 1rem; scroll-margin-top: 4.5rem; border-top: 1px solid var(--line); }
.only-case { font-family: var(--mono); font-size: .9rem; font-weight: 600; margin: .5rem 0 .1rem; }
details.case { border-top: 1px solid var(--line); }
details.case:first-child { border-top: 0; }
.case > summary { padding: .42rem .3rem; }
.case-name { min-width: 11rem; font-weight: 600; }
.case-body { padding: .25rem 0 .7rem; }
.case > .case-body { padding-left: 1.5rem; }
.back { font-size: .88rem; margin-top: .7rem; }

/* --- tables, plots, bars --- */
table.rows, table.numbers, table.votes, table.bars, table.accounts { border-collapse: collapse; font-size: .9rem; }
table.rows th, table.rows td, table.numbers th, table.numbers td, table.votes th, table.votes td, table.accounts th, table.accounts td { padding: .32rem .9rem .32rem 0; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
table.rows thead th, table.numbers thead th, table.accounts thead th { border-top: 0; color: var(--muted); font-weight: 500; font-size: .83rem; }
table.rows tbody th, table.numbers tbody th, table.votes th, table.accounts tbody th { font-weight: 500; }
table.guests th[scope=row] { min-width: 9rem; }
table.guests td:last-child { width: 60%; min-width: 14rem; }
table.guests thead th, table.guests td:nth-child(3) { white-space: nowrap; }
table.guests .cell { padding: .1rem .45rem; }
table.numbers td { font-variant-numeric: tabular-nums; white-space: nowrap; }
table.rows, table.accounts { width: 100%; margin-top: .5rem; }
table.numbers tbody th { min-width: 8rem; }
table.numbers thead th { overflow-wrap: normal; white-space: nowrap; }
caption { text-align: left; color: var(--muted); font-size: .85rem; padding: .3rem 0; }
.change { font-weight: 600; white-space: nowrap; }
.change.worse { color: var(--fail-text); } .change.better { color: var(--pass-ink); }
.ended { display: inline-flex; gap: .4rem; align-items: baseline; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 23rem), 1fr)); gap: 1rem 2.25rem; align-items: start; margin: .8rem 0 1.2rem; }
.columns > * { min-width: 0; }
figure { margin: 0; max-width: 30rem; }
figcaption { font-size: .85rem; color: var(--muted); margin-bottom: .35rem; }
.timeline figure, .latencies { margin-top: .7rem; }
table.numbers caption { color: var(--ink); font-weight: 600; }
.timeline .lead { font-size: .88rem; margin-bottom: .2rem; }
.timeline .ground { margin-top: .5rem; }
.panel-title { color: var(--ink); font-weight: 600; margin-right: 1rem; }
.keys { display: inline-flex; flex-wrap: wrap; gap: 0 1rem; }
.keys .swatch { width: 1.4rem; border-radius: 0; }
.staleness figcaption { color: var(--ink); font-weight: 600; font-size: .92rem; }
.plot { display: block; width: 100%; height: auto; color: var(--muted); }
.plot text, .plot tspan { white-space: pre; }
details.in-numbers > summary, details.more > summary { padding: .2rem .3rem; gap: .1rem .5rem; justify-content: start; font-size: .88rem; color: var(--muted); width: fit-content; }
.sentence { font-weight: 600; margin: .3rem 0 .2rem; }
.pass-title { margin-top: .8rem; color: var(--muted); }
.bars { width: 100%; }
.bars th { text-align: left; font-weight: 500; white-space: nowrap; padding: .25rem .8rem .25rem 0; vertical-align: top; }
.bars td { padding: .25rem 0 .25rem .7rem; text-align: right; vertical-align: top; }
.bars td.bar-cell { width: 60%; text-align: left; padding-left: 0; }
.bar { display: block; width: 100%; height: .8rem; margin: .35rem 0 .1rem; border-radius: 2px; }
.bar-ground { fill: var(--code); }
.strip { display: block; width: 100%; height: 1.6rem; background: var(--code); fill: var(--host-cache); border-radius: 3px; margin: .3rem 0; }
.ground { font-size: .88rem; color: var(--muted); }
.ground li { padding-left: 1rem; text-indent: -1rem; }
.ground li::before { content: "· "; }
.accounts td { min-width: 8rem; }
.stack { display: block; text-decoration: none; }
.stack:hover .note { text-decoration: underline; }
.stack .bar { margin-top: .25rem; }
.stack .note { font-size: .78rem; }
.stack-mode { display: none; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--muted); font-size: .85rem; }

/* --- a phone --- */
@media screen and (max-width: 44rem) {
  h2 { margin-top: 2.2rem; }
  .answer { gap: .8rem; }
  .seal { width: 2.4rem; height: 2.4rem; }
  .seal .mark { width: 1.35rem; height: 1.35rem; }
  .kicker time { margin-left: 0; width: 100%; }
  .facts { gap: .6rem 1.6rem; }
  .told > div, .told.wide > div, .told.own > div, .told .told.own > div, .items .told.own > div { grid-template-columns: minmax(0, 1fr); padding: .3rem 0; }
  .told dt { line-height: 1.3; font-size: .84rem; }
  .matrix-frame { background: none; border: 0; box-shadow: none; overflow: visible; }
  .matrix, .matrix tbody { display: block; }
  .matrix thead { display: none; }
  .matrix tr { display: flex; flex-wrap: wrap; gap: .4rem; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .7rem; margin-top: .6rem; }
  .matrix tbody th { position: static; flex: 1 0 100%; padding: 0 0 .15rem; min-width: 0; border: 0; }
  .matrix td { padding: 0; border: 0; flex: 1 1 7.5rem; min-width: 0; }
  .matrix td:has(.none) { display: none; }
  .matrix .cell, .matrix.dense .cell { display: grid; grid-template-columns: auto 1fr auto; align-content: start; white-space: normal; gap: 0 .45rem; padding: .4rem .55rem; height: 100%; }
  .matrix .cell-mode { display: inline; grid-column: 2 / -1; font-size: .84rem; line-height: 1.25; }
  .matrix .cell-word, .matrix .cell-count, .matrix.dense .cell-word, .matrix.dense .cell-count { position: static; width: auto; height: auto; clip-path: none; font-size: .8rem; grid-row: 2; }
  .matrix .cell-word { grid-column: 2; } .matrix .cell-count { grid-column: 3; }
  .matrix .cell .mark { margin-top: .1rem; }
  .cell.pass .cell-word, .cell.skip .cell-word { font-weight: 400; }
  table.numbers tbody th { min-width: 6.2rem; }
  table.numbers th, table.numbers td { padding-right: .6rem; }
  .result-mode, .case-name, .result-word, .case-word { min-width: 0; }
  .result-time, .case-time { order: 10; margin-left: 0; }
  .result-reason, .case-reason { flex-basis: 100%; order: 9; }
  .case > .case-body { padding-left: .3rem; }
  .result-body { padding: .3rem .75rem .8rem; }
  .accounts, .accounts tbody { display: block; }
  .accounts thead { display: none; }
  .accounts tr { display: grid; grid-template-columns: 1fr 1fr; gap: .3rem .9rem; border-top: 1px solid var(--line); padding: .5rem 0 .7rem; }
  table.accounts th, table.accounts td { border: 0; padding: 0; min-width: 0; }
  table.accounts tbody th { grid-column: 1 / -1; font-weight: 600; }
  .stack-mode { display: block; font-size: .84rem; }
  .bars tr { display: grid; grid-template-columns: 1fr auto auto; column-gap: .8rem; padding: .25rem 0; }
  .bars th, .bars td { padding: 0; }
  .bars td.bar-cell { grid-column: 1 / -1; grid-row: 2; width: auto; }
}

/* --- paper --- */
@media print {
  :root { --ground: #fff; --shadow: none; }
  html { font-size: 11.5px; }
  body { max-width: none; padding: 0; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  nav, .back, .skip-link { display: none; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
  details > *:not(summary) { display: block; }
  summary::before { display: none; }
  .masthead, .finding, .matrix tr, figure, .told > div, summary { break-inside: avoid; }
  h2, h3, h4, summary { break-after: avoid; }
  .matrix thead { display: table-header-group; }
  .matrix-frame, .scrolls { overflow: visible; }
  .matrix tbody th, .matrix thead th:first-child { position: static; }
  a { color: inherit; text-decoration: none; }
  @page { margin: 14mm 13mm; }
}
`;
