import type { CalibrationAccount, EvictedAccount, Ledger, Source } from '../model/account.ts';
import { type ReadBatch, readsOf } from '../model/read-plan.ts';
import { bookMedium } from './book-medium.ts';
import { bookPath } from './book-path.ts';
import { daemonAccount, daemonBytes } from './daemon.ts';
import { Draft, mediumOf, pathOf } from './draft.ts';
import { ByLatency, type Inferred, inferAll, onlyLatency } from './infer.ts';
import { type Tiers, tiersOf } from './latency.ts';
import { PageSet } from './page-set.ts';
import { defaultMostBytes, Replay, type Replayed } from './replay.ts';
import type { ReadSamples } from './samples.ts';
import { sentence } from './sentence.ts';
import { type Candidate, type ChosenWay, chooseWay, possibleWays } from './way.ts';

/**
 * The account of one run of reads: a pure function of its samples and of the reads in their order.
 *
 * The reads are replayed against the state before them. That says which pages must have crossed to the
 * daemon, and from which medium; the counts afterwards say whether that many bytes did. What crossed beyond
 * that is readahead where the pages are there, else other traffic, and is never booked to this file; what did
 * not cross is unexplained.
 */
export async function account(
  samples: ReadSamples,
  batches: AsyncIterable<ReadBatch> | Iterable<ReadBatch>,
): Promise<Ledger> {
  const tiers = tiersOf(samples);
  const replays = possibleWays(samples).map((way) => new Replay(samples, way, tiers));
  const byLatency = onlyLatency(samples) ? new ByLatency(samples.transport, tiers) : undefined;
  for await (const batch of batches) {
    for (const read of readsOf(samples.plan, batch)) {
      for (const each of replays) each.add(read);
      byLatency?.add(read);
    }
  }
  const chosen = chooseWay(
    samples,
    replays.map((each) => candidate(samples, each.end())),
  );
  return ledgerOf(samples, chosen, tiers, byLatency?.end());
}

function candidate(samples: ReadSamples, replayed: Replayed): Candidate {
  const uncalled = uncalledPages(samples, replayed);
  const neededBytes = replayed.neededBytes + uncalled.bytes;
  const [least, most] = replayed.requestsNeeded;
  const ownRequests = [
    Math.max(least, Math.ceil(neededBytes / (samples.maxRequest ?? defaultMostBytes))),
    most + uncalled.pages,
  ] as const;
  return { replayed, neededBytes, daemon: daemonBytes(samples, replayed, neededBytes, ownRequests) };
}

/** Pages that are in the guest's cache now, were not before, and that nobody asked for: readahead. */
function uncalledPages(samples: ReadSamples, replayed: Replayed): { pages: number; bytes: number } {
  const { before, after } = samples;
  if (replayed.way !== 'cached' || before.guest === undefined || after.guest === undefined)
    return { pages: 0, bytes: 0 };
  const had = PageSet.of(before.guest);
  const size = after.guest.pageSize;
  let pages = 0;
  let bytes = 0;
  for (const page of PageSet.of(after.guest)) {
    if (had.has(page) || replayed.reached.has(page)) continue;
    pages += 1;
    bytes += Math.max(0, replayed.host.clip((page + 1) * size) - page * size);
  }
  return { pages, bytes };
}

function ledgerOf(
  samples: ReadSamples,
  chosen: ChosenWay,
  tiers: Tiers | undefined,
  byLatency: Inferred | undefined,
): Ledger {
  const { replayed, daemon, neededBytes } = chosen;
  const evicted = evictedMeanwhile(samples, replayed);
  const draft = new Draft(new Map<Source, number>([['unexplained', 0], ...(byLatency ?? replayed).bytes]));
  const path = replayed.way === 'dax' ? 'dax' : samples.transport;
  let settle: Rename = (each) => each;
  if (byLatency === undefined) {
    bookMedium(draft, samples, chosen, evicted, tiers);
    bookPath(draft, samples, chosen, evicted);
    bookAlternative(draft, chosen);
    settle = settledMedium(draft, path);
  }
  if (daemon === undefined) inferAll(draft, samples, tiers, byLatency);
  const requests = new Map(
    [...(byLatency ?? replayed).requests].map(([source, each]) => [settle(source), each]),
  );
  const lines = draft.lines(requests, (source) => standing(source, samples, chosen), replayed.gotBytes);
  return {
    sentence: sentence({ bytes: replayed.gotBytes, lines, storage: samples.host }),
    bytes: replayed.gotBytes,
    requests: replayed.reads,
    emptyReads: replayed.emptyReads,
    lines,
    storage: samples.host,
    unexplainedBytes: lines
      .filter(({ known }) => known === 'unexplained')
      .reduce((sum, { bytes }) => sum + bytes, 0),
    guestCaches: chosen.guestCaches,
    ...(daemon === undefined ? {} : { daemon: daemonAccount(samples, daemon) }),
    readahead: readaheadOf(samples, chosen, evicted),
    ...otherTraffic(chosen, evicted, neededBytes),
    evictedMeanwhile: evicted,
    ...(samples.before.host === undefined
      ? {}
      : {
          hostPages: {
            reached: replayed.host.touched.size,
            residentBefore: replayed.host.touchedResident,
          },
        }),
    latency: byLatency?.latency ?? renamed(replayed.latency, settle),
    crossChecks: readerCheck(samples, replayed),
    ...(tiers === undefined ? {} : { calibration: calibrationWords(tiers) }),
    unseen: distinct(samples.unseen),
  };
}

type Rename = (source: Source) => Source;

/**
 * The replay could not tell the media, and the counters then did, all of them alike: its requests and their
 * latencies are those of that medium.
 */
function settledMedium(draft: Draft, path: 'fuse' | 'dax' | '9p'): Rename {
  const open: Source = `${path}/unexplained`;
  const [only, ...others] = draft.of(path);
  const isSettled = only !== undefined && others.length === 0 && only !== open;
  return (source) => (isSettled && source === open ? only : source);
}

function renamed(latency: Ledger['latency'], rename: Rename): Ledger['latency'] {
  return Object.fromEntries(
    Object.entries(latency).map(([source, summary]) => [rename(source as Source), summary]),
  );
}

/** States and counts leave two ways open: each line is then between what they would make of it. */
function bookAlternative(draft: Draft, { replayed, alternative, daemon }: ChosenWay): void {
  if (alternative === undefined) return;
  for (const source of new Set([...replayed.bytes.keys(), ...alternative.bytes.keys()])) {
    const bytes = alternative.bytes.get(source) ?? 0;
    if (bytes === (replayed.bytes.get(source) ?? 0)) continue;
    draft.reach(source, bytes);
    draft.say(
      source,
      daemon === undefined
        ? 'unless the guest passed its cache by, which nothing counted'
        : 'the counters leave open whether the guest kept what it fetched',
    );
  }
}

/** Readahead on its own line. What others fetched of this file in the guest meanwhile counts as it too. */
function readaheadOf(samples: ReadSamples, chosen: ChosenWay, evicted: EvictedAccount): Ledger['readahead'] {
  const { replayed, daemon, neededBytes } = chosen;
  const asked = replayed.neededBytes;
  const fetched = daemon === undefined ? neededBytes : Math.min(neededBytes, daemon.bytes[1]);
  const seen = samples.before.guest !== undefined && samples.after.guest !== undefined;
  const kept = (evicted.guestPages ?? 0) === 0 && daemon !== undefined && daemon.bytes[0] === neededBytes;
  return {
    askedBytes: asked,
    fetchedBytes: fetched,
    usedBytes: Math.min(asked, fetched),
    known:
      daemon === undefined ? 'inferred' : replayed.way === 'cached' && !(seen && kept) ? 'bounded' : 'proved',
  };
}

function otherTraffic(
  { daemon, replayed }: ChosenWay,
  evicted: EvictedAccount,
  needed: number,
): Pick<Ledger, 'otherTraffic'> {
  if (daemon === undefined || daemon.bytes[1] <= needed) return {};
  const bytes = [Math.max(0, daemon.bytes[0] - needed), daemon.bytes[1] - needed] as const;
  const lost = replayed.way === 'cached' ? (evicted.guestPages ?? 0) : 0;
  return {
    otherTraffic: {
      bytes,
      because:
        lost > 0
          ? `other files of the share, or pages of this one fetched again: ${lost} were evicted in the guest meanwhile`
          : 'the daemon read more than this file can explain: other files of the share',
    },
  };
}

/** Pages that were there, or that this run brought in, and that are absent afterwards. */
function evictedMeanwhile({ before, after }: ReadSamples, { way, fetched, host }: Replayed): EvictedAccount {
  const guest =
    before.guest === undefined || after.guest === undefined
      ? undefined
      : missing([PageSet.of(before.guest), ...(way === 'cached' ? [fetched] : [])], PageSet.of(after.guest));
  const hostPages =
    before.host === undefined || after.host === undefined
      ? undefined
      : missing([PageSet.of(before.host), host.broughtIn], PageSet.of(after.host));
  return {
    ...(guest === undefined ? {} : { guestPages: guest }),
    ...(hostPages === undefined ? {} : { hostPages }),
  };
}

/** @param expected sets that share no page: what was there before, and what came in later. */
function missing(expected: readonly PageSet[], after: PageSet): number {
  let count = 0;
  for (const set of expected) for (const page of set) if (after.knows(page) && !after.has(page)) count += 1;
  return count;
}

/** What a line stands on that nothing speaks against. */
function standing(
  source: Source,
  { before, after }: ReadSamples,
  { daemon, guestCaches }: ChosenWay,
): string {
  const medium = mediumOf(source);
  const crossed = pathOf(source) === 'dax' ? 'the daemon read nothing' : (daemon?.how ?? 'page states');
  if (source === 'unexplained') return 'nothing remains';
  if (source === 'guest-cache') {
    return before.guest === undefined
      ? 'the daemon read nothing'
      : guestCaches === 'yes' && after.guest !== undefined
        ? 'resident before or fetched earlier in this run, and the daemon read no more than the rest'
        : 'resident before, and the daemon read no more than the rest';
  }
  if (medium === 'host-cache') return `${crossed}; resident on the host when it was read`;
  if (medium === 'disk')
    return before.daemonDirect === true
      ? `${crossed}; the daemon reads with O_DIRECT`
      : `${crossed}; absent on the host before, and this the first touch`;
  if (medium === 'hole') return `${crossed}; nothing is stored there`;
  return crossed;
}

/** Each thing once, with its first reason: the later ones mostly follow from it. */
function distinct(unseen: ReadSamples['unseen']): ReadSamples['unseen'] {
  return unseen.filter(({ what }, index) => unseen.findIndex((each) => each.what === what) === index);
}

function calibrationWords({ classes, refused }: Tiers): CalibrationAccount {
  return {
    classes: classes
      .filter(({ fromNs, toNs }) => fromNs < toNs)
      .map(({ toNs, ...tier }) => ({ ...tier, ...(toNs === Number.MAX_VALUE ? {} : { toNs }) })),
    refused,
  };
}

/** What the reading process's own counter says of the same reads. */
function readerCheck(
  { counters: { before, after } }: ReadSamples,
  replayed: Replayed,
): Ledger['crossChecks'] {
  if (before.reader === undefined || after.reader === undefined) return [];
  const counted = after.reader.rchar - before.reader.rchar;
  // Reading the counter is itself a read.
  const agrees = counted >= replayed.gotBytes && counted - replayed.gotBytes <= 4096;
  return [
    {
      name: 'bytes read, by the guest kernel',
      expected: String(replayed.gotBytes),
      observed: String(counted),
      agrees,
    },
  ];
}
