import type { Ledger } from '../model/account.ts';
import type { DaemonSplit } from './daemon-bytes.ts';
import { PageSet } from './page-set.ts';
import type { Replayed, Way } from './replay.ts';
import type { ReadSamples } from './samples.ts';

/** The ways that reads of this run may have taken, before any count is looked at. */
export function possibleWays({ before, direct, mapped }: ReadSamples): readonly Way[] {
  if (before.dax === true) return ['dax'];
  if (direct) return ['past-cache'];
  // A load can only come from a page in the cache.
  if (mapped) return ['cached'];
  return ['cached', 'past-cache'];
}

/** A way with the counts as they read if it was the one. */
export interface Candidate {
  readonly replayed: Replayed;
  /** Whole pages that must have been fetched: those asked for, and those that came uncalled. */
  readonly neededBytes: number;
  readonly daemon: DaemonSplit | undefined;
}

/** The way that was taken, and whether the guest's kernel keeps what it fetches. */
export interface ChosenWay extends Candidate {
  readonly guestCaches: Ledger['guestCaches'];
  /** Another way that states and counts do not rule out. */
  readonly alternative?: Replayed;
}

/** Requests that cannot agree in number and in bytes by accident. */
const manyRequests = 16;

/**
 * Judges from the state afterwards whether the guest caches, not from the mode's name: a page that was
 * fetched and is still there was kept. Where none is there, bytes and requests that crossed tell a mode that
 * keeps nothing from one whose pages were evicted, or leave both open.
 */
export function chooseWay(samples: ReadSamples, candidates: readonly Candidate[]): ChosenWay {
  const [first, second] = candidates;
  if (first === undefined) throw new Error('an account needs one way at least');
  const kept = keptPages(samples, first);
  if (second === undefined || kept === 'some')
    return { ...first, guestCaches: kept === 'some' ? 'yes' : 'not-known' };
  const rather = kept === 'none' ? second : first;
  const other = rather === first ? second : first;
  if (rather.daemon === undefined || other.daemon === undefined)
    return { ...rather, guestCaches: kept === 'none' ? 'no' : 'not-known', alternative: other.replayed };
  if (!other.daemon.fits || matches(rather)) return decided(rather, second);
  if (!rather.daemon.fits || matches(other)) return decided(other, second);
  return { ...rather, guestCaches: kept === 'none' ? 'no' : 'not-known', alternative: other.replayed };
}

function decided(candidate: Candidate, pastCache: Candidate): ChosenWay {
  return { ...candidate, guestCaches: candidate === pastCache ? 'no' : 'yes' };
}

/** Of the pages that this way fetches, whether some are in the guest's cache afterwards. */
function keptPages({ after }: ReadSamples, { replayed }: Candidate): 'some' | 'none' | 'not-known' {
  if (replayed.way !== 'cached' || after.guest === undefined || replayed.fetched.size === 0)
    return 'not-known';
  const now = PageSet.of(after.guest);
  for (const page of replayed.fetched) if (now.has(page)) return 'some';
  return 'none';
}

/** To the page and to the request, and with so many of both that it is no accident. */
function matches({ daemon, neededBytes, replayed }: Candidate): boolean {
  if (daemon === undefined || daemon.bytes[0] !== neededBytes || daemon.bytes[1] - neededBytes >= 4096)
    return false;
  const [least, most] = replayed.requestsNeeded;
  return least >= manyRequests && daemon.requests[0] >= least && daemon.requests[0] <= most;
}
