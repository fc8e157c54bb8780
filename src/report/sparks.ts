import type { Style } from './layout.ts';

const levels = {
  unicode: ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
  ascii: ['_', '.', ':', '-', '=', '+', '*', '#'],
};

/**
 * A column for each value, its height by the value's part of the most; what is above nothing is above the lowest
 * level. A blank is a value that nobody saw.
 * @param values 0 to 1, or null
 */
export function sparks(values: readonly (number | null)[], { ascii }: Pick<Style, 'ascii'>): string {
  const heights = ascii === true ? levels.ascii : levels.unicode;
  const top = heights.length - 1;
  return values
    .map((value) => {
      if (value === null) return ' ';
      return heights[value <= 0 ? 0 : Math.min(top, Math.max(1, Math.round(value * top)))] ?? ' ';
    })
    .join('');
}
