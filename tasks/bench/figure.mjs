/**
 * One line of the bench: what was measured, and what it may be.
 * @typedef {object} Figure
 * @property {string} name
 * @property {import('./statistics.mjs').Estimate} estimate
 * @property {string} unit `×` for a ratio
 * @property {number} budget at most this
 */

/**
 * A bench is a file of its own in tasks/bench; it uses the program as its users do.
 * @typedef {object} Bench
 * @property {string} name
 * @property {string} title
 * @property {number} pairs how many, where nobody says
 * @property {(context: { pairs: number, say: (line: string) => void }) => Promise<Figure[]>} measure
 */

const failAtTimes = 3;

/** @param {Figure} figure */
export function isFarOver({ estimate, budget }) {
  return estimate.median > failAtTimes * budget;
}

/**
 * One line, in columns.
 * @param {Figure} figure
 */
export function describeFigure({ name, estimate, unit, budget }) {
  /** @param {number} value */
  const number = (value) => (unit === '×' ? value.toFixed(3) : value.toFixed(value < 10 ? 2 : 0));
  const interval = estimate.samples > 1 ? `${number(estimate.low)}–${number(estimate.high)}` : '';
  const verdict = estimate.median <= budget ? 'OK' : 'over';
  return [
    name.padEnd(44),
    `${number(estimate.median)} ${unit}`.padStart(10),
    interval.padStart(14),
    `≤ ${number(budget)}`.padStart(9),
    verdict.padStart(6),
  ].join('');
}
