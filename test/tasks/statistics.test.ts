import { describe, expect, it } from 'vitest';
import { describeFigure, isFarOver } from '../../tasks/bench/figure.mjs';
import { medianOf, pairs } from '../../tasks/bench/statistics.mjs';

describe('the bench', () => {
  it('alternates who goes first, and keeps what belongs together', async () => {
    const order: string[] = [];
    const step = (name: string) => async () => {
      order.push(name);
      return `${name}${order.length}`;
    };
    const done = await pairs(step('a'), step('b'), 3);
    expect(order.join('')).toBe('abbaab');
    expect(done).toEqual([
      { a: 'a1', b: 'b2' },
      { a: 'a4', b: 'b3' },
      { a: 'a5', b: 'b6' },
    ]);
  });

  // From tables of the binomial distribution: of 10 samples the 2nd and the 9th, of 30 the 10th and the 21st.
  it.each([
    [6, 0, 5],
    [10, 1, 8],
    [30, 9, 20],
  ])('takes the right order statistics of %d samples for the interval', (n, low, high) => {
    const estimate = medianOf(Array.from({ length: n }, (_, index) => n - 1 - index));
    expect(estimate).toMatchObject({ median: (n - 1) / 2, low, high });
    expect(estimate.confidence).toBeGreaterThanOrEqual(0.95);
  });

  it('says how little a few samples are worth', () => {
    expect(medianOf([1, 2, 3])).toMatchObject({ median: 2, low: 1, high: 3, confidence: 0.75 });
  });

  it('prints OK or over, and fails only at three times a budget', () => {
    const figure = { name: 'time', estimate: medianOf([1.2]), unit: '×', budget: 1.05 };
    expect(describeFigure(figure)).toMatch(/^time +1\.200 × +≤ 1\.050 +over$/);
    expect(isFarOver(figure)).toBe(false);
    expect(isFarOver({ ...figure, estimate: medianOf([3.2]) })).toBe(true);
  });
});
