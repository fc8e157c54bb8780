import type { Environment, Result } from '../model/report.ts';
import type { DropEvidence, ResidencyEvidence, SideDrop, SideResidency } from '../model/residency.ts';
import { padTo, type Style, wrapped } from './layout.ts';
import { printable, printableName } from './printable.ts';
import { formatBytes } from './quantities.ts';
import { nextLines, shareLines } from './verdict-text.ts';

const indent = '      ';
const shades = ['·', '░', '▒', '▓', '█'];

/** How much of a file each side holds, as a strip of the file. */
export function residencyLines(
  _result: Result,
  evidence: ResidencyEvidence,
  environment: Environment,
  style: Style,
): string[] {
  const answer = evidence.sides.map(
    ({ side, pages }) => `${side} ${pages === undefined ? 'not known' : shareWords(pages)}`,
  );
  return [
    ...wrapped(`${printableName(evidence.path)}  in the page cache: ${answer.join(', ')}`, {
      width: style.width,
    }),
    ...evidence.sides.flatMap((side) => sideLines(side, style)),
    ...shareLines(evidence.share, environment, style),
  ];
}

export function shareWords({ cached, total }: { cached: number; total: number }): string {
  if (total === 0) return 'nothing (empty)';
  const share = (100 * cached) / total;
  if (cached > 0 && cached < total && (share < 0.1 || share > 99.9)) return share < 1 ? '<0.1 %' : '>99.9 %';
  return `${share.toFixed(1)} %`;
}

function sideLines({ side, pages, strip, how }: SideResidency, style: Style): string[] {
  const first = padTo(side, indent.length);
  if (pages === undefined) return wrapped(printable(how), { width: style.width, first });
  const counts =
    `${pages.cached.toLocaleString('en-US')} of ${pages.total.toLocaleString('en-US')} pages` +
    ` (${formatBytes(pages.cached * pages.pageSize)})` +
    ((pages.dirty ?? 0) > 0 ? `, ${pages.dirty?.toLocaleString('en-US')} of them dirty` : '');
  const columns = Math.min(strip?.length ?? 1, style.width - indent.length);
  const isPartly = strip !== undefined && pages.cached > 0 && pages.cached < pages.total;
  const scale = isPartly
    ? `, ${formatBytes(Math.round((pages.total * pages.pageSize) / columns))} a column`
    : '';
  return [
    ...(strip === undefined ? [] : [`${first}${drawn(strip, columns)}`]),
    ...wrapped(printable(`${counts}${scale}, ${how}`), {
      width: style.width,
      first: strip === undefined ? first : indent,
    }),
  ];
}

/** One character for each part of the file: the more of it is cached, the darker. */
function drawn(strip: readonly number[], width: number): string {
  const per = strip.length / Math.min(width, strip.length);
  return Array.from({ length: Math.min(width, strip.length) }, (_, column) => {
    const part = strip.slice(
      Math.floor(column * per),
      Math.max(Math.floor(column * per) + 1, Math.floor((column + 1) * per)),
    );
    const share = part.reduce((sum, each) => sum + each, 0) / part.length;
    if (share <= 0) return shades[0];
    return share >= 1 ? shades[4] : shades[1 + Math.min(2, Math.floor(share * 3))];
  }).join('');
}

/** What a drop really dropped. */
export function dropLines(
  result: Result,
  evidence: DropEvidence,
  environment: Environment,
  style: Style,
): string[] {
  const what = evidence.path === undefined ? 'everything' : printableName(evidence.path);
  const words = evidence.sides
    .map(({ side, outcome, before }) =>
      outcome === 'done' && before?.cached === 0
        ? `${side} nothing was there`
        : `${side} ${outcomeWords[outcome]}`,
    )
    .join('; ');
  return [
    ...wrapped(`${what}  dropped from the page cache: ${words}`, { width: style.width }),
    ...evidence.sides.flatMap((side) =>
      wrapped(printable(sideWords(side)), { width: style.width, first: padTo(side.side, indent.length) }),
    ),
    ...(evidence.path === undefined ? [] : shareLines(evidence.share, environment, style)),
    ...nextLines(result.verdict, style),
  ];
}

export const outcomeWords: Readonly<Record<SideDrop['outcome'], string>> = {
  done: 'wholly',
  partly: 'in part',
  unseen: 'to what extent cannot be told',
  refused: 'left alone',
  failed: 'failed',
};

export function sideWords({ before, after, cacheBytes, how }: SideDrop): string {
  const counts =
    cacheBytes !== undefined
      ? `${formatBytes(cacheBytes[0])} of cache before, ${formatBytes(cacheBytes[1])} after; `
      : before !== undefined && after !== undefined
        ? `${before.cached.toLocaleString('en-US')} pages before, ${after.cached.toLocaleString('en-US')} after; `
        : '';
  return counts + how;
}
