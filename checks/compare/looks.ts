import type { Observed, Setting } from '../../src/model/check.ts';
import type { ShareWords } from '../../src/model/comparison.ts';
import type { Algorithm, EvictResult, HashResult, PageState } from '../../src/model/operation.ts';
import { differingRanges, firstRanges, type Range } from '../../src/model/ranges.ts';
import { triageLimit } from '../../src/model/triage.ts';

/** What a comparison's plan and its judge both need: its arguments, and what its steps gave. */

/** Arguments of this check, as the command sets them. */
export interface CompareArgs {
  readonly guestPath: string;
  readonly hostPath: string;
  readonly algorithm: Algorithm;
  readonly expect?: string;
  readonly timeoutMs: number;
}

/** Bytes of one block's digest in the first pass. */
export const block = 1024 * 1024;

/** Whole-file looks (stat, open, page state) may take this long, in milliseconds. */
export const lookLimit = 20_000;

/** How the share is called in evidence. */
export function shareWords(setting: Setting): ShareWords {
  return (
    setting.share ?? {
      mode: setting.mode?.name ?? 'unknown',
      how: setting.mode === undefined ? 'not known' : 'declared',
    }
  );
}

/** The arguments of a comparison. */
export function argsOf(setting: Setting): CompareArgs {
  return setting.args as unknown as CompareArgs;
}

/** The fast digest, which says where two files differ, where both sides have it: plain node has only md5. */
export function quickDigest({ views }: Setting): 'xxh3' | 'md5' {
  const isWithout = [views.guest, views.host].some(
    (view) => view?.features.includes('md5') === true && !view.features.includes('xxh3'),
  );
  return isWithout ? 'md5' : 'xxh3';
}

/** What both first passes gave. */
export function hashesOf(observed: Observed): [HashResult | undefined, HashResult | undefined] {
  return [observed.value<HashResult>('guest-hash'), observed.value<HashResult>('host-hash')];
}

/** The blocks that differ between the two first passes. */
export function coarseRanges(observed: Observed, guest: HashResult, host: HashResult): Promise<Range[]> {
  const end = Math.max(guest.bytes, host.bytes);
  return differingRanges(observed.bulk('guest-hash'), observed.bulk('host-hash'), { start: 0, block, end });
}

/** What triage reads again: the leading differing ranges below the shorter side's end. */
export async function rangesToLookAt(
  observed: Observed,
  guest: HashResult,
  host: HashResult,
): Promise<Range[]> {
  const common = Math.min(guest.bytes, host.bytes);
  const coarse = await coarseRanges(observed, guest, host);
  const clipped = coarse
    .filter(({ offset }) => offset < common)
    .map(({ offset, length }) => ({ offset, length: Math.min(length, common - offset) }));
  return firstRanges(clipped, triageLimit.ranges, triageLimit.bytes);
}

/** Whether the vote with an evicted file could be taken. */
export function evicted(observed: Observed): boolean {
  return observed.value<EvictResult>('guest-evict')?.evicted === true;
}

/** Dirty pages and those under writeback. */
export function dirtyPages(pages: PageState | undefined): number {
  return (pages?.dirty ?? 0) + (pages?.writeback ?? 0);
}
