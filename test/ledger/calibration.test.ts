import { describe, expect, it } from 'vitest';
import { calibrationOf } from '../../src/ledger/calibration.ts';
import { tiersOf } from '../../src/ledger/latency.ts';
import { calibrationSteps } from '../../src/model/calibration-steps.ts';
import type { Case, Observed, Step } from '../../src/model/check.ts';
import { planFault } from '../../src/run/plan.ts';
import { packed, page, samplesOf } from './build.ts';

const run = {
  name: 'reads',
  guest: 'guest',
  host: 'host',
  path: '/mnt/auto/f',
  hostPath: '/srv/f',
  size: 1000 * page,
  plan: {
    order: 'random',
    block: page,
    range: { offset: 0, length: 1000 * page },
    count: 10,
    seed: 7,
    passes: 1,
  },
  processes: [],
  limit: { ms: 1000, name: 'test' },
} as const;

const absent = { by: 'cachestat', pageSize: page, pages: 1000, cached: 0 };
const evicted = { evicted: true, before: absent, after: absent };

/** What comes back where everything is as it is meant to be; override what matters. */
function answers(more: Record<string, unknown> = {}): Record<string, unknown> {
  const bytes = { bytes: 200 * page };
  return {
    'reads.extents': { by: 'fiemap', fsMagic: 0xef53, empty: [] },
    'calibration.drop-host': evicted,
    'calibration.drop-cold': evicted,
    'calibration.drop-warm': evicted,
    'calibration.cold': bytes,
    'calibration.warm': bytes,
    'calibration.kept': bytes,
    'calibration.pages': { ...absent, cached: 200 },
    ...more,
  };
}

const times: Record<string, number> = {
  'calibration.cold': 400_000,
  'calibration.warm': 60_000,
  'calibration.kept': 2_000,
};

function seen(steps: readonly Step[], values: Record<string, unknown>) {
  const value = <T>(step: string) => values[step] as T | undefined;
  return {
    setting: {} as Observed['setting'],
    steps,
    value,
    outcome: (step: string) =>
      values[step] === undefined
        ? ({ kind: 'not-run', reason: 'not part of this run' } as const)
        : ({ kind: 'value', value: values[step] } as const),
    async *bulk<T>(step: string): AsyncGenerator<T> {
      const ns = times[step] ?? 0;
      yield packed(
        Array.from({ length: 200 }, (_, index) => ({ offset: 0, asked: page, bytes: page, ns: ns + index })),
      ) as T;
    },
  };
}

async function calibrated(more: Record<string, unknown>, cold = true) {
  const found = await calibrationOf(seen(calibrationSteps(run, cold), answers(more)), 'reads');
  return {
    classes: found?.classes.map(({ source, ns }) => `${source} ${ns.length}`),
    refused: Object.fromEntries((found?.refused ?? []).map(({ source, why }) => [source, why])),
  };
}

describe('the steps of a calibration', () => {
  const steps = calibrationSteps({ ...run, after: [{ step: 'reads.close', has: 'ended' }] }, true);

  it('are a plan, after the accounted run', () => {
    const actors = { guest: 'guest', host: 'host' } as const;
    const plan: Case = { name: 'x', scenarios: [], isolation: 'exclusive', needs: [], actors, steps: [] };
    const before: Step = { id: 'reads.close', actor: 'guest', op: { do: 'wait', ms: 1 } };
    expect(planFault(plan, [before, ...steps])).toBeUndefined();
  });

  it('read the same few blocks at random each time, whatever their size', () => {
    const plans = steps.flatMap(({ op }) => (op.do === 'reads' ? [op] : []));
    expect(plans).toHaveLength(3);
    for (const op of plans) expect(op).toEqual(plans[0]);
    const large = calibrationSteps({ ...run, plan: { ...run.plan, block: 1024 * page } }, true);
    expect(large.find(({ op }) => op.do === 'reads')?.op).toMatchObject({ count: 1 });
  });

  it('evict nothing on the host unless they may', () => {
    const warm = calibrationSteps(run, false);
    expect(warm.filter(({ actor, op }) => actor === 'host' && op.do === 'evict')).toEqual([]);
  });
});

describe('a calibration', () => {
  it('takes each pass for what it was meant to be where the answers agree', async () => {
    expect(await calibrated({})).toEqual({
      classes: ['disk 200', 'host-cache 200', 'guest-cache 200'],
      refused: {},
    });
  });

  it('was not made where there are no steps', async () => {
    expect(await calibrationOf(seen([], {}), 'reads')).toBeUndefined();
  });

  it('has no disk where the host was not evicted, kept pages, or has none', async () => {
    expect((await calibrated({ 'calibration.drop-host': undefined }, false)).refused).toMatchObject({
      disk: expect.stringContaining('--calibrate'),
    });
    const stayed = { ...evicted, after: { ...absent, cached: 3 } };
    expect((await calibrated({ 'calibration.drop-host': stayed })).refused).toMatchObject({
      disk: '3 pages stayed on the host',
    });
    const tmpfs = { by: 'seek', fsMagic: 0x01021994 };
    expect((await calibrated({ 'reads.extents': tmpfs })).refused).toMatchObject({
      disk: 'tmpfs has no disk',
    });
  });

  it('takes nothing for a read of the daemon that the guest may have had', async () => {
    const left = { ...evicted, evicted: false };
    const { classes, refused } = await calibrated({
      'calibration.drop-cold': left,
      'calibration.drop-warm': left,
    });
    expect(classes).toEqual([]);
    expect(Object.keys(refused)).toEqual(['disk', 'host-cache', 'guest-cache']);
  });

  it('has no class for a guest that keeps nothing', async () => {
    expect((await calibrated({ 'calibration.pages': absent })).refused).toEqual({
      'guest-cache': 'the guest keeps nothing of this file',
    });
  });

  it('says nothing of reads in order', async () => {
    const calibration = await calibrationOf(seen(calibrationSteps(run, true), answers()), 'reads');
    if (calibration === undefined) throw new Error('no calibration');
    expect(tiersOf({ ...samplesOf(8, { order: 'seq' }, {}), calibration })).toBeUndefined();
    expect(tiersOf({ ...samplesOf(8, { order: 'random' }, {}), calibration })?.classes).toHaveLength(3);
  });
});
