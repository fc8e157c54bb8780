import type { Dropped, ReadsEvidence } from '../model/reads-evidence.ts';
import type { Environment, Result } from '../model/report.ts';
import { disturbedLines } from './comparison-text.ts';
import { type Style, wrapped } from './layout.ts';
import { ledgerLines } from './ledger-text.ts';
import { printable, printableName } from './printable.ts';
import { count, formatBytes } from './quantities.ts';
import { nextLines, shareLines } from './verdict-text.ts';

const indent = '  ';

/** A run of reads: the answer, the ledger of each pass, what was disturbed, the next step. */
export function readsLines(
  result: Result,
  evidence: ReadsEvidence,
  environment: Environment,
  style: Style,
): string[] {
  const { ledgers } = evidence;
  return [
    ...wrapped(printable(result.verdict.reason), { width: style.width }),
    ...wrapped(printable(runWords(evidence)), { width: style.width, first: indent }),
    ...evidence.dropped.flatMap((each) =>
      wrapped(printable(droppedWords(each)), { width: style.width, first: indent }),
    ),
    ...ledgers.flatMap((ledger, index) => [
      '',
      ...(ledgers.length > 1 ? [`${indent}pass ${index + 1}, with a descriptor of its own`] : []),
      ...ledgerLines(ledger, style),
    ]),
    '',
    ...shareLines(evidence.share, environment, style),
    ...disturbedLines(evidence.disturbed, style),
    ...nextLines(result.verdict, style),
  ];
}

function runWords({ path, size, plan, direct, mapped, ledgers, seconds }: ReadsEvidence): string {
  const total = ledgers.reduce((sum, { requests }) => sum + requests, 0);
  const how = [
    ...(direct ? ['O_DIRECT'] : []),
    ...(mapped ? ['mapped'] : []),
    plan.order === 'seq' ? 'in order' : `at random (--seed ${plan.seed.toString(16)})`,
  ].join(', ');
  return `${printableName(path)}  ${formatBytes(size)}: ${count(total, 'read')} of ${formatBytes(plan.block)}, ${how}${rateWords(total, seconds)}`;
}

/** `, 6,600 a second`: with every time taken, and nothing else between the reads. */
function rateWords(reads: number, seconds: readonly number[]): string {
  const all = seconds.reduce((sum, each) => sum + each, 0);
  return all > 0 ? `, ${Math.round(reads / all).toLocaleString('en-US')} a second` : '';
}

function droppedWords({ side, before, after, note }: Dropped): string {
  const pages =
    before === undefined || after === undefined || before.by === 'refused'
      ? ''
      : `: ${before.cached.toLocaleString('en-US')} pages before, ${after.cached.toLocaleString('en-US')} after`;
  return `dropped on the ${side} first${pages}${note === undefined ? '' : ` (${note})`}`;
}
