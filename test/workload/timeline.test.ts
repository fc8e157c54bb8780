import { describe, expect, it } from 'vitest';
import type { Flow } from '../../src/model/program-account.ts';
import { coarsened, intervalCount } from '../../src/model/timeline.ts';
import type { Look } from '../../src/workload/explain/looks.ts';
import { hostSeen, withoutBefore } from '../../src/workload/explain/looks.ts';
import { type Looked, timelineOf } from '../../src/workload/explain/timeline.ts';

const flow = (bytes: number, hidden?: string): Flow => ({
  asked: {
    bytes: [bytes, bytes],
    requests: [0, 0],
    because: '',
    ...(hidden === undefined ? {} : { hidden }),
  },
  bytes,
  lines: [],
  sentence: '',
});

const account = (read: number, hidden?: string) => ({
  reads: flow(read, hidden),
  writes: { ...flow(0), atEnd: {} },
});

const read = (atMs: number, askedReadBytes: number): Look => ({ atMs, seen: { askedReadBytes } });
const crossed = (atMs: number, crossedReadBytes: number): Look => ({ atMs, seen: { crossedReadBytes } });

function timeline(rest: Partial<Looked>) {
  return timelineOf({
    guest: [],
    host: [],
    queue: [],
    endMs: 1000,
    withinMs: { guest: 1, host: 1 },
    account: account(1_000_000),
    ...rest,
  });
}

const total = (values: readonly (number | null)[] = []) =>
  values.reduce<number>((sum, value) => sum + (value ?? 0), 0);

describe('a run over time', () => {
  it('has both sides on one axis, and its sums are what was counted from the last look before it', () => {
    const { series, fromMs, intervalMs } = timeline({
      guest: [read(0, 0), read(430, 400_000), read(1000, 1_000_000)],
      host: [crossed(-950, 7), crossed(-130, 5000), crossed(250, 305_000), crossed(1130, 1_005_000)],
    });
    expect([fromMs, intervalMs]).toEqual([-200, 100]);
    expect(series.askedReadBytes).toHaveLength(14);
    expect(series.crossedReadBytes).toHaveLength(14);
    expect(total(series.askedReadBytes)).toBe(1_000_000);
    // What the host did before that look is not of this run.
    expect(total(series.crossedReadBytes)).toBe(1_000_000);
    expect(series.askedReadBytes?.slice(0, 4)).toEqual([null, null, 93_023, 93_024]);
    expect(series.askedReadBytes?.at(-1)).toBeNull();
  });

  it('leaves out what nobody could see, and never says 0 of it', () => {
    const { series } = timeline({ host: [crossed(0, 0), crossed(1000, 5)] });
    expect(Object.keys(series)).toEqual(['crossedReadBytes']);
    const late = timeline({
      host: [crossed(0, 0), crossed(600, 6), { atMs: 1000, seen: { hostDirtyBytes: 4096 } }],
    });
    expect(late.series.crossedReadBytes).toEqual([1, 1, 1, 1, 1, 1, null, null, null, null]);
    expect(late.series.hostDirtyBytes).toEqual([...Array(9).fill(null), 4096]);
  });

  it('does not say when a program asked where its counters do not know', () => {
    const guest = [read(0, 0), read(1000, 500_000)];
    const mapped = timeline({ guest, account: account(4_000_000, 'a mapping of the file') });
    expect(mapped.series).toEqual({});
    expect(mapped.unseen).toEqual([
      { what: 'what it read', why: 'a mapping of the file: its counters do not show when' },
    ]);
    expect(timeline({ guest, account: account(4_000_000) }).unseen).toHaveLength(1);
    // Pipes and other files: nothing of it was the share's, and nothing is missed.
    const beside = timeline({ guest: [read(0, 0), read(1000, 9e6)], account: account(0) });
    expect([beside.series, beside.unseen]).toEqual([{}, []]);
  });

  it('of an hour is no larger than one of a minute', () => {
    const seconds = 3600;
    const { series, intervalMs } = timeline({
      guest: Array.from({ length: seconds + 1 }, (_, second) => read(second * 1000, second * 1_000_000)),
      endMs: seconds * 1000,
      account: account(seconds * 1_000_000),
    });
    expect(intervalMs).toBe(6400);
    expect(series.askedReadBytes).toHaveLength(563);
    expect(total(series.askedReadBytes)).toBe(seconds * 1_000_000);
  });

  it('says how long nobody looked', () => {
    const { longestGapMs } = timeline({
      guest: [read(0, 0), read(700, 7), read(1000, 9)],
      host: [crossed(-5000, 0), crossed(-10, 0), crossed(90, 1)],
    });
    expect(longestGapMs).toEqual({ guest: 700, host: 100 });
  });

  it('is made coarser without losing anything', () => {
    const fine = timeline({
      guest: [read(0, 0), read(1000, 1_000_000)],
      host: [
        { atMs: 0, seen: { hostDirtyBytes: 1 } },
        { atMs: 1000, seen: { hostDirtyBytes: 11 } },
      ],
    });
    const coarse = coarsened(fine, 4);
    expect(intervalCount(coarse)).toBe(4);
    expect(coarse.intervalMs).toBe(300);
    expect(coarse.series.askedReadBytes).toEqual([300_000, 300_000, 300_000, 100_000]);
    expect(coarse.series.hostDirtyBytes).toEqual([4, 7, 10, 11]);
    expect(coarsened(fine, 10)).toBe(fine);
  });
});

describe('what is looked at', () => {
  it('of a program begins when it holds a file of the share', () => {
    const before = {
      rchar: 100,
      syscr: 3,
      wchar: 0,
      syscw: 0,
      readBytes: 0,
      writeBytes: 0,
      cancelledBytes: 0,
    };
    const looks = [read(50, 80), read(100, 100), read(200, 500)];
    expect(withoutBefore(looks, before).map(({ seen }) => seen.askedReadBytes)).toEqual([0, 0, 0, 400]);
  });

  it('of a daemon is without the calls of its queue: alone they are nothing', () => {
    const daemon = {
      rchar: 8 * 50,
      syscr: 50,
      wchar: 4096 + 8 * 9,
      syscw: 10,
      readBytes: 0,
      writeBytes: 0,
      cancelledBytes: 0,
    };
    const seen = hostSeen({ processes: [] }, { daemon });
    expect(seen).toEqual({ crossedReadBytes: 0, crossedWrittenBytes: 4088, serverDiskReadBytes: 0 });
  });

  it('is absent where a kernel does not count it', () => {
    expect(hostSeen({ processes: [], cachedBytes: -1, dirtyBytes: 5 }, {})).toEqual({ hostDirtyBytes: 5 });
  });
});
