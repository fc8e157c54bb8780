import type { Change, Report } from '../model/report.ts';
import { changesWords } from './answer.ts';
import { flowed, padTo, type Style, wrapped } from './layout.ts';
import { printable } from './printable.ts';
import { count } from './quantities.ts';

const indent = '  ';
const maxShown = 40;

/** What matters most first. */
export const changeOrder: readonly Change['what'][] = ['worse', 'better', 'other', 'new', 'gone'];

/** What is another than in an earlier run, a line for each case. */
export function changeLines({ baseline }: Report, style: Style): string[] {
  if (baseline === undefined) return [];
  const { changes, file, startedAt, unchanged } = baseline;
  const sorted = changeOrder.flatMap((what) => changes.filter((change) => change.what === what));
  const more = sorted.length - maxShown;
  return [
    '',
    ...wrapped(
      `${changesWords(changes)}; ${count(unchanged, 'case')} as in ${printable(file)} of ${printable(startedAt.slice(0, 16))}`,
      { width: style.width },
    ),
    ...sorted.slice(0, maxShown).flatMap((change) => lineOf(change, style)),
    ...(more > 0 ? [`${indent}… and ${more.toLocaleString('en-US')} more; --json has them all`] : []),
  ];
}

function lineOf(change: Change, style: Style): string[] {
  const name = [change.check, change.mode, change.case].filter((word) => word !== '').join(' / ');
  return flowed([indent + padTo(change.what, 8) + printable(name), endsOf(change)], {
    width: style.width,
    gap: '  ',
    rest: `${indent}        `,
  });
}

function endsOf({ before, after }: Change): string {
  const word = (ending: Change['before']) =>
    ending === undefined
      ? 'not run'
      : `${ending.kind === 'fail' ? 'FAIL' : ending.kind}${ending.code === undefined ? '' : ` (${ending.code})`}`;
  return printable(`${word(before)} → ${word(after)}`);
}
