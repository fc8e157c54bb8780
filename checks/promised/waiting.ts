import type { Setting } from '../../src/model/check.ts';

/** Longer timeouts are not waited for: what they permit is only bounded from above. */
export const waitedForMs = 5000;

/** How long after the timeout a look comes: well outside the slack of the judge's bound. */
export const afterwardsMs = 250;

/**
 * How long the mode keeps names and attributes, by its name; what it promises is the contract's to say, this is only
 * how long it is worth waiting for.
 * @param uncachedMs where it keeps nothing.
 */
export function timeoutOf({ mode }: Setting, uncachedMs = 0): number {
  const own = mode?.flags.find((flag) => flag.startsWith('timeout='));
  if (own !== undefined) return Number(own.slice('timeout='.length)) * 1000;
  if (mode?.server === '9p' || mode?.server === 'local') return 0;
  if (mode?.cache === 'never' || mode?.cache === 'none') return uncachedMs;
  return mode?.cache === 'metadata' || mode?.cache === 'always' ? 86_400_000 : 1000;
}
