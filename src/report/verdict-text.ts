import type { ShareWords } from '../model/comparison.ts';
import type { Environment } from '../model/report.ts';
import type { Verdict, VerdictKind } from '../model/verdict.ts';
import { flowed, type Style, wrapped } from './layout.ts';
import { paintFor } from './paint.ts';
import { printable, printableName } from './printable.ts';

const indent = '      ';

const words: Readonly<Record<VerdictKind, string>> = {
  pass: 'same',
  fail: 'DIFFERENT',
  unknown: 'UNKNOWN',
  skip: 'skipped',
};

/** The first word of an answer about a path. */
export function verdictWord(kind: VerdictKind): string {
  return words[kind];
}

/** A path's answer where there is no evidence to show: one side only, unreadable, stuck, skipped. */
export function plainLines(verdict: Verdict, path: string, style: Style): string[] {
  const paint = paintFor(style.color);
  const room = style.width - indent.length;
  return [
    ...flowed(
      [
        paint.verdict(verdict.kind, verdictWord(verdict.kind)),
        printableName(path),
        ...wrapped(printable(verdict.reason), { width: room }),
      ],
      { width: style.width, gap: '  ', rest: indent },
    ),
    ...(verdict.observed === undefined
      ? []
      : wrapped(printable(verdict.observed), { width: style.width, first: indent })),
    ...nextLines(verdict, style),
  ];
}

/** The last line: what to do next. */
export function nextLines({ next }: Verdict, style: Style): string[] {
  return next === undefined ? [] : wrapped(printable(next), { width: style.width, first: 'next: ' });
}

/** Which share this was, and how that is known. */
export function shareLines(share: ShareWords, environment: Environment, style: Style): string[] {
  const kernel = environment.guest?.kernel;
  const pieces = [
    share.mode === 'unknown' ? 'mode unknown' : `mode ${share.mode} (${share.how})`,
    ...(share.lab === undefined ? [] : [`lab ${share.lab}`]),
    ...(share.server === undefined ? [] : [share.server]),
    ...(kernel === undefined ? [] : [`guest Linux ${kernel}`]),
  ].map(printable);
  return flowed([indent + pieces[0], ...pieces.slice(1)], { width: style.width, gap: ' · ', rest: indent });
}

/** Where a promise is written down. */
export function sourceLines(sources: readonly string[], first: string, style: Style): string[] {
  if (sources.length === 0) return [];
  const paint = paintFor(style.color);
  const text = `(${sources.map(printable).join('; ')})`;
  return wrapped(text, { width: style.width, first, rest: `${first} ` }).map(paint.faint);
}
