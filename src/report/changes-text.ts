import type { Change, Report } from '../model/report.ts';
import { changesWords, listed } from './answer.ts';
import { flowed, padTo, type Style, wrapped } from './layout.ts';
import { printable } from './printable.ts';
import { count } from './quantities.ts';

const indent = '  ';
const maxShown = 40;

/** What is another than in an earlier run, a line for each case. */
export function changeLines({ baseline }: Report, style: Style): string[] {
  if (baseline === undefined) return [];
  const { changes, file, startedAt, unchanged } = baseline;
  const sorted = changedBoth(changes);
  const more = sorted.length - maxShown;
  return [
    '',
    ...wrapped(
      `${changesWords(changes)}; ${count(unchanged, 'case')} as in ${printable(file)} of ${printable(startedAt.slice(0, 16))}`,
      { width: style.width },
    ),
    ...sorted.slice(0, maxShown).flatMap((change) => lineOf(change, style)),
    ...onlyInOne(changes).flatMap(({ what, words }) =>
      wrapped(words, { width: style.width, first: indent + padTo(what, 8) }),
    ),
    ...(more > 0 ? [`${indent}… and ${more.toLocaleString('en-US')} more; --json has them all`] : []),
  ];
}

/** Cases of both runs, what matters most first. */
export function changedBoth(changes: readonly Change[]): readonly Change[] {
  return (['worse', 'better', 'other'] as const).flatMap((what) =>
    changes.filter((change) => change.what === what),
  );
}

/** Cases that only one of the runs has: how many, of which checks, and how many of them fail. */
export function onlyInOne(changes: readonly Change[]): { what: 'new' | 'gone'; words: string }[] {
  return (['new', 'gone'] as const).flatMap((what) => {
    const only = changes.filter((change) => change.what === what);
    const fails = only.filter(({ before, after }) => (after ?? before)?.kind === 'fail').length;
    const failing = fails === 0 ? '' : `, of which ${fails} ${what === 'new' ? 'fail' : 'failed'}`;
    const checks = [...new Set(only.map(({ check }) => check))].map(printable);
    return only.length === 0
      ? []
      : [{ what, words: `${count(only.length, 'case')} of ${listed(checks)}${failing}` }];
  });
}

function lineOf(change: Change, style: Style): string[] {
  const words = [change.guest ?? '', change.check, change.mode, change.case];
  const name = words.filter((word) => word !== '').join(' / ');
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
