import type { GuestRow, Report } from '../model/report.ts';
import { countVerdicts, type RunVerdict } from '../model/verdict.ts';
import { ends, padTo, type Style, wrapped } from './layout.ts';
import { paintFor } from './paint.ts';
import { printable } from './printable.ts';
import { count, formatSeconds } from './quantities.ts';

/** In the order in which they are shown: what is well last. */
const kinds: readonly RunVerdict['kind'][] = ['fail', 'unknown', 'pass'];

/** A report about several guests: a row for each, with the reason where one is not well. */
export function fleetLines(report: Report, guests: readonly GuestRow[], style: Style): string[] {
  const paint = paintFor(style.color);
  const name = Math.max(...guests.map(({ guest }) => printable(guest).length), 0);
  const rows = kinds
    .flatMap((kind) => guests.filter(({ verdict }) => verdict.kind === kind))
    .flatMap((row) => {
      const head = `  ${paint.verdict(row.verdict.kind, padTo(wordOf(report, row), wordWidth))}  ${padTo(printable(row.guest), Math.min(name, 40))}`;
      const time = formatSeconds(row.durationMs / 1000);
      return [...ends(head, `${countWords(row)}  ${time}`, style.width), ...reasonLines(report, row, style)];
    });
  return [
    paint.verdict(report.verdict.kind, answer(report, guests)),
    '',
    ...rows,
    ...nextStep(report, guests, style),
  ];
}

const wordWidth = 'DIFFERENT'.length;

function wordOf({ command }: Report, { verdict }: GuestRow): string {
  if (verdict.kind === 'unknown') return 'UNKNOWN';
  if (command === 'md5') return verdict.kind === 'fail' ? 'DIFFERENT' : 'same';
  return verdict.kind === 'fail' ? 'FAIL' : 'pass';
}

function answer(report: Report, guests: readonly GuestRow[]): string {
  const counts = countVerdicts(guests.map(({ verdict }) => verdict.kind));
  const told = kinds.flatMap((kind) => {
    const row = guests.find(({ verdict }) => verdict.kind === kind);
    return row === undefined ? [] : [`${counts[kind]} ${wordOf(report, row)}`];
  });
  return `${told.join(', ')} of ${count(guests.length, 'guest')} in ${formatSeconds(report.environment.durationMs / 1000)}`;
}

/** How many results ended so, where there are several. */
function countWords({ verdict: { counts } }: GuestRow): string {
  const told = (['fail', 'unknown', 'pass', 'skip'] as const).filter((kind) => counts[kind] > 0);
  const sum = told.reduce((all, kind) => all + counts[kind], 0);
  return sum < 2 ? '' : told.map((kind) => `${counts[kind]} ${kind}`).join(', ');
}

/** Why: once where the guest could not be asked, else of its worst results. */
function reasonLines({ results }: Report, row: GuestRow, style: Style): string[] {
  if (row.verdict.kind === 'pass') return [];
  const first = ' '.repeat(wordWidth + 4);
  if (row.trouble !== undefined) return wrapped(printable(row.trouble.reason), { width: style.width, first });
  const worst = results.filter(
    ({ guest, verdict }) => guest === row.guest && verdict.kind === row.verdict.kind,
  );
  const shown = worst.slice(0, 3).map(({ path, check, verdict }) => `${path ?? check}: ${verdict.reason}`);
  const more = worst.length > shown.length ? [`and ${worst.length - shown.length} more`] : [];
  return [...shown, ...more].flatMap((line) => wrapped(printable(line), { width: style.width, first }));
}

function nextStep({ command }: Report, guests: readonly GuestRow[], style: Style): string[] {
  const worst = kinds.slice(0, 2).flatMap((kind) => guests.filter(({ verdict }) => verdict.kind === kind))[0];
  if (worst === undefined) return [];
  const next =
    worst.trouble?.next ?? `the same ${command} with --guest ${worst.guest} alone tells it in full`;
  return ['', ...wrapped(printable(next), { width: style.width, first: 'next: ' })];
}
