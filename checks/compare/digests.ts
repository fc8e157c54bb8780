import type { Observed, Promises } from '../../src/model/check.ts';
import {
  type ComparisonEvidence,
  type Layer,
  layerScenarios,
  layerWords,
  type Vote,
} from '../../src/model/comparison.ts';
import type { EvictResult, HashResult, Stat } from '../../src/model/operation.ts';
import { describeOutcome, isPointless } from '../../src/model/outcome.ts';
import { describePromise } from '../../src/model/promise.ts';
import { differingRanges, mergeRanges, type Range } from '../../src/model/ranges.ts';
import { shellWord } from '../../src/model/shell-word.ts';
import { fineBlock, type Look, layerOf, lookId, type Votes } from '../../src/model/triage.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { adviceFor, dropNames } from './ends.ts';
import {
  argsOf,
  type CompareArgs,
  coarseRanges,
  dirtyPages,
  evicted,
  hashesOf,
  rangesToLookAt,
  shareWords,
} from './looks.ts';

/** The verdict where both sides could be read. */
export async function judgeDigests(observed: Observed, promises: Promises): Promise<Verdict> {
  const [guest, host] = hashesOf(observed);
  if (guest === undefined || host === undefined) {
    const atGuest = guest === undefined && !isPointless(observed.outcome('guest-hash'));
    const [side, step] = atGuest ? ['guest', 'guest-hash'] : ['host', 'host-hash'];
    return {
      kind: 'unknown',
      code: 'not-readable',
      reason: `the ${side} could not read the file to its end: ${describeOutcome(observed.outcome(step))}`,
      next: 'repeat; if it stays so, look at the kernel messages of that side',
    };
  }
  const changed = changedWhileHashed(observed, guest, host);
  const base = evidenceOf(observed, guest, host);
  if (changed !== undefined) {
    return {
      kind: 'unknown',
      code: 'changed-while-hashed',
      reason: `the file changed while it was read (${changed})`,
      next: 'stop the program that writes it, then repeat',
      evidence: { ...base },
    };
  }
  if (guest.digest === host.digest && guest.bytes === host.bytes)
    return judgeEqual(observed, base, guest.digest);
  return judgeUnequal(observed, promises, base, guest, host);
}

function judgeEqual(observed: Observed, base: ComparisonEvidence, digest: string): Verdict {
  const expected = argsOf(observed.setting).expect;
  if (expected === undefined || expected === digest) {
    return {
      kind: 'pass',
      reason:
        expected === undefined
          ? 'both sides read the same bytes'
          : 'both sides read the bytes that were expected',
      evidence: { ...base },
    };
  }
  return {
    kind: 'fail',
    code: 'agree-and-wrong',
    reason: layerWords['both-wrong'],
    promised: `${argsOf(observed.setting).algorithm} ${expected} (--expect)`,
    observed: `${digest} on both sides`,
    next: 'whoever wrote the file wrote something else, or a layer below both sides lost it: write it again and compare at once',
    evidence: { ...base, layer: 'both-wrong', votes: [{ who: 'expected', digest: expected }] },
  };
}

async function judgeUnequal(
  observed: Observed,
  promises: Promises,
  base: ComparisonEvidence,
  guest: HashResult,
  host: HashResult,
): Promise<Verdict> {
  const args = argsOf(observed.setting);
  const looked = await rangesToLookAt(observed, guest, host);
  const layer = layerOf({
    ...looksAt(observed, looked),
    guestDirty: dirtyPages(guest.pages),
    guestSize: guest.bytes,
    hostSize: host.bytes,
    otherInode: namesOtherInodes(observed),
  });
  const refined = await refinedRanges(observed, guest, host, looked);
  const permission = permissionFor(layer, observed, promises);
  const headline = layer === undefined ? 'the two sides read different bytes' : layerWords[layer];
  return {
    kind: 'fail',
    code: permission.code,
    reason: `${headline}${whoIsRight(args, guest, host)}`,
    promised: permission.words,
    observed: `guest ${guest.digest} (${guest.bytes} bytes), host ${host.digest} (${host.bytes} bytes)`,
    sources: permission.sources,
    next: nextFor(layer, observed, promises),
    evidence: {
      ...base,
      ranges: refined,
      rangesTotal: refined.length,
      votes: votesOf(observed, looked),
      ...(layer === undefined ? {} : { layer, layerWords: layerWords[layer] }),
      ...(permission.code === 'differs-permitted' ? { permitted: permission } : {}),
    } satisfies ComparisonEvidence,
  };
}

/** What the contract says of the layer, and which code follows. A layer that has no row is never permitted. */
function permissionFor(
  layer: Layer | undefined,
  observed: Observed,
  promises: Promises,
): { code: string; words: string; sources: readonly string[] } {
  const scenario = layer === undefined ? undefined : layerScenarios[layer];
  if (layer !== undefined && scenario === undefined) {
    return { code: 'differs-forbidden', words: 'No mode permits this.', sources: [] };
  }
  const promise = scenario === undefined ? undefined : promises(scenario);
  const mode = observed.setting.mode?.name ?? 'unknown';
  if (promise === undefined) {
    const words = `The contract knows no promise for this in mode ${mode}: both sides should read the same bytes.`;
    return { code: 'differs', words, sources: [] };
  }
  const allowed = ['stale-for', 'stale-until', 'may-lose'].includes(promise.freshness.kind);
  const words = `Mode ${mode} ${allowed ? 'permits this' : 'does not permit this'}: ${describePromise(promise)}.`;
  return { code: allowed ? 'differs-permitted' : 'differs-forbidden', words, sources: promise.sources };
}

/** With --expect, which side has what was expected. */
function whoIsRight(args: CompareArgs, guest: HashResult, host: HashResult): string {
  if (args.expect === undefined) return '';
  if (args.expect === host.digest) return '; the host has what was expected';
  if (args.expect === guest.digest) return '; the guest has what was expected';
  return '; neither side has what was expected';
}

function namesOtherInodes(observed: Observed): boolean {
  // 9p and a host reached through another file system make inode numbers of their own.
  if (observed.setting.mode === undefined || observed.setting.mode.server === '9p') return false;
  return observed.value<Stat>('guest-stat')?.ino !== observed.value<Stat>('host-stat')?.ino;
}

/** The digests of the four looks; where there was nothing to look at, the two sides agree so far. */
function looksAt(
  observed: Observed,
  looked: readonly Range[],
): Pick<Votes, 'guestCache' | 'hostCache' | 'guestEvicted' | 'hostDirect'> {
  if (looked.length === 0)
    return { guestCache: '', hostCache: '', guestEvicted: undefined, hostDirect: undefined };
  return {
    guestCache: joined(observed, 'guest-cache', looked),
    hostCache: joined(observed, 'host-cache', looked),
    guestEvicted: evicted(observed) ? joined(observed, 'guest-evicted', looked) : undefined,
    hostDirect: joined(observed, 'host-direct', looked),
  };
}

function evidenceOf(observed: Observed, guest: HashResult, host: HashResult): ComparisonEvidence {
  const args = argsOf(observed.setting);
  const seconds = (step: string) => {
    const { beginNs, endNs } = observed.outcome(step);
    return beginNs === undefined || endNs === undefined ? 0 : (endNs - beginNs) / 1e9;
  };
  return {
    kind: 'comparison',
    path: args.guestPath,
    hostPath: args.hostPath,
    algorithm: args.algorithm,
    share: shareWords(observed.setting),
    guest: { digest: guest.digest, bytes: guest.bytes, seconds: seconds('guest-hash') },
    host: { digest: host.digest, bytes: host.bytes, seconds: seconds('host-hash') },
    ...(args.expect === undefined ? {} : { expected: args.expect }),
    ranges: [],
    rangesTotal: 0,
    blockSize: fineBlock,
    votes: [],
    disturbed: disturbances(observed),
  };
}

/**
 * What changed under the reader, in words. A ctime alone is a chmod or a link, and counts only where the
 * digests differ. The guest's attributes may also move because it learned what the host had long before:
 * that is a refresh, not a change.
 */
function changedWhileHashed(observed: Observed, guest: HashResult, host: HashResult): string | undefined {
  const differ = guest.digest !== host.digest;
  const moved = (a: Stat, b: Stat) =>
    a.size !== b.size || a.mtimeNs !== b.mtimeNs || (differ && a.ctimeNs !== b.ctimeNs);
  if (moved(host.before, host.after))
    return 'on the host: its size or mtime moved between the first and the last byte';
  const opened = observed.value<Stat>('host-stat');
  if (differ && opened !== undefined && moved(opened, host.before))
    return 'on the host: between the first look and the hash';
  const refreshed = guest.after.size === host.before.size && guest.after.mtimeNs === host.before.mtimeNs;
  if (moved(guest.before, guest.after) && !refreshed)
    return 'in the guest: its size or mtime moved between the first and the last byte';
  return undefined;
}

function disturbances(observed: Observed): string[] {
  const did = (step: string) => observed.outcome(step).kind === 'value';
  const dax = observed.value<HashResult>('guest-hash')?.before.dax === true;
  return [
    ...(did('guest-hash')
      ? [
          dax
            ? "the host's page cache holds the file now, mapped there for as long as it is in the guest's window"
            : "both sides' page caches hold the file now, where the mode caches",
        ]
      : []),
    ...(did('guest-open') && !dax
      ? ["the guest's open may have dropped its clean pages and flushed dirty ones"]
      : []),
    // close() of any descriptor flushes the inode (fs/fuse/file.c fuse_flush), and there is no other way out.
    ...(dirtyPages(observed.value<HashResult>('guest-hash')?.pages) > 0
      ? ["closing it made the guest write its dirty pages back, over the host's bytes"]
      : []),
    ...(evicted(observed) ? ["one vote evicted the file from the guest's cache"] : []),
    ...(did(lookId('host-direct', 0)) ? ['the vote past the cache made the host flush those ranges'] : []),
  ];
}

/** One look's digests of all ranges, joined; undefined where any is missing. */
function joined(observed: Observed, look: Look, ranges: readonly Range[]): string | undefined {
  const digests = ranges.map((_, index) => observed.value<HashResult>(lookId(look, index))?.digest);
  return digests.length === 0 || digests.includes(undefined) ? undefined : digests.join(' ');
}

function votesOf(observed: Observed, looked: readonly Range[]): Vote[] {
  const { expect, algorithm } = argsOf(observed.setting);
  const expectation: Vote[] =
    expect === undefined ? [] : [{ who: 'expected', digest: expect, note: `${algorithm} of the whole file` }];
  if (looked.length === 0) return expectation;
  const digests = looksAt(observed, looked);
  const votes: Vote[] = [
    voteOf('guest-cache', digests.guestCache, describeOutcome(observed.outcome(lookId('guest-cache', 0)))),
    voteOf('host-cache', digests.hostCache, describeOutcome(observed.outcome(lookId('host-cache', 0)))),
    voteOf('guest-evicted', digests.guestEvicted, whyNotEvicted(observed)),
    voteOf('host-direct', digests.hostDirect, describeOutcome(observed.outcome(lookId('host-direct', 0)))),
  ];
  return [...votes.map((vote) => ({ ...vote, agreesWith: agreeing(vote, votes) })), ...expectation];
}

function voteOf(who: Vote['who'], digest: string | undefined, whyNot: string): Vote {
  return digest === undefined ? { who, note: `left out: ${whyNot}` } : { who, digest };
}

function agreeing(vote: Vote, votes: readonly Vote[]): Vote['who'][] {
  return votes
    .filter((each) => each.who !== vote.who && each.digest !== undefined && each.digest === vote.digest)
    .map(({ who }) => who);
}

function whyNotEvicted(observed: Observed): string {
  const outcome = observed.outcome('guest-evict');
  if (outcome.kind !== 'value') return describeOutcome(outcome);
  const dirty = dirtyPages((outcome.value as EvictResult).before);
  if (dirty > 0)
    return `the guest has ${dirty} dirty pages, and evicting would write them over the host's bytes`;
  return 'the guest kept its pages, or cannot say which are dirty';
}

/** The differing ranges, page by page where triage looked again, whole blocks elsewhere. */
async function refinedRanges(
  observed: Observed,
  guest: HashResult,
  host: HashResult,
  looked: readonly Range[],
): Promise<Range[]> {
  const coarse = await coarseRanges(observed, guest, host);
  if (
    joined(observed, 'guest-cache', looked) === undefined ||
    joined(observed, 'host-cache', looked) === undefined
  )
    return coarse;
  const fine: Range[] = [];
  for (const [index, range] of looked.entries()) {
    const end = range.offset + range.length;
    fine.push(
      ...(await differingRanges(
        observed.bulk(lookId('guest-cache', index)),
        observed.bulk(lookId('host-cache', index)),
        { start: range.offset, block: fineBlock, end },
      )),
    );
  }
  const seen = mergeRanges(looked);
  const rest = coarse.flatMap((range) => without(range, seen));
  const merged = mergeRanges([...fine, ...rest]);
  // Nothing left: the sides agreed when they were read again. The first pass is then all that is known.
  return merged.length === 0 ? coarse : merged;
}

/** What of a range is in none of the (sorted, disjoint) others. */
function without(range: Range, others: readonly Range[]): Range[] {
  const left: Range[] = [];
  let at = range.offset;
  const end = range.offset + range.length;
  for (const other of others) {
    if (other.offset >= end || other.offset + other.length <= at) continue;
    if (other.offset > at) left.push({ offset: at, length: other.offset - at });
    at = Math.max(at, other.offset + other.length);
  }
  if (at < end) left.push({ offset: at, length: end - at });
  return left;
}

function nextFor(layer: Layer | undefined, observed: Observed, promises: Promises): string {
  const args = argsOf(observed.setting);
  const path = shellWord(args.guestPath);
  const scenario = layer === undefined ? undefined : layerScenarios[layer];
  const promise = scenario === undefined ? undefined : promises(scenario);
  const { mode } = observed.setting;
  const fresher =
    mode?.server === '9p' ? 'mount the share with cache=none' : 'serve the share with --cache=never';
  switch (layer) {
    case 'stale-guest-cache':
      return adviceFor(promise, [
        `vfs-verify drop ${path} --side guest (with the same flags)`,
        ...(promise?.freshness.kind === 'fresh' ? [] : [fresher]),
      ]);
    case 'stale-size':
    case 'stale-name':
      return adviceFor(promise, [dropNames, ...(promise?.freshness.kind === 'fresh' ? [] : [fresher])]);
    case 'guest-not-written-back':
      return `fsync the file in the guest (sync ${path}), then repeat`;
    case 'host-cache-vs-medium':
      return "look at the host's kernel messages and its disk: this is below the share";
    case 'daemon':
      return 'see that both paths are one file (--map), then suspect the daemon: compare with another build of it';
    case 'caught-up':
      return 'repeat: they agree now';
    default:
      return 'repeat; if it stays so, keep the evidence with --bundle DIR';
  }
}
