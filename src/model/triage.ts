import type { Step } from './check.ts';
import type { Layer } from './comparison.ts';
import type { Range } from './ranges.ts';

/**
 * Triage of a difference by votes, in an order in which no vote spoils the next: dirty pages were sampled
 * before anything was opened; then the guest and the host again, each through its cache; then the guest
 * after evicting the range (never where it has dirty pages: that would write them back over the host's
 * bytes); the host by O_DIRECT last, because it makes the host flush that range.
 */

/** The page size at which differing blocks are narrowed down. */
export const fineBlock = 4096;

/** How much of the difference is looked at again: ranges and bytes. The rest keeps its coarse ranges. */
export const triageLimit = { ranges: 32, bytes: 256 * 1024 * 1024 } as const;

/** The four ways of looking, as the first part of their steps' ids. */
export type Look = 'guest-cache' | 'host-cache' | 'guest-evicted' | 'host-direct';

/** The id of the step in which `look` reads range number `index`. */
export function lookId(look: Look, index: number): string {
  return `${look}-${index}`;
}

/** Reads every range again, one step each, through a descriptor or (for O_DIRECT) by path. */
export function lookSteps(
  look: Look,
  ranges: readonly Range[],
  target: { readonly file: string } | { readonly path: string; readonly direct: true },
  algorithm: 'xxh3' | 'md5',
  options: { readonly limit: NonNullable<Step['limit']>; readonly after?: Step['after'] },
): Step[] {
  return ranges.map((range, index) => ({
    id: lookId(look, index),
    actor: look.startsWith('guest') ? 'guest' : 'host',
    op: {
      do: 'hash',
      ...target,
      algorithm,
      block: fineBlock,
      ...(algorithm === 'md5' ? { blockAlgorithm: 'md5' as const } : {}),
      range,
      sync: look.startsWith('guest') ? 'dont' : 'as-is',
    },
    limit: options.limit,
    mayFail: true,
    ...(options.after !== undefined && index === 0 ? { after: options.after } : {}),
  }));
}

/** Everything that the layer is told from. Digests are of the ranges looked at, joined; absent: no such vote. */
export interface Votes {
  readonly guestCache: string | undefined;
  readonly hostCache: string | undefined;
  readonly guestEvicted: string | undefined;
  readonly hostDirect: string | undefined;
  /** Pages that were dirty or under writeback in the guest before it was read. */
  readonly guestDirty: number;
  readonly guestSize: number;
  readonly hostSize: number;
  /** The two sides say that the name stands for different inodes. */
  readonly otherInode: boolean;
}

/**
 * Names the layer that a difference sits in; undefined where the votes do not tell.
 */
export function layerOf(votes: Votes): Layer | undefined {
  if (votes.guestCache === undefined || votes.hostCache === undefined) return undefined;
  const samePrefix = votes.guestCache === votes.hostCache;
  if (samePrefix && votes.guestSize === votes.hostSize) return 'caught-up';
  if (votes.guestDirty > 0) return 'guest-not-written-back';
  if (votes.otherInode) return 'stale-name';
  if (samePrefix) return 'stale-size';
  if (votes.guestEvicted === votes.hostCache) return 'stale-guest-cache';
  if (votes.hostDirect !== undefined && votes.hostDirect !== votes.hostCache) return 'host-cache-vs-medium';
  if (votes.guestEvicted !== undefined && votes.guestEvicted === votes.guestCache) return 'daemon';
  return undefined;
}
