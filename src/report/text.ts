import { isComparison, isTree } from '../model/comparison.ts';
import { isDiagnosis } from '../model/diagnosis.ts';
import { isExplain } from '../model/explain-evidence.ts';
import { isReads } from '../model/reads-evidence.ts';
import type { Report, Result } from '../model/report.ts';
import { isDrop, isResidency } from '../model/residency.ts';
import type { Verdict } from '../model/verdict.ts';
import { casesOf, checkAnswer, listed, pathsAnswer } from './answer.ts';
import { caseLines } from './case-text.ts';
import { changeLines } from './changes-text.ts';
import { comparisonLines } from './comparison-text.ts';
import { diagnosisLines, unreadLines } from './diagnosis-text.ts';
import { explainLines, stateLines } from './explain-text.ts';
import { fleetLines } from './fleet-text.ts';
import { flowed, type Style, wrapped } from './layout.ts';
import { matrixLines } from './matrix-text.ts';
import { paintFor } from './paint.ts';
import { printable } from './printable.ts';
import { count } from './quantities.ts';
import { readsLines } from './reads-text.ts';
import { dropLines, residencyLines } from './residency-text.ts';
import { treeLines } from './tree-text.ts';
import { byTrouble, troubleLines } from './trouble-text.ts';
import { plainLines } from './verdict-text.ts';

export type { Style };

/**
 * A report for a terminal: the answer first, then the evidence, then what to do next. Ends in a newline.
 */
export function renderText(report: Report, { width, ...rest }: Style): string {
  // A narrower terminal breaks lines itself: tables of its width would hold nothing.
  const style = { ...rest, width: Math.max(72, width) };
  const lines = linesOf(report, style);
  return `${lines.join('\n')}\n`;
}

function linesOf(report: Report, style: Style): string[] {
  if (report.guests !== undefined) return fleetLines(report, report.guests, style);
  return report.command === 'check' ? checkLines(report, style) : pathsLines(report, style);
}

// --- md5 and reads: the user's own paths ---

function pathsLines(report: Report, style: Style): string[] {
  const blocks = report.results.map((result) => pathLines(result, report, style));
  const [first = ['UNKNOWN  no path was looked at']] = blocks;
  if (blocks.length <= 1) return first;
  if (report.command === 'explain')
    return [...stateLines(report, style), ...blocks.flatMap((block) => ['', ...block])];
  // What caches hold is no matter of same or different: there is nothing to count.
  if (report.command !== 'md5')
    return blocks.flatMap((block, index) => (index === 0 ? block : ['', ...block]));
  // What needs attention last is nearest to the prompt, and the answer for all is first.
  return [
    paintFor(style.color).verdict(report.verdict.kind, pathsAnswer(report)),
    ...blocks.flatMap((block) => ['', ...block]),
  ];
}

function pathLines(result: Result, { environment }: Report, style: Style): string[] {
  const { evidence } = result.verdict;
  if (isTree(evidence)) return treeLines(result, evidence, environment, style);
  if (isResidency(evidence)) return residencyLines(result, evidence, environment, style);
  if (isDrop(evidence)) return dropLines(result, evidence, environment, style);
  if (isDiagnosis(evidence)) return diagnosisLines(result, evidence, style);
  if (result.check === 'diagnose') return unreadLines(result, style);
  if (isExplain(evidence)) return explainLines(result, evidence, environment, style);
  if (isReads(evidence)) return readsLines(result, evidence, environment, style);
  if (isComparison(evidence)) return comparisonLines(result, evidence, environment, style);
  return plainLines(result.verdict, result.path ?? result.check, style);
}

// --- check: a mode's promises ---

function checkLines(report: Report, style: Style): string[] {
  const paint = paintFor(style.color);
  const answer = wrapped(checkAnswer(report), { width: style.width }).map((line) =>
    paint.verdict(report.verdict.kind, line),
  );
  const told = [...casesOf(report, 'fail'), ...casesOf(report, 'unknown')].filter(
    ([, each]) => !isNotRun(each.verdict),
  );
  const { alone, together } = byTrouble(told);
  const blocks = [
    ...alone.map(([result, each]) => caseLines(result, each, style)),
    ...together.map((cases) => troubleLines(cases, style)),
  ];
  return [
    ...answer,
    '',
    ...matrixLines(report, style),
    ...blocks.flatMap((block) => ['', ...block]),
    ...changeLines(report, style),
    ...skipLines(report, style),
    ...notRunLines(report, style),
    ...leftOutLines(report, style),
    '',
    ...environmentLines(report, style),
    ...nextStep(report, style),
  ];
}

/** Skipped cases, by reason: a skip is never silent. */
function skipLines(report: Report, style: Style): string[] {
  const byReason = new Map<string, Set<string>>();
  for (const [result, each] of casesOf(report, 'skip')) {
    const names = byReason.get(each.verdict.reason) ?? new Set();
    byReason.set(each.verdict.reason, names.add(`${result.check}/${each.name} (${result.mode})`));
  }
  const lines = [...byReason].flatMap(([reason, names]) =>
    wrapped(printable(`${reason}: ${listed([...names])}`), { width: style.width, first: 'skipped  ' }),
  );
  return lines.length === 0 ? [] : ['', ...lines];
}

/** The run ended before it: there is nothing to say of each. */
function isNotRun({ code }: Verdict): boolean {
  return code === 'not-run';
}

function notRunLines({ results }: Report, style: Style): string[] {
  const left = results.filter(({ verdict }) => isNotRun(verdict));
  const [first] = left;
  if (first === undefined) return [];
  const told = `${count(left.length, 'result')}: ${first.verdict.reason}`;
  return ['', ...wrapped(printable(told), { width: style.width, first: 'missing  ' })];
}

/** Modes that the lab could not have, in their own lines: they are not in the table. */
function leftOutLines({ environment }: Report, style: Style): string[] {
  const lines = (environment.leftOut ?? []).flatMap(({ mode, reason }) =>
    wrapped(printable(`${mode}: ${reason}`), { width: style.width, first: 'left out  ' }),
  );
  return lines.length === 0 ? [] : ['', ...lines];
}

function environmentLines({ environment, tool }: Report, style: Style): string[] {
  const pieces = [
    ...(environment.lab === undefined ? [] : [`lab ${environment.lab}`]),
    ...Object.entries(environment.versions).map(([name, version]) => `${name} ${version}`),
    `seed ${environment.seed.toString(16)}`,
    `vfs-verify ${tool.version}`,
  ].map(printable);
  return flowed(pieces, { width: style.width, gap: ' · ', rest: '' }).map(paintFor(style.color).faint);
}

function nextStep(report: Report, style: Style): string[] {
  const fails = casesOf(report, 'fail').filter(([, each]) => each.known === undefined);
  const [worst] = [...fails, ...casesOf(report, 'unknown')];
  if (worst === undefined) return [];
  const [result, each] = worst;
  const next = each.verdict.next ?? `read what this means and what to do about it: checks/${result.check}.md`;
  return wrapped(printable(next), { width: style.width, first: 'next: ' });
}
