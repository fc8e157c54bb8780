import type { Commitment } from '../model/promise.ts';

/** Events that end what an attribute's age permits as well as what an event is waited for. */
const refreshes = ['a refresh of the attributes', 'a lookup'];

/**
 * What still holds where one of two promises counts and nobody says which, as for a file that its server may or
 * may not have put into DAX state: the weaker one, or what both permit; undefined where the two cannot be told
 * together (refused in one case and not in the other).
 */
export function weaker(a: Commitment, b: Commitment): Commitment | undefined {
  if (JSON.stringify(a) === JSON.stringify(b)) return a;
  for (const [one, other] of [[a, b] as const, [b, a] as const]) {
    if (one.kind === 'reported') return one;
    if (one.kind === 'may-lose' && other.kind === 'keeps') return one;
    if (one.kind === 'fresh' && (other.kind === 'stale-for' || other.kind === 'stale-until')) return other;
    if (one.kind === 'stale-until' && other.kind === 'stale-for')
      return { ...one, events: one.events.filter((event) => refreshes.includes(event)) };
  }
  if (a.kind === 'stale-for' && b.kind === 'stale-for') return a.ms > b.ms ? a : b;
  if (a.kind === 'stale-until' && b.kind === 'stale-until') {
    const events = a.events.filter((event) => b.events.includes(event));
    return { ...a, events };
  }
  if (a.kind === 'as-local' && b.kind === 'as-local')
    return { kind: 'as-local', orErrnos: [...new Set([...(a.orErrnos ?? []), ...(b.orErrnos ?? [])])] };
  if (a.kind === 'served-by' && b.kind === 'served-by')
    return { kind: 'served-by', ways: [...new Set([...a.ways, ...b.ways])] };
  return undefined;
}
