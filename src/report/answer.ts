import { type CaseResult, failsAsKnown, type Report, type Result } from '../model/report.ts';
import { countVerdicts, type VerdictKind } from '../model/verdict.ts';
import { printable } from './printable.ts';
import { count } from './quantities.ts';

/** The first line of a report of `check`: what was broken, or could not be told, or that all was kept. */
export function checkAnswer({ results, verdict, baseline }: Report): string {
  const broken = results.filter((result) => result.verdict.kind === 'fail' && !failsAsKnown(result));
  const known = results.filter(failsAsKnown);
  const open = results.filter(isOpen);
  const also = [
    ...(known.length > 0 ? [`${count(known.length, 'known defect')} seen again`] : []),
    ...(open.length > 0 ? [`${count(open.length, 'result')} unknown`] : []),
    ...(baseline === undefined ? [] : [changesWords(baseline.changes)]),
  ];
  const told = (first: string, rest: readonly string[]) => [first, ...rest].join('; ');
  if (broken.length > 0)
    return told(`${count(broken.length, 'promise')} broken: ${listed(broken.map(inMode))}`, also);
  if (known.length > 0 && open.length === 0)
    return told(
      `nothing new is broken: ${count(known.length, 'known defect')} seen again (${listed(known.map(inMode))})`,
      also.slice(1),
    );
  if (open.length > 0)
    return told(`could not tell: ${listed(open.map(inMode))}`, known.length > 0 ? also.slice(0, 1) : []);
  if (verdict.kind === 'unknown') return 'could not tell: nothing that was asked for applies here';
  const stale = results.filter((result) => result.verdict.stale === true).length;
  return told('every promise was kept', [
    ...(stale > 0 ? [`staleness that the mode permits was seen in ${count(stale, 'result')}`] : []),
    ...also,
  ]);
}

/** Could not be told; a known defect in the same result does not hide that. */
export function isOpen(result: Result): boolean {
  return (
    result.verdict.kind === 'unknown' ||
    (failsAsKnown(result) && result.cases.some(({ verdict }) => verdict.kind === 'unknown'))
  );
}

function inMode({ check, mode }: Result): string {
  return printable(mode === 'unknown' ? check : `${check} in mode ${mode}`);
}

/** `2 worse and 1 better than before`, `nothing changed since`. */
export function changesWords(changes: readonly { readonly what: string }[]): string {
  const of = (what: string) => changes.filter((each) => each.what === what).length;
  const told = ['worse', 'better'].flatMap((what) => (of(what) > 0 ? [`${of(what)} ${what}`] : []));
  if (told.length > 0) return `${told.join(' and ')} than before`;
  return changes.length === 0 ? 'nothing changed since the earlier run' : 'nothing worse than before';
}

/** The first line of a report about several paths. */
export function pathsAnswer({ results }: Report): string {
  const counts = countVerdicts(results.map((result) => result.verdict.kind));
  const told = [
    ...(counts.fail > 0 ? [`${counts.fail} DIFFERENT`] : []),
    ...(counts.unknown > 0 ? [`${counts.unknown} UNKNOWN`] : []),
    ...(counts.pass > 0 ? [`${counts.pass} same`] : []),
    ...(counts.skip > 0 ? [`${counts.skip} skipped`] : []),
  ];
  return `${told.join(', ')} of ${count(results.length, 'path')}`;
}

/** Cases as they are shown: a result that has none (its check crashed, it was not run) is its own only case. */
export function casesIn({ verdict, durationMs, cases }: Result): readonly CaseResult[] {
  return cases.length > 0 ? cases : [{ name: '', verdict, durationMs }];
}

/** All cases that ended so, with the result they are of. */
export function casesOf({ results }: Report, kind: VerdictKind): [Result, CaseResult][] {
  return results.flatMap((result) =>
    casesIn(result).flatMap((each): [Result, CaseResult][] =>
      each.verdict.kind === kind ? [[result, each]] : [],
    ),
  );
}

/** The first few of a list. */
export function listed(names: readonly string[]): string {
  const few = names.slice(0, 4).join(', ');
  return names.length > 4 ? `${few} and ${names.length - 4} more` : few;
}
