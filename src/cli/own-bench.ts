import type { BenchMaker } from '../run/gangs.ts';
import type { Sides } from './sides.ts';

/** Makes machines for cases that spoil theirs, where the run is on a lab. */
export function benchMaker({ lab }: Pick<Sides, 'lab'>): BenchMaker | undefined {
  return lab === undefined ? undefined : undefined;
}
