import { describe, expect, it } from 'vitest';
import { account } from '../../src/ledger/account.ts';
import type { ReadSamples } from '../../src/ledger/samples.ts';
import type { Ledger } from '../../src/model/account.ts';
import { daemon, everyRead, map, packed, page, samplesOf, short, zero } from './build.ts';

function run(samples: ReadSamples, ns?: number): Promise<Ledger> {
  return account(samples, [everyRead(samples.plan, samples.before.guestSize, ns)]);
}

const full = 8 * page;

describe('an account of sequential reads of 8 pages', () => {
  it('books a cold file that nobody caches to the disk', async () => {
    const samples = samplesOf(8, {}, {});
    const ledger = await run({
      ...samples,
      after: { ...samples.after, host: map('########') },
      counters: { before: zero, after: daemon(full, 8, 9, 65_536) },
    });
    expect(short(ledger)).toEqual({ 'fuse/disk': `${full} proved` });
    expect(ledger.guestCaches).toBe('no');
    expect(ledger.daemon).toMatchObject({
      bytes: [full, full],
      requests: [8, 8],
      kicks: [9, 9],
      diskBytes: 65_536,
    });
    expect(ledger.otherTraffic).toBeUndefined();
  });

  it('knows a mode that keeps nothing by reads of 1 MiB, which a short queue takes in three requests', async () => {
    const pages = 256 * 20;
    const samples = samplesOf(pages, { block: 256 * page }, {});
    const host = map('#'.repeat(pages));
    const ledger = await run({
      ...samples,
      before: { ...samples.before, host },
      after: { ...samples.after, host },
      counters: { before: zero, after: daemon(pages * page, 60, 60) },
    });
    expect(short(ledger)).toEqual({ 'fuse/host-cache': `${pages * page} proved` });
    expect(ledger.guestCaches).toBe('no');
    expect(ledger.evictedMeanwhile.guestPages).toBe(0);
  });

  it('books what was resident on the host to its page cache, and the rest to the disk', async () => {
    const samples = samplesOf(8, {}, {});
    const ledger = await run({
      ...samples,
      before: { ...samples.before, host: map('#.##..#.') },
      after: { ...samples.after, host: map('########') },
      counters: { before: zero, after: daemon(full, 8, 8, 5 * page) },
    });
    expect(short(ledger)).toEqual({
      'fuse/host-cache': `${4 * page} proved`,
      'fuse/disk': `${4 * page} proved`,
    });
    expect(ledger.hostPages).toEqual({ reached: 8, residentBefore: 4 });
  });

  it('books what the guest held to its page cache', async () => {
    const samples = samplesOf(8, {}, {});
    const ledger = await run({
      ...samples,
      before: { ...samples.before, guest: map('##....##'), host: map('########') },
      after: { ...samples.after, guest: map('########'), host: map('########') },
      counters: { before: zero, after: daemon(4 * page, 1, 1) },
    });
    expect(short(ledger)).toEqual({
      'guest-cache': `${4 * page} proved`,
      'fuse/host-cache': `${4 * page} proved`,
    });
    expect(ledger.guestCaches).toBe('yes');
  });

  it('sees a second pass in a mode that caches come from the guest', async () => {
    const samples = samplesOf(8, { passes: 2 }, {});
    const ledger = await run({
      ...samples,
      after: { ...samples.after, guest: map('########'), host: map('########') },
      counters: { before: zero, after: daemon(full, 8, 8, full) },
    });
    expect(short(ledger)).toEqual({ 'guest-cache': `${full} proved`, 'fuse/disk': `${full} proved` });
  });

  it('sees a second pass in a mode that does not cache come from the host, which is warm by then', async () => {
    const samples = samplesOf(8, { passes: 2 }, {});
    const ledger = await run({
      ...samples,
      after: { ...samples.after, host: map('########') },
      counters: { before: zero, after: daemon(2 * full, 16, 16, full) },
    });
    expect(short(ledger)).toEqual({ 'fuse/host-cache': `${full} proved`, 'fuse/disk': `${full} proved` });
    expect(ledger.guestCaches).toBe('no');
  });

  it('puts pages that came uncalled on the line of readahead', async () => {
    const samples = samplesOf(8, { count: 3 }, {});
    const ledger = await run({
      ...samples,
      after: { ...samples.after, guest: map('######..'), host: map('######..') },
      counters: { before: zero, after: daemon(6 * page, 2, 2, 6 * page) },
    });
    expect(short(ledger)).toEqual({ 'fuse/disk': `${3 * page} proved` });
    expect(ledger.readahead).toEqual({
      askedBytes: 3 * page,
      fetchedBytes: 6 * page,
      usedBytes: 3 * page,
      known: 'proved',
    });
    expect(ledger.otherTraffic).toBeUndefined();
  });

  it('reports what the daemon read for others, and books none of it', async () => {
    const samples = samplesOf(8, {}, {});
    const ledger = await run({
      ...samples,
      after: { ...samples.after, guest: map('########'), host: map('########') },
      counters: { before: zero, after: daemon(full + 40 * page, 18, 18, full) },
    });
    expect(short(ledger)).toEqual({ 'fuse/disk': `${full} proved` });
    expect(ledger.otherTraffic?.bytes).toEqual([40 * page, 40 * page]);
  });

  it('leaves unexplained what no counter saw cross', async () => {
    const samples = samplesOf(8, {}, {});
    const ledger = await run({
      ...samples,
      before: { ...samples.before, host: map('########') },
      after: { ...samples.after, guest: map('########'), host: map('########') },
      counters: { before: zero, after: daemon(6 * page, 6, 6) },
    });
    expect(short(ledger)).toEqual({
      'fuse/host-cache': `${6 * page} bounded`,
      unexplained: `${2 * page} unexplained`,
    });
    expect(ledger.unexplainedBytes).toBe(2 * page);
  });

  it('takes a hole for a hole, whether its pages are resident or not', async () => {
    const samples = samplesOf(8, {}, {});
    const ledger = await run({
      ...samples,
      before: {
        ...samples.before,
        host: map('#.#.#.#.'),
        empty: [
          { offset: 0, length: 2 * page, kind: 'hole' },
          { offset: 2 * page, length: 2 * page, kind: 'unwritten' },
        ],
      },
      after: { ...samples.after, guest: map('########'), host: map('########') },
      counters: { before: zero, after: daemon(full, 8, 8, 2 * page) },
    });
    expect(short(ledger)).toEqual({
      'fuse/hole': `${4 * page} proved`,
      'fuse/host-cache': `${2 * page} proved`,
      'fuse/disk': `${2 * page} proved`,
    });
  });

  it('takes a dirty page over an unwritten extent for memory', async () => {
    const samples = samplesOf(2, {}, {});
    const ledger = await run({
      ...samples,
      before: {
        ...samples.before,
        host: map('#.', 1),
        empty: [{ offset: 0, length: 2 * page, kind: 'unwritten' }],
      },
      after: { ...samples.after, host: map('##', 1) },
      counters: { before: zero, after: daemon(2 * page, 2, 2) },
    });
    expect(short(ledger)).toEqual({ 'fuse/host-cache': `${page} proved`, 'fuse/hole': `${page} proved` });
  });

  it('books O_DIRECT to the disk every time, although the host holds the pages, when the daemon does so too', async () => {
    const samples = samplesOf(8, { passes: 2 }, { direct: true });
    const state = { ...samples.before, guest: map('########'), host: map('########'), daemonDirect: true };
    const ledger = await run({
      ...samples,
      before: state,
      after: state,
      counters: { before: zero, after: daemon(2 * full, 16, 16, 2 * full) },
    });
    expect(short(ledger)).toEqual({ 'fuse/disk': `${2 * full} proved` });
  });

  it('books O_DIRECT to the host’s page cache when the daemon strips it', async () => {
    const samples = samplesOf(8, {}, { direct: true });
    const state = { ...samples.before, guest: map('########'), host: map('########') };
    const ledger = await run({
      ...samples,
      before: state,
      after: state,
      counters: { before: zero, after: daemon(full, 8, 8) },
    });
    expect(short(ledger)).toEqual({ 'fuse/host-cache': `${full} proved` });
  });

  it('does not call disk what the daemon never read from a disk', async () => {
    const samples = samplesOf(8, {}, {});
    const ledger = await run({
      ...samples,
      after: { ...samples.after, host: map('########') },
      counters: { before: zero, after: daemon(full, 8, 8, 3 * page) },
    });
    expect(short(ledger)).toEqual({
      'fuse/disk': `${3 * page} bounded`,
      'fuse/unexplained': `${5 * page} unexplained`,
    });
  });

  it('has no disk on tmpfs', async () => {
    const samples = samplesOf(8, {}, { host: { storage: 'tmpfs' } });
    const ledger = await run({
      ...samples,
      before: { ...samples.before, host: map('#######.') },
      after: { ...samples.after, host: map('########') },
      counters: { before: zero, after: daemon(full, 8, 8) },
    });
    expect(short(ledger)).toEqual({
      'fuse/host-cache': `${7 * page} proved`,
      'fuse/unexplained': `${page} unexplained`,
    });
  });

  it('says so where the host’s page cache cannot be asked, unless the daemon read nothing from a disk', async () => {
    const { host: _, ...blind } = samplesOf(8, {}, {}).before;
    const cold = await run({
      ...samplesOf(8, {}, {}),
      before: blind,
      counters: { before: zero, after: daemon(full, 8, 8, 2 * page) },
    });
    expect(short(cold)).toEqual({
      'fuse/host-cache': `${6 * page} bounded`,
      'fuse/unexplained': `${2 * page} unexplained`,
    });
    const warm = await run({
      ...samplesOf(8, {}, {}),
      before: blind,
      counters: { before: zero, after: daemon(full, 8, 8, 0) },
    });
    expect(short(warm)).toEqual({ 'fuse/host-cache': `${full} proved` });
  });

  it('reports pages that others evicted on the host, and bounds what they put in doubt', async () => {
    const samples = samplesOf(8, {}, {});
    const ledger = await run({
      ...samples,
      before: { ...samples.before, host: map('########') },
      after: { ...samples.after, host: map('######..') },
      counters: { before: zero, after: daemon(full, 8, 8, 3 * page) },
    });
    expect(ledger.evictedMeanwhile.hostPages).toBe(2);
    expect(ledger.lines.find(({ source }) => source === 'fuse/host-cache')).toMatchObject({
      bytes: full,
      known: 'bounded',
      interval: [5 * page, full],
    });
  });

  it('bounds the guest’s cache where pages that were read again may have been fetched again', async () => {
    const samples = samplesOf(8, { passes: 2 }, {});
    const ledger = await run({
      ...samples,
      before: { ...samples.before, host: map('########') },
      after: { ...samples.after, guest: map('######..'), host: map('########') },
      counters: { before: zero, after: daemon(full + 2 * page, 10, 10) },
    });
    expect(ledger.evictedMeanwhile.guestPages).toBe(2);
    expect(ledger.lines.find(({ source }) => source === 'guest-cache')).toMatchObject({
      known: 'bounded',
      interval: [full - 2 * page, full],
    });
    expect(ledger.otherTraffic?.bytes).toEqual([2 * page, 2 * page]);
  });

  it('tells pages that were fetched and evicted from a mode that keeps none', async () => {
    const samples = samplesOf(8, { passes: 3 }, {});
    const ledger = await run({
      ...samples,
      before: { ...samples.before, host: map('########') },
      after: { ...samples.after, guest: map('........'), host: map('########') },
      counters: { before: zero, after: daemon(full, 1, 1) },
    });
    expect(ledger.guestCaches).toBe('yes');
    expect(short(ledger)).toEqual({
      'guest-cache': `${2 * full} proved`,
      'fuse/host-cache': `${full} proved`,
    });
    expect(ledger.evictedMeanwhile.guestPages).toBe(8);
  });
});

describe('the tail of a file and reads across pages', () => {
  it('fetches the tail page only to the end of the file', async () => {
    const size = 2 * page + 100;
    const samples = samplesOf(3, { range: { offset: 0, length: size } }, {});
    const state = { ...samples.before, guestSize: size, hostSize: size, host: map('###') };
    const ledger = await run({
      ...samples,
      before: state,
      after: { ...state, guest: map('###') },
      counters: { before: zero, after: daemon(size, 1, 1) },
    });
    expect(short(ledger)).toEqual({ 'fuse/host-cache': `${size} proved` });
    expect(ledger.readahead.askedBytes).toBe(size);
  });

  it('counts whole pages as fetched and asked-for bytes as got when reads are small', async () => {
    const samples = samplesOf(4, { block: 1000, count: 5 }, {});
    const ledger = await run({
      ...samples,
      before: { ...samples.before, host: map('####') },
      after: { ...samples.after, guest: map('##..'), host: map('####') },
      counters: { before: zero, after: daemon(2 * page, 2, 2) },
    });
    expect(short(ledger)).toEqual({ 'guest-cache': '3096 proved', 'fuse/host-cache': '1904 proved' });
    expect(ledger.requests).toBe(5);
    expect(ledger.readahead).toMatchObject({ askedBytes: 2 * page, usedBytes: 2 * page });
  });

  it('counts exactly what was asked where nothing is cached', async () => {
    const samples = samplesOf(4, { block: 1000, count: 5 }, {});
    const ledger = await run({
      ...samples,
      after: { ...samples.after, host: map('##..') },
      counters: { before: zero, after: daemon(5000, 5, 5, 2 * page) },
    });
    // The first read of each page finds it on the disk, the others find it resident.
    expect(short(ledger)).toEqual({ 'fuse/host-cache': '3096 proved', 'fuse/disk': '1904 proved' });
  });

  it('gives reads past the end no source', async () => {
    const samples = samplesOf(2, { count: 4, range: { offset: 0, length: 4 * page } }, {});
    const ledger = await run({
      ...samples,
      before: { ...samples.before, host: map('##') },
      after: { ...samples.after, host: map('##') },
      counters: { before: zero, after: { daemon: { rchar: 2 * page + 32, syscr: 8, readBytes: 0 } } },
    });
    expect(short(ledger)).toEqual({ 'fuse/host-cache': `${2 * page} proved` });
    expect(ledger.emptyReads).toBe(2);
    expect(ledger.requests).toBe(4);
  });
});

describe('what cannot be seen', () => {
  it('makes every line an inference when the daemon cannot be', async () => {
    const samples = samplesOf(8, {}, {});
    const ledger = await run({
      ...samples,
      before: { ...samples.before, guest: map('####....'), host: map('########') },
      after: { ...samples.after, guest: map('########'), host: map('########') },
      counters: { before: {}, after: {} },
      unseen: [{ what: 'daemon-io', why: 'no root on the host' }],
    });
    expect(short(ledger)).toEqual({
      'guest-cache': `${4 * page} inferred`,
      'fuse/host-cache': `${4 * page} inferred`,
    });
    expect(ledger.daemon).toBeUndefined();
    expect(ledger.unseen).toHaveLength(1);
  });

  it('goes by calibrated latencies alone when no cache can be seen either', async () => {
    const samples = samplesOf(4, { order: 'random' }, {});
    const { guest: _g, host: _h, ...blind } = samples.before;
    const spread = (ns: number) => Array.from({ length: 100 }, (_, index) => ns + index * (ns / 500));
    const times = [8_000, 200_000, 9_000, 5_500_000];
    const memory = [
      { source: 'guest-cache', ns: spread(8_000) },
      { source: 'host-cache', ns: spread(190_000) },
    ] as const;
    const disk = { source: 'disk', ns: spread(5_000_000) } as const;
    const by = (classes: NonNullable<ReadSamples['calibration']>['classes'], ns: readonly number[] = times) =>
      account(
        {
          ...samples,
          before: blind,
          after: blind,
          counters: { before: {}, after: {} },
          calibration: { classes, refused: [] },
        },
        [packed(ns.map((each, index) => ({ offset: index * page, asked: page, bytes: page, ns: each })))],
      );
    expect(short(await by([...memory, disk]))).toEqual({
      'guest-cache': `${2 * page} inferred`,
      'fuse/host-cache': `${page} inferred`,
      'fuse/disk': `${page} inferred`,
    });
    // A disk that was not timed may be as fast as the host's memory.
    expect(short(await by(memory))).toEqual({
      'guest-cache': `${2 * page} inferred`,
      'fuse/unexplained': `${2 * page} unexplained`,
    });
    expect(short(await by([disk]))).toEqual({ unexplained: `${4 * page} unexplained` });
    // Too much of the run lies between the classes: they were timed on a machine that was busier or idler.
    expect(short(await by([...memory, disk], [8_000, 30_000, 30_000, 5_500_000]))).toEqual({
      unexplained: `${4 * page} unexplained`,
    });
  });

  it('bounds the guest’s part by what crossed when its cache cannot be asked', async () => {
    const samples = samplesOf(8, {}, {});
    const { guest: _, ...blind } = { ...samples.before, host: map('########') };
    const warm = await run({
      ...samples,
      before: blind,
      after: blind,
      counters: { before: zero, after: daemon(0, 0, 2) },
    });
    expect(short(warm)).toEqual({ 'guest-cache': `${full} proved` });
    const half = await run({
      ...samples,
      before: blind,
      after: blind,
      counters: { before: zero, after: daemon(3 * page, 3, 3) },
    });
    expect(half.lines.find(({ source }) => source === 'guest-cache')).toMatchObject({
      bytes: 5 * page,
      known: 'bounded',
      interval: [5 * page, full],
    });
  });

  it('cannot tell a hole from the disk without the extents', async () => {
    const samples = samplesOf(8, {}, {});
    const { empty: _, ...noExtents } = samples.before;
    const ledger = await run({
      ...samples,
      before: noExtents,
      after: { ...samples.after, host: map('########') },
      counters: { before: zero, after: daemon(full, 8, 8, full) },
    });
    expect(ledger.lines[0]).toMatchObject({ source: 'fuse/disk', known: 'bounded', interval: [0, full] });
  });
});

describe('a DAX window', () => {
  it('serves what the daemon did not read and the page cache does not hold', async () => {
    const samples = samplesOf(8, {}, {});
    const state = { ...samples.before, dax: true, host: map('######..') };
    const ledger = await run({
      ...samples,
      before: state,
      after: { ...state, host: map('########') },
      counters: {
        before: { ...zero, vmm: { readBytes: 0 } },
        after: { ...daemon(0, 0, 3), vmm: { readBytes: 2 * page } },
      },
    });
    expect(short(ledger)).toEqual({
      'dax/host-cache': `${6 * page} proved`,
      'dax/disk': `${2 * page} proved`,
    });
  });
});

describe('9p, which QEMU serves', () => {
  it('is exact where QEMU read nothing else but its event descriptors', async () => {
    const samples = samplesOf(8, {}, { transport: '9p' });
    const state = { ...samples.before, host: map('########') };
    const ledger = await run({
      ...samples,
      before: state,
      after: { ...state, guest: map('########') },
      counters: { before: zero, after: { daemon: { rchar: full + 8 * 545, syscr: 8 + 545, readBytes: 0 } } },
    });
    expect(short(ledger)).toEqual({ '9p/host-cache': `${full} proved` });
    expect(ledger.otherTraffic).toBeUndefined();
  });

  it('is bounded by what else QEMU reads', async () => {
    const samples = samplesOf(8, {}, { transport: '9p' });
    const state = { ...samples.before, host: map('########') };
    const ledger = await run({
      ...samples,
      before: state,
      after: { ...state, guest: map('########') },
      counters: { before: zero, after: { daemon: { rchar: full + 656, syscr: 114, readBytes: 0 } } },
    });
    expect(ledger.lines[0]).toMatchObject({
      source: '9p/host-cache',
      bytes: full,
      known: 'bounded',
      interval: [full - 656, full],
    });
    expect(ledger.otherTraffic?.bytes[1]).toBe(656);
  });
});
