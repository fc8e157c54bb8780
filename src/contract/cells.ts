/**
 * The short forms in which the contract's rows are written.
 */
import type { Commitment } from '../model/promise.ts';

/** What one scenario promises in one column. */
export type Cell = Commitment;

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

/** No byte of either writer is lost. */
export const keeps: Cell = { kind: 'keeps' };

/** As on a local file system. */
export const asLocal: Cell = { kind: 'as-local' };

/** As on a local file system, or refused with one of these. */
export function asLocalOr(...orErrnos: readonly string[]): Cell {
  return { kind: 'as-local', orErrnos };
}

/** The lock excludes. */
export const excludes: Cell = { kind: 'excludes' };

/** The lock is granted and excludes nobody there. */
export const localOnly: Cell = { kind: 'local-only' };

/** Durable once one of these has returned. */
export function durableAfter(...events: readonly string[]): Cell {
  return { kind: 'durable-after', events };
}

/** Reported by one of these calls at the latest. */
export function surfacesAt(...at: readonly string[]): Cell {
  return { kind: 'surfaces', at };
}

/** Served by one of these ways. */
export function servedBy(...ways: readonly string[]): Cell {
  return { kind: 'served-by', ways };
}

/** Reported and not judged. */
export function reported(what: string): Cell {
  return { kind: 'reported', what };
}

/** The timeouts that virtiofsd sends in its entry and attribute replies (passthrough/mod.rs, main.rs), in seconds. */
export const autoTimeout = 1;
export const alwaysTimeout = 86_400;
