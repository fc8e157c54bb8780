import { isComparison } from '../model/comparison.ts';
import type { CaseResult, Result } from '../model/report.ts';
import { findingLines } from './comparison-text.ts';
import { commandLines, ends, type Style, wrapped } from './layout.ts';
import { paintFor } from './paint.ts';
import { printable } from './printable.ts';
import { sourceLines } from './verdict-text.ts';

const indent = '  ';
const labelWidth = 10;

/** One case that failed or could not be told: what was promised, what was seen, how to see it again. */
export function caseLines(result: Result, each: CaseResult, style: Style): string[] {
  const { verdict } = each;
  const paint = paintFor(style.color);
  const title = printable(`${result.check} / ${result.mode} / ${each.name}`);
  const code =
    verdict.code === undefined ? verdict.kind : `${verdict.kind}, code: ${printable(verdict.code)}`;
  const label = (text: string) => indent + text.padEnd(labelWidth);
  const told = (name: string, text: string | undefined) =>
    text === undefined ? [] : wrapped(printable(text), { width: style.width, first: label(name) });
  return [
    ...ends(paint.verdict(verdict.kind, title), code, style.width),
    ...told('promised', verdict.promised),
    ...sourceLines(verdict.sources ?? [], label(''), style),
    ...told('observed', verdict.observed ?? verdict.reason),
    ...(verdict.observed === undefined || verdict.observed === verdict.reason
      ? []
      : told('so', verdict.reason)),
    ...(isComparison(verdict.evidence) ? findingLines(verdict, verdict.evidence, style) : []),
    ...(each.rerun === undefined
      ? []
      : commandLines(printable(each.rerun), { width: style.width, first: label('again'), rest: label('') })),
    ...told('bundle', result.bundle),
  ];
}
