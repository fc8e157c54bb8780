import { describe, expect, it } from 'vitest';
import type { Operation } from '../../src/model/operation.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import type { RunEnd, RunSample } from '../../src/model/program-run.ts';
import type { ProbeSession } from '../../src/probe/session.ts';
import { Asker } from '../../src/workload/explain/asker.ts';
import { readClock } from '../../src/workload/explain/clocks.ts';
import { HostWatch } from '../../src/workload/explain/host-watch.ts';
import { type RunSeen, runTimeline } from '../../src/workload/explain/run-timeline.ts';
import { endOf } from '../ledger/program.ts';

const flow = (bytes: number) => ({
  asked: { bytes: [bytes, bytes], requests: [0, 0], because: '' } as const,
  bytes,
  lines: [],
  sentence: '',
});

const counts = (rchar: number) => ({
  rchar,
  syscr: 0,
  wchar: 0,
  syscw: 0,
  readBytes: 0,
  writeBytes: 0,
  cancelledBytes: 0,
});

const second = 1_000_000_000n;

/** The guest's clock stood at 700 s when ours stood at 50 s; the watch on the host began at 49 s. */
function run(rest: Partial<RunSeen> = {}): RunSeen {
  const at = (ms: number, rchar: number) => ({
    askedMs: ms - 4,
    atMs: ms + 4,
    counters: { processes: [{ pid: 7, ...counts(rchar) }] },
  });
  const sample: RunSample = { atNs: 1e9, processes: 1, ...counts(7000 + 500_000) };
  const end: RunEnd = endOf({ atNs: 2e9, ...counts(7000 + 1_000_000) });
  return {
    attended: { status: 0, samples: [sample], files: [], end, startedNs: String(701n * second) },
    watch: {
      begunMs: 49_000,
      samples: [at(1900, 0), at(3000, 600_000), at(4000, 1_000_000)],
      queueSamples: [],
    },
    clocks: [
      { askedMs: 49_990, answeredMs: 50_010, monotonicNs: 700n * second },
      { askedMs: 59_995, answeredMs: 60_005, monotonicNs: 710n * second },
    ],
    server: 7,
    vmm: undefined,
    account: { reads: flow(1_000_000), writes: { ...flow(0), atEnd: {} } },
    ...rest,
  };
}

describe('the timeline of a run on two machines', () => {
  it('has the guest’s moments by our own clock, and says how well they fit', () => {
    const timeline = runTimeline(run());
    expect(timeline).toMatchObject({ fromMs: -100, endMs: 2000, withinMs: { guest: 10, host: 4 } });
    // The program began at 51 s of our clock: 2 s after the watch did.
    const at = (ms: number) => (ms - (timeline?.fromMs ?? 0)) / (timeline?.intervalMs ?? 1);
    const asked = timeline?.series.askedReadBytes ?? [];
    expect(asked[at(-100)]).toBeNull();
    expect(asked[at(500)]).toBe(50_000);
    const crossed = timeline?.series.crossedReadBytes ?? [];
    expect(crossed[at(500)]).toBe(Math.round(600_000 / 11));
    expect(crossed[at(1500)]).toBe(40_000);
  });

  it('is not there where nothing says how the clocks belong together', () => {
    const { clocks } = run();
    expect(runTimeline(run({ clocks: [clocks[0], undefined] }))).toBeUndefined();
    const { startedNs: _, ...attended } = run().attended;
    expect(runTimeline(run({ attended }))).toBeUndefined();
  });
});

/** A side that answers each operation by a function. */
function sideOf(answer: (op: Operation) => Outcome): Asker {
  const session = { request: async (_: string, op: Operation) => answer(op) };
  return new Asker(session as unknown as ProbeSession, 'test', 1000);
}

describe('what is looked at meanwhile', () => {
  it('is a clock read four times, of which the closest counts', async () => {
    let reading = 0;
    const side = sideOf(() => ({
      kind: 'value',
      value: { nowNs: 0, monotonicNs: String(++reading), realtimeNs: '0' },
    }));
    const mark = await readClock(side);
    expect(reading).toBe(4);
    expect(Number(mark?.monotonicNs)).toBeGreaterThanOrEqual(1);
    expect(mark?.answeredMs).toBeGreaterThanOrEqual(mark?.askedMs ?? Infinity);
    expect(await readClock(sideOf(() => ({ kind: 'gone', reason: 'dead' })))).toBeUndefined();
  });

  it('is a queue whose messages are no longer known once one look at it failed', async () => {
    const side = sideOf(() => ({ kind: 'value', value: { processes: [] } }));
    const indices = [[65_530], [4], new Error('QMP is gone'), [9]];
    const watch = new HostWatch(side, [], '/', async () => {
      const next = indices.shift() ?? [9];
      if (next instanceof Error) throw next;
      return next;
    });
    await watch.begin();
    await watch.end();
    expect(watch.messages).toBe(10);
    expect(watch.samples.length).toBeGreaterThanOrEqual(2);
    await watch.end();
    await watch.end();
    expect(watch.messages).toBeUndefined();
    expect(side.unseen).toContainEqual({ what: 'used-index', why: 'QMP is gone' });
  });

  it('is a queue whose messages are not known where it may have gone round between two looks', async () => {
    const side = sideOf(() => ({ kind: 'value', value: { processes: [] } }));
    const indices = [
      [0, 0],
      [0x8000, 0],
      [0x8000, 0x8001],
    ];
    const watch = new HostWatch(side, [], '/', async () => indices.shift() ?? []);
    await watch.begin();
    await watch.end();
    expect(watch.messages).toBe(0x8000);
    await watch.end();
    expect(watch.messages).toBeUndefined();
    expect(side.unseen.map(({ what }) => what)).toEqual(['used-index']);
  });
});
