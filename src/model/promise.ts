/**
 * What the contract says for one scenario in one mode. Stale is permitted up to a bound, never required.
 */
export interface Promise {
  readonly scenario: string;
  /** What is promised. Most promises speak of how fresh the other side's view is; `kind` says of what this one does. */
  readonly freshness: Commitment;
  /** The mechanism, in words. */
  readonly because: string;
  /** Where it is written: program, version, file, function. */
  readonly sources: readonly string[];
}

/** One promise, without the words around it. */
export type Commitment =
  | { readonly kind: 'fresh' }
  /** Old bytes or attributes may be seen for at most this long after the last refresh. */
  | { readonly kind: 'stale-for'; readonly ms: number }
  /** Old bytes or attributes may be seen until one of these events happens. */
  | { readonly kind: 'stale-until'; readonly events: readonly string[] }
  /** The operation is refused with this errno. */
  | { readonly kind: 'error'; readonly errno: string }
  /** Bytes that the other side wrote may be overwritten. */
  | { readonly kind: 'may-lose' }
  /** Two writers: every byte that either of them wrote is there afterwards. */
  | { readonly kind: 'keeps' }
  /** What a local file system would do; `orErrnos`: it may be refused with one of these instead. */
  | { readonly kind: 'as-local'; readonly orErrnos?: readonly string[] }
  /** A lock that is held keeps the other one out. */
  | { readonly kind: 'excludes' }
  /** A lock is granted although the other place holds it: it excludes only within its own kernel and mount. */
  | { readonly kind: 'local-only' }
  /** What was acknowledged by this event survives. */
  | { readonly kind: 'durable-after'; readonly events: readonly string[] }
  /** A failure to store is reported by one of these calls at the latest; an earlier call may report it. */
  | { readonly kind: 'surfaces'; readonly at: readonly string[] }
  /** Where bytes come from: a path, or a path and medium, of model/account.ts (`guest-cache`, `fuse/disk`). */
  | { readonly kind: 'served-by'; readonly ways: readonly string[] }
  /** Nothing is promised; what is seen is reported and not judged. */
  | { readonly kind: 'reported'; readonly what: string };

/** A promise in words, as reports print it. */
export function describePromise(promise: Pick<Promise, 'freshness'>): string {
  const { freshness } = promise;
  switch (freshness.kind) {
    case 'fresh':
      return 'fresh at once';
    case 'stale-for':
      return `stale for at most ${formatBound(freshness.ms)} after the last refresh`;
    case 'stale-until':
      return `stale until ${freshness.events.join(' or ')}`;
    case 'error':
      return `refused with ${freshness.errno}`;
    case 'may-lose':
      return "the other side's bytes may be overwritten";
    case 'keeps':
      return 'no byte of either writer is lost';
    case 'as-local':
      return freshness.orErrnos === undefined
        ? 'as on a local file system'
        : `as on a local file system, or refused with ${freshness.orErrnos.join(' or ')}`;
    case 'excludes':
      return 'the lock excludes';
    case 'local-only':
      return 'the lock is granted and excludes nobody there';
    case 'durable-after':
      return `durable after ${freshness.events.join(' or ')}`;
    case 'surfaces':
      return `reported by ${freshness.at.join(' or ')} at the latest`;
    case 'served-by':
      return `served by ${freshness.ways.join(' or ')}`;
    case 'reported':
      return `not promised: ${freshness.what}`;
  }
}

/**
 * For how long old bytes, attributes or names may be seen, in milliseconds: 0 where they never may, infinity
 * where only an event ends it; undefined for a promise that does not speak of freshness.
 */
export function staleMsMax(promise: Pick<Promise, 'freshness'>): number | undefined {
  switch (promise.freshness.kind) {
    case 'fresh':
      return 0;
    case 'stale-for':
      return promise.freshness.ms;
    case 'stale-until':
      return Number.POSITIVE_INFINITY;
    default:
      return undefined;
  }
}

function formatBound(ms: number): string {
  if (ms >= 3_600_000) return `${ms / 3_600_000} h`;
  return `${ms / 1000} s`;
}
