import type { EvictedAccount, Medium, Source } from '../model/account.ts';
import type { Draft } from './draft.ts';
import { isMisfit, type TierSource, type Tiers } from './latency.ts';
import type { ReadSamples } from './samples.ts';
import type { ChosenWay } from './way.ts';

interface Booking {
  readonly draft: Draft;
  readonly samples: ReadSamples;
  readonly chosen: ChosenWay;
  readonly evicted: EvictedAccount;
  readonly tiers: Tiers | undefined;
  /** Bytes that were read from the disk for this run at most; undefined where nothing counts them. */
  readonly fromDisk: number | undefined;
  name(medium: Medium): Source;
}

/** Holds the media against the server's own disk reads, the block device, and evictions. */
export function bookMedium(
  draft: Draft,
  samples: ReadSamples,
  chosen: ChosenWay,
  evicted: EvictedAccount,
  tiers: Tiers | undefined,
): void {
  const path = chosen.replayed.way === 'dax' ? 'dax' : samples.transport;
  const booking: Booking = {
    draft,
    samples,
    chosen,
    evicted,
    tiers,
    fromDisk: diskReads(samples, path === 'dax'),
    name: (medium) => `${path}/${medium}`,
  };
  if (samples.before.host === undefined) bookUnknownHost(booking);
  else {
    bookDisk(booking);
    bookCache(booking);
  }
}

/** Behind a DAX window disk reads are charged to QEMU, else to the daemon. */
function diskReads({ counters: { before, after } }: ReadSamples, dax: boolean): number | undefined {
  const [from, to] = dax ? [before.vmm, after.vmm] : [before.daemon, after.daemon];
  return from === undefined || to === undefined ? undefined : to.readBytes - from.readBytes;
}

/** Pages that were absent before: read from the disk, unless the counters deny it. */
function bookDisk({ draft, samples, chosen, fromDisk, name }: Booking): void {
  const disk = draft.bytes(name('disk'));
  if (disk === 0) return;
  const pages = chosen.replayed.host.diskPageBytes;
  if (samples.before.empty === undefined) {
    draft.doubt(name('disk'), name('hole'), disk);
    draft.say(name('disk'), 'absent before; whether anything is stored there could not be asked');
  }
  const device = deviceBytes(samples);
  if (device !== undefined && device < pages) {
    draft.doubt(name('disk'), name('host-cache'), disk);
    draft.say(name('disk'), `absent before; the block device gave ${device} bytes in all`);
  }
  if (fromDisk === undefined) {
    draft.doubt(name('disk'), name('host-cache'), disk);
    draft.say(name('disk'), 'absent before; no counter tells disk reads for this share');
  } else if (fromDisk < pages) {
    draft.doubt(name('disk'), name('host-cache'), disk);
    draft.move(name('disk'), name('unexplained'), Math.max(0, disk - fromDisk));
    draft.within(name('disk'), 0, fromDisk);
    draft.say(name('disk'), `absent before; the server read ${fromDisk} bytes from the disk in all`);
    draft.say(name('unexplained'), 'absent on the host before, and not read from the disk by the server');
  }
}

/** Pages that were resident: in memory, unless they were evicted before they were read. */
function bookCache({ draft, samples, chosen, evicted, fromDisk, name }: Booking): void {
  const cache = draft.bytes(name('host-cache'));
  if (cache === 0) return;
  const { diskPageBytes } = chosen.replayed.host;
  const surplus = fromDisk === undefined ? cache : Math.max(0, fromDisk - diskPageBytes);
  if (surplus === 0) return;
  if ((evicted.hostPages ?? 0) > 0) {
    draft.doubt(name('host-cache'), name('disk'), surplus);
    draft.say(name('host-cache'), `resident before; others evicted ${evicted.hostPages} pages meanwhile`);
  } else if (samples.after.host === undefined) {
    draft.doubt(name('host-cache'), name('disk'), surplus);
    draft.say(name('host-cache'), 'resident before; whether others evicted pages meanwhile was not seen');
  }
  if (
    samples.direct &&
    samples.before.daemonDirect === undefined &&
    (fromDisk === undefined || fromDisk >= chosen.neededBytes)
  ) {
    draft.doubt(name('host-cache'), name('disk'), cache);
    draft.say(name('host-cache'), 'resident before; whether the daemon reads with O_DIRECT was not seen');
  }
}

/** The host's pages could not be asked: what is left are the server's disk reads, and the latencies. */
function bookUnknownHost({ draft, samples, chosen, fromDisk, tiers, name }: Booking): void {
  const crossed = draft.bytes(name('unexplained'));
  if (crossed === 0) return;
  const open = Math.min(crossed, fromDisk ?? crossed);
  draft.move(name('unexplained'), name('host-cache'), crossed - open, true);
  if (crossed > open)
    draft.say(name('host-cache'), `the server read ${fromDisk} bytes from the disk, and no more than that`);
  if (open === 0) return;
  draft.doubt(name('unexplained'), name('disk'), open);
  draft.doubt(name('unexplained'), name('host-cache'), open);
  draft.say(name('unexplained'), "the host's page cache could not be asked");
  if (tiers === undefined) {
    if (samples.plan.order === 'seq')
      draft.say(name('unexplained'), 'latencies say nothing of reads in order, which kernels read ahead');
    return;
  }
  const { crossedByTier } = chosen.replayed;
  const slow = Math.min(open, crossedByTier.get('disk') ?? 0);
  const fast = Math.min(open - slow, crossedByTier.get('host-cache') ?? 0);
  if (slow + fast > 0 && isMisfit(tiers, (open - slow - fast) / open)) {
    draft.say(name('unexplained'), misfitWords);
    return;
  }
  for (const [medium, bytes] of [
    ['disk', slow],
    ['host-cache', fast],
  ] as const) {
    if (bytes === 0) continue;
    draft.move(name('unexplained'), name(medium), bytes);
    draft.infer(name(medium));
    draft.say(name(medium), tierWords(tiers, medium));
  }
  if (open > slow + fast) draft.say(name('unexplained'), noTierWords(tiers));
}

/** How much a latency class is to be trusted. */
export function tierWords({ classes }: Tiers, source: TierSource): string {
  const mistaken = classes.find((each) => each.source === source)?.mistaken ?? 1;
  return `by its latency alone; in calibration ${(mistaken * 100).toFixed(1)} % of this class were mistaken`;
}

export const misfitWords =
  'the latency classes do not fit this run: too many of its reads are in none of them, as on a machine whose load changes';

/** Why a latency says nothing. */
export function noTierWords({ classes }: Tiers): string {
  const known = classes.filter(({ fromNs, toNs }) => fromNs < toNs).map(({ source }) => source);
  return known.some((source) => source !== 'guest-cache')
    ? `its latency is in no class that was calibrated (${known.join(', ')})`
    : 'latencies do not tell memory from disk here';
}

function deviceBytes({ counters: { before, after } }: ReadSamples): number | undefined {
  return before.deviceSectors === undefined || after.deviceSectors === undefined
    ? undefined
    : (after.deviceSectors - before.deviceSectors) * 512;
}
