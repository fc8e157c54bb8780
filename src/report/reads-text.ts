import type { Ledger } from '../model/account.ts';
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
      ...readaheadLines(evidence, ledger, style),
    ]),
    '',
    ...shareLines(evidence.share, environment, style),
    ...disturbedLines(evidence.disturbed, style),
    ...nextLines(result.verdict, style),
  ];
}

/** What a latency says where the guest reads ahead: a read may find its page there, or on its way. */
function readaheadLines({ plan, direct }: ReadsEvidence, ledger: Ledger, style: Style): string[] {
  if (plan.order !== 'seq' || direct || ledger.guestCaches === 'no') return [];
  // Nothing is read ahead through a window.
  if (ledger.lines.every(({ path, medium, bytes }) => path === 'dax' || medium === undefined || bytes === 0))
    return [];
  return wrapped(
    'in order the guest reads ahead: most reads find their page there already or on its way, and their latency is not that of the medium (--no-readahead shows it)',
    { width: style.width, first: indent, rest: `${indent}  ` },
  );
}

export function runWords({ path, size, plan, direct, mapped, ledgers, seconds }: ReadsEvidence): string {
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

export function droppedWords({ side, before, after, note, refused }: Dropped): string {
  if (refused !== undefined) return `not dropped on the ${side}: ${refused}`;
  const why = note === undefined ? '' : ` (${note})`;
  if (before === undefined || after === undefined || before.by === 'refused' || after.by === 'refused')
    return `dropped on the ${side} first${why}`;
  const gone = (before.cached - after.cached).toLocaleString('en-US');
  const pages =
    before.cached === 0
      ? 'nothing was cached'
      : after.cached === 0
        ? `all of ${count(before.cached, 'cached page')}`
        : `${gone} of ${count(before.cached, 'cached page')}`;
  return `dropped on the ${side} first: ${pages}${why}`;
}
