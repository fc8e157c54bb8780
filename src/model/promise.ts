/**
 * What the contract says for one scenario in one mode. Stale is permitted up to a bound, never required.
 */
export interface Promise {
  readonly scenario: string;
  readonly freshness:
    | { readonly kind: 'fresh' }
    /** Old bytes or attributes may be seen for at most this long after the last refresh. */
    | { readonly kind: 'stale-for'; readonly ms: number }
    /** Old bytes or attributes may be seen until one of these events happens. */
    | { readonly kind: 'stale-until'; readonly events: readonly string[] }
    /** The operation is refused with this errno. */
    | { readonly kind: 'error'; readonly errno: string }
    /** Bytes that the other side wrote may be overwritten. */
    | { readonly kind: 'may-lose' };
  /** The mechanism, in words. */
  readonly because: string;
  /** Where it is written: program, version, file, function. */
  readonly sources: readonly string[];
}

/** A promise in words, as reports print it. */
export function describePromise(promise: Promise): string {
  switch (promise.freshness.kind) {
    case 'fresh':
      return 'fresh at once';
    case 'stale-for':
      return `stale for at most ${formatBound(promise.freshness.ms)} after the last refresh`;
    case 'stale-until':
      return `stale until ${promise.freshness.events.join(' or ')}`;
    case 'error':
      return `refused with ${promise.freshness.errno}`;
    case 'may-lose':
      return "the other side's bytes may be overwritten";
  }
}

function formatBound(ms: number): string {
  if (ms >= 3_600_000) return `${ms / 3_600_000} h`;
  return `${ms / 1000} s`;
}
