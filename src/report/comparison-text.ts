import type { ComparisonEvidence, SideDigest, Vote, Voter } from '../model/comparison.ts';
import type { Environment, Result } from '../model/report.ts';
import type { Verdict } from '../model/verdict.ts';
import { ends, flowed, padTo, type Style, wrapped } from './layout.ts';
import { type Paint, paintFor } from './paint.ts';
import { printable, printableName } from './printable.ts';
import { count, formatBytes, formatRate, formatSeconds } from './quantities.ts';
import { nextLines, shareLines, sourceLines, verdictWord } from './verdict-text.ts';

const indent = '      ';
const maxRangesShown = 20;

/** One compared file: the answer, the evidence, the next step. */
export function comparisonLines(
  result: Result,
  evidence: ComparisonEvidence,
  environment: Environment,
  style: Style,
): string[] {
  const paint = paintFor(style.color);
  return [
    ...headline(result.verdict, evidence, style, paint),
    ...findingLines(result.verdict, evidence, style),
    ...permissionLines(evidence, style),
    ...shareLines(evidence.share, environment, style),
    ...disturbedLines(evidence.disturbed, style),
    ...nextLines(result.verdict, style),
  ];
}

/** What was found, for a block that has a headline of its own. */
export function findingLines(verdict: Verdict, evidence: ComparisonEvidence, style: Style): string[] {
  if (verdict.kind === 'pass') return rateLines(evidence, style);
  return [
    ...digestLines(evidence, style),
    ...rangeLines(evidence, style),
    ...voteLines(evidence.votes, style),
  ];
}

function headline(verdict: Verdict, evidence: ComparisonEvidence, style: Style, paint: Paint): string[] {
  const word = paint.verdict(verdict.kind, verdictWord(verdict.kind));
  const name = printableName(evidence.path);
  const flow = { width: style.width, gap: '  ', rest: indent };
  if (verdict.kind !== 'pass')
    return flowed([word, name, ...sizePieces(evidence), ...wrapReason(verdict, style)], flow);
  const digest = evidence.guest?.digest ?? '';
  const rest = [...sizePieces(evidence), ...timePieces(evidence)];
  const oneLine = flowed([word, digest, name, ...rest], flow);
  if (oneLine.length === 1) return oneLine;
  return [...flowed([word, name, ...rest], flow), `${indent}${evidence.algorithm} ${digest}`];
}

/** The reason is prose: a piece for each of its lines. */
function wrapReason(verdict: Verdict, style: Style): string[] {
  return wrapped(printable(verdict.reason), { width: style.width - indent.length });
}

function sizePieces({ guest, host }: ComparisonEvidence): string[] {
  const sizes = [guest, host].flatMap((side) => (side === undefined ? [] : [formatBytes(side.bytes)]));
  return [...new Set(sizes)].length === 1 ? sizes.slice(0, 1) : [];
}

function timePieces({ guest, host }: ComparisonEvidence): string[] {
  const seconds = Math.max(guest?.seconds ?? 0, host?.seconds ?? 0);
  return seconds > 0 ? [formatSeconds(seconds)] : [];
}

function rateLines({ guest, host, expected }: ComparisonEvidence, style: Style): string[] {
  const rates = [
    ['guest', guest],
    ['host', host],
  ] as const;
  const pieces = rates.flatMap(([name, side]) => {
    const rate = side === undefined ? undefined : formatRate(side.bytes, side.seconds);
    return rate === undefined ? [] : [`${name} ${rate}`];
  });
  if (expected !== undefined) pieces.push('as expected');
  if (pieces.length === 0) return [];
  return flowed([indent + pieces[0], ...pieces.slice(1)], { width: style.width, gap: '   ', rest: indent });
}

/** What each side's own pass gave, in the form that md5sum prints. */
function digestLines({ guest, host, expected, algorithm }: ComparisonEvidence, style: Style): string[] {
  const sizesDiffer = guest !== undefined && host !== undefined && guest.bytes !== host.bytes;
  const line = (who: string, side: SideDigest | undefined) => {
    if (side === undefined) return [];
    const left = `${indent}${padTo(who, 10)}${algorithm} ${side.digest}`;
    return sizesDiffer ? ends(left, count(side.bytes, 'byte'), style.width) : [left];
  };
  const matches = [
    ...(guest?.digest === expected ? ['guest'] : []),
    ...(host?.digest === expected ? ['host'] : []),
  ];
  return [
    ...line('guest', guest),
    ...line('host', host),
    ...(expected === undefined
      ? []
      : ends(
          `${indent}${padTo('expected', 10)}${algorithm} ${expected}`,
          matches.length === 0 ? 'neither side' : `= ${matches.join(' and ')}`,
          style.width,
        )),
  ];
}

export const voterWords: Readonly<Record<Voter, string>> = {
  'guest-cache': 'guest, through its cache',
  'host-cache': 'host, through its cache',
  'guest-evicted': 'guest, file evicted',
  'host-direct': 'host, past its cache',
  expected: 'expected',
};

/**
 * Who agrees with whom. The letters are the answer; a digest is of the ranges that were looked at again, so
 * only its beginning is shown, to be told from the others.
 */
function voteLines(votes: readonly Vote[], style: Style): string[] {
  const looks = votes.filter(({ who }) => who !== 'expected');
  if (looks.length === 0) return [];
  const groups = [...new Set(looks.flatMap(({ digest }) => digest ?? []))];
  const lines = looks.flatMap(({ who, digest, note }) => {
    const label = `${indent}  ${padTo(voterWords[who], 26)}`;
    if (digest === undefined)
      return wrapped(printable(note ?? 'not asked'), { width: style.width, first: label });
    const letter = String.fromCharCode(65 + groups.indexOf(digest));
    const first = `${label}${letter}  ${digest.length > 10 ? `${digest.slice(0, 8)}…` : digest}`;
    return note === undefined
      ? [first]
      : wrapped(printable(note), { width: style.width, first: `${first}  ` });
  });
  return [`${indent}looked at again:`, ...lines];
}

function rangeLines(evidence: ComparisonEvidence, style: Style): string[] {
  const { ranges, rangesTotal } = evidence;
  if (ranges.length === 0) return [];
  const size = Math.max(evidence.guest?.bytes ?? 0, evidence.host?.bytes ?? 0);
  const shown = ranges.slice(0, maxRangesShown).map((range) => rangeWords(range, size));
  const title = `${indent}differs in ${count(Math.max(rangesTotal, ranges.length), 'range')}`;
  if (ranges.length === 1 && rangesTotal <= 1) {
    return flowed([title, ...shown], { width: style.width, gap: '   ', rest: `${indent}  ` });
  }
  const more = Math.max(rangesTotal, ranges.length) - shown.length;
  return [
    `${title}:`,
    ...shown.map((words) => `${indent}  ${words}`),
    ...(more > 0
      ? [`${indent}  … and ${more.toLocaleString('en-US')} more; --json has all that were kept`]
      : []),
  ];
}

const page = 4096;

/** `0x0001c000–0x0001cfff  (4.0 KiB, page 28 of 308)`: bytes from and to, both included; pages from 0. */
export function rangeWords({ offset, length }: { offset: number; length: number }, size: number): string {
  const hex = (at: number) => `0x${at.toString(16).padStart(8, '0')}`;
  const first = Math.floor(offset / page);
  const last = Math.floor((offset + length - 1) / page);
  const pages = first === last ? `page ${first}` : `pages ${first}–${last}`;
  return `${hex(offset)}–${hex(offset + length - 1)}  (${formatBytes(length)}, ${pages} of ${Math.ceil(size / page)})`;
}

function permissionLines({ permitted }: ComparisonEvidence, style: Style): string[] {
  if (permitted === undefined) return [];
  return [
    ...wrapped(printable(permitted.words), { width: style.width, first: indent }),
    ...sourceLines(permitted.sources, indent, style),
  ];
}

/** What the measurement itself changed. */
export function disturbedLines(disturbed: readonly string[], style: Style): string[] {
  if (disturbed.length === 0) return [];
  const paint = paintFor(style.color);
  const text = `measuring changed: ${disturbed.map(printable).join('; ')}`;
  return wrapped(text, { width: style.width, first: indent, rest: `${indent}  ` }).map(paint.faint);
}
