/**
 * The short forms in which the contract's rows are written.
 *
 * A column is a cache policy with or without writeback; flags that change a promise have columns of their
 * own (see rows.ts).
 */
import type { Promise as Promised } from '../model/promise.ts';

/** What one scenario promises in one column. */
export type Cell = Promised['freshness'];

/** Fresh at once. */
export const fresh: Cell = { kind: 'fresh' };

/** Stale for at most this many seconds after the last refresh. */
export function staleFor(seconds: number): Cell {
  return { kind: 'stale-for', ms: seconds * 1000 };
}

/** Stale until one of these events. */
export function staleUntil(...events: readonly string[]): Cell {
  return { kind: 'stale-until', events };
}

/** Refused with an errno. */
export function refused(errno: string): Cell {
  return { kind: 'error', errno };
}

/** The other side's bytes may be overwritten. */
export const mayLose: Cell = { kind: 'may-lose' };

/** The timeouts that virtiofsd sends in its entry and attribute replies (passthrough/mod.rs, main.rs), in seconds. */
export const autoTimeout = 1;
export const alwaysTimeout = 86_400;
