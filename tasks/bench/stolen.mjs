import { readFileSync } from 'node:fs';

/**
 * Processor time of this machine since it was started, in ticks: all of it, and what a hypervisor gave to others while
 * something here wanted to run (`steal`, proc(5)).
 * @typedef {{ all: number, stolen: number }} ProcessorTime
 */

/** @returns {ProcessorTime} */
export function processorTime() {
  const [, ...fields] = (readFileSync('/proc/stat', 'latin1').split('\n')[0] ?? '').split(/\s+/);
  // The last two are guests', and are in the first two already.
  const ticks = fields.slice(0, 8).map(Number);
  return { all: ticks.reduce((sum, each) => sum + each, 0), stolen: ticks[7] ?? 0 };
}

/** From this part on, what is measured here is mostly the neighbours. */
const muchStolen = 0.05;

/**
 * A warning for whoever reads the figures; undefined where there is nothing to warn of.
 * @param {ProcessorTime} before
 * @param {ProcessorTime} after
 */
export function describeStolen(before, after) {
  const part = (after.stolen - before.stolen) / (after.all - before.all);
  if (!(part >= muchStolen)) return undefined;
  return `${Math.round(100 * part)} % of this machine's processor time went to others (steal): measure again on a quieter one`;
}
