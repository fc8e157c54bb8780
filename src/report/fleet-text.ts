import type { GuestRow, Report } from '../model/report.ts';
import { changeLines } from './changes-text.ts';
import { fleetAnswer, guestCounts, guestReasons, guestWord, worstFirst } from './fleet.ts';
import { ends, padTo, type Style, wrapped } from './layout.ts';
import { paintFor } from './paint.ts';
import { printable } from './printable.ts';
import { formatSeconds } from './quantities.ts';

/** A report about several guests: a row for each, with the reason where one is not well. */
export function fleetLines(report: Report, guests: readonly GuestRow[], style: Style): string[] {
  const paint = paintFor(style.color);
  const name = Math.max(...guests.map(({ guest }) => printable(guest).length), 0);
  const rows = worstFirst(guests).flatMap((row) => {
    const head = `  ${paint.verdict(row.verdict.kind, padTo(guestWord(report, row), wordWidth))}  ${padTo(printable(row.guest), Math.min(name, 40))}`;
    const time = formatSeconds(row.durationMs / 1000);
    const first = ' '.repeat(wordWidth + 4);
    return [
      ...ends(head, `${guestCounts(row)}  ${time}`, style.width),
      ...guestReasons(report, row).flatMap((line) => wrapped(line, { width: style.width, first })),
    ];
  });
  return [
    paint.verdict(report.verdict.kind, fleetAnswer(report, guests)),
    '',
    ...rows,
    ...changeLines(report, style),
    ...nextStep(report, guests, style),
  ];
}

const wordWidth = 'DIFFERENT'.length;

function nextStep({ command }: Report, guests: readonly GuestRow[], style: Style): string[] {
  const [worst] = worstFirst(guests);
  if (worst === undefined || worst.verdict.kind === 'pass') return [];
  const next =
    worst.trouble?.next ?? `the same ${command} with --guest ${worst.guest} alone tells it in full`;
  return ['', ...wrapped(printable(next), { width: style.width, first: 'next: ' })];
}
