import type { Counters, PageMap, ReadSamples } from '../../src/ledger/samples.ts';
import type { Ledger, Source } from '../../src/model/account.ts';
import type { Read, ReadBatch, ReadPlan } from '../../src/model/read-plan.ts';

export const page = 4096;

/** A page map from a picture: `#` present, `.` absent. */
export function map(picture: string, dirty = 0): PageMap {
  const runs: number[] = [];
  let present = false;
  for (let at = 0; at < picture.length; ) {
    let run = 0;
    while (at < picture.length && (picture[at] === '#') === present) {
      run += 1;
      at += 1;
    }
    runs.push(run);
    present = !present;
  }
  return { by: 'cachestat', pageSize: page, chunks: [{ first: 0, runs }], dirty };
}

/** Packs reads as a probe does. */
export function packed(reads: readonly Read[]): ReadBatch {
  const bytes = new Uint8Array(reads.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, { ns }] of reads.entries()) view.setUint32(index * 4, ns, true);
  const short = reads.flatMap((read, index) =>
    read.bytes === read.asked ? [] : [[index, read.bytes] as const],
  );
  return {
    from: 0,
    ns: btoa(String.fromCharCode(...bytes)),
    ...(short.length > 0 ? { short } : {}),
  };
}

export function daemon(bytes: number, requests: number, kicks: number, readBytes = 0): Counters {
  return { daemon: { rchar: bytes + 8 * kicks, syscr: requests + kicks, readBytes } };
}

export const zero: Counters = { daemon: { rchar: 0, syscr: 0, readBytes: 0 } };

/** Samples of a sequential run over a file of whole pages, with everything seen; override what matters. */
export function samplesOf(pages: number, plan: Partial<ReadPlan>, rest: Partial<ReadSamples>): ReadSamples {
  const size = pages * page;
  const absent = map('.'.repeat(pages));
  const state = {
    guest: absent,
    host: absent,
    guestSize: size,
    hostSize: size,
    empty: [],
    daemonDirect: false,
  };
  return {
    plan: {
      order: 'seq',
      block: page,
      range: { offset: 0, length: size },
      count: Math.ceil(size / (plan.block ?? page)),
      seed: 1,
      passes: 1,
      ...plan,
    },
    direct: false,
    mapped: false,
    transport: 'fuse',
    before: state,
    after: state,
    counters: { before: zero, after: zero },
    host: { storage: 'disk' },
    unseen: [],
    ...rest,
  };
}

/** Every read of a plan, each of them full, cut at the size. */
export function everyRead(plan: ReadPlan, size: number, ns = 1000): ReadBatch {
  const total = plan.count * plan.passes;
  return packed(
    Array.from({ length: total }, (_, index) => {
      const offset = plan.range.offset + (index % plan.count) * plan.block;
      return { offset, asked: plan.block, bytes: Math.max(0, Math.min(plan.block, size - offset)), ns };
    }),
  );
}

/** Lines as `source: bytes known`, without those of 0 bytes. */
export function short(ledger: Ledger): Partial<Record<Source, string>> {
  return Object.fromEntries(
    ledger.lines
      .filter(({ bytes }) => bytes > 0)
      .map(({ source, bytes, known }) => [source, `${bytes} ${known}`]),
  );
}
