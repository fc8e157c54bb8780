import type { TreeDifference, TreeEvidence } from '../model/comparison.ts';
import type { Environment, Result } from '../model/report.ts';
import { disturbedLines } from './comparison-text.ts';
import { flowed, padTo, type Style, wrapped } from './layout.ts';
import { paintFor } from './paint.ts';
import { printable, printableName } from './printable.ts';
import { count, formatBytes, formatSeconds } from './quantities.ts';
import { nextLines, shareLines, verdictWord } from './verdict-text.ts';

const indent = '      ';
const maxShown = 20;

export const kindWords: Readonly<Record<TreeDifference['what'], string>> = {
  'only-guest': 'only in the guest',
  'only-host': 'only on the host',
  type: 'another type',
  size: 'another size',
  target: 'another target',
  digest: 'other bytes',
  unreadable: 'unreadable',
  changed: 'changed meanwhile',
};

/** One compared tree: the answer, the names that differ, the next step. */
export function treeLines(
  result: Result,
  evidence: TreeEvidence,
  environment: Environment,
  style: Style,
): string[] {
  const { verdict } = result;
  const paint = paintFor(style.color);
  const names = count(evidence.entries, 'name');
  const told =
    verdict.kind === 'pass'
      ? [names, formatBytes(evidence.bytes), formatSeconds(evidence.seconds)]
      : [
          ...(evidence.differencesTotal > 0
            ? [`${evidence.differencesTotal.toLocaleString('en-US')} of ${names}`]
            : []),
          ...wrapped(printable(verdict.reason), { width: style.width - indent.length }),
        ];
  return [
    ...flowed(
      [paint.verdict(verdict.kind, verdictWord(verdict.kind)), printableName(evidence.path), ...told],
      {
        width: style.width,
        gap: '  ',
        rest: indent,
      },
    ),
    ...differenceLines(evidence, style),
    ...shareLines(evidence.share, environment, style),
    ...disturbedLines(evidence.disturbed, style),
    ...nextLines(verdict, style),
  ];
}

function differenceLines({ differences, differencesTotal }: TreeEvidence, style: Style): string[] {
  const shown = differences.slice(0, maxShown);
  const more = Math.max(differencesTotal, differences.length) - shown.length;
  return [
    ...shown.flatMap((difference) => {
      const label = `${indent}${padTo(kindWords[difference.what], 19)}`;
      const name = difference.path === '' ? '(the directory itself)' : printableName(difference.path);
      return flowed([label + name, ...bothWords(difference)], {
        width: style.width,
        gap: '  ',
        rest: ' '.repeat(label.length),
      });
    }),
    ...(more > 0
      ? [`${indent}… and ${more.toLocaleString('en-US')} more; --json has all that were kept`]
      : []),
  ];
}

/** Digests say nothing to a reader beyond that they differ. */
export function bothWords({ what, guest, host }: TreeDifference): string[] {
  if (what === 'digest' || guest === undefined || host === undefined) return [];
  return [`guest ${printable(String(guest))}, host ${printable(String(host))}`];
}
