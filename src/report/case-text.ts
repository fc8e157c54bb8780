import { isComparison } from '../model/comparison.ts';
import type { CaseResult, KnownFinding, Result } from '../model/report.ts';
import type { VerdictCounts } from '../model/verdict.ts';
import { findingLines } from './comparison-text.ts';
import { commandLines, ends, type Style, wrapped } from './layout.ts';
import { paintFor } from './paint.ts';
import { printable } from './printable.ts';
import { sourceLines } from './verdict-text.ts';

const indent = '  ';
const labelWidth = 10;

/** One case that failed or could not be told: what was promised, what was seen, how to see it again. */
export function caseLines(result: Result, each: CaseResult, style: Style): string[] {
  const { verdict, known } = each;
  const paint = paintFor(style.color);
  const title = printable([result.check, result.mode, each.name].filter((word) => word !== '').join(' / '));
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
    ...told('known', known === undefined ? undefined : knownWords(known)),
    ...told('rounds', each.rounds === undefined ? undefined : roundsWords(each.rounds)),
    ...(isComparison(verdict.evidence) ? findingLines(verdict, verdict.evidence, style) : []),
    ...(each.rerun === undefined
      ? []
      : commandLines(printable(each.rerun), { width: style.width, first: label('again'), rest: label('') })),
    ...told('bundle', result.bundle),
  ];
}

function knownWords({ id, title, where }: KnownFinding): string {
  return `${id}: ${title}${where === undefined ? '' : ` (${where})`}`;
}

/** How the rounds of a case ended: `20: 18 pass, 2 FAIL`. */
export function roundsWords({ pass, fail, unknown, skip }: VerdictCounts): string {
  const told = Object.entries({ pass, FAIL: fail, unknown, skip });
  const all = pass + fail + unknown + skip;
  return `${all}: ${told.flatMap(([word, number]) => (number > 0 ? [`${number} ${word}`] : [])).join(', ')}`;
}
