import type { CaseResult, Result } from '../model/report.ts';
import { ends, type Style, wrapped } from './layout.ts';
import { paintFor } from './paint.ts';
import { printable } from './printable.ts';
import { count } from './quantities.ts';

type Told = readonly [Result, CaseResult];

/** Fewer than this are told one by one, each with the command that runs it again. */
const fewestTogether = 4;

/**
 * A guest that dies takes hundreds of cases with it, all for one reason. Cases that could not be told for the
 * same reason are told together; the step at which each met it is the only difference.
 */
export function byTrouble(cases: readonly Told[]): { alone: readonly Told[]; together: readonly Told[][] } {
  const untold = cases.filter(([, { verdict }]) => verdict.kind === 'unknown');
  const together = grouped(untold, ([, each]) => `${each.verdict.code}: ${troubleOf(each)}`).filter(
    (those) => those.length >= fewestTogether,
  );
  const taken = new Set(together.flat());
  return { alone: cases.filter((each) => !taken.has(each)), together };
}

/** What kept a case from being told, without the side and the step: `guest, open: no answer` → `no answer`. */
function troubleOf({ verdict }: CaseResult): string {
  const text = verdict.observed ?? verdict.reason;
  const colon = text.indexOf(': ');
  return verdict.code !== 'could-not-run' || colon < 0 ? text : text.slice(colon + 2);
}

/** Cases of one trouble: what it was, and which they are. */
export function troubleLines(cases: readonly Told[], style: Style): string[] {
  const [first] = cases;
  if (first === undefined) return [];
  const { verdict } = first[1];
  const names = grouped(cases, ([{ check, mode }]) => `${check} / ${mode}`).flatMap((those) =>
    those.slice(0, 1).map(([{ check, mode }]) => {
      const name = mode === '' ? check : `${check} / ${mode}`;
      return those.length === 1 ? name : `${name} (${those.length})`;
    }),
  );
  const told = (label: string, text: string) =>
    wrapped(printable(text), { width: style.width, first: `  ${label.padEnd(10)}` });
  return [
    ...ends(
      paintFor(style.color).verdict('unknown', `${count(cases.length, 'case')}, one reason`),
      verdict.code === undefined ? 'unknown' : `unknown, code: ${printable(verdict.code)}`,
      style.width,
    ),
    ...told('observed', troubleOf(first[1])),
    ...told('cases of', names.join(', ')),
  ];
}

function grouped(cases: readonly Told[], keyOf: (each: Told) => string): Told[][] {
  const groups = new Map<string, Told[]>();
  for (const each of cases) {
    const key = keyOf(each);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()];
}
