import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { latencyIn } from '../../src/workload/explain/reported-latency.ts';

const fixture = (name: string) => readFileSync(new URL(`./fixtures/true/${name}`, import.meta.url));

describe('latencies by a benchmark’s own report', () => {
  it('have all requests where fio wrote json+', () => {
    const [only, ...others] = latencyIn(fixture('json-plus.json'));
    expect(others).toEqual([]);
    expect(only).toMatchObject({ name: 'rr: read', by: 'fio', count: 46_531 });
    expect(only?.log2?.reduce((sum, requests) => sum + requests, 0)).toBe(46_531);
    const median = only?.percentiles.find(([percent]) => percent === 50)?.[1] ?? 0;
    // Half of them lie on either side of the median's power of two.
    const below = only?.log2?.slice(0, Math.floor(Math.log2(median))).reduce((sum, each) => sum + each, 0);
    expect(below).toBeLessThan(46_531 / 2);
  });

  it('have the percentiles that fio prints in text, and nothing that it does not', () => {
    const [only] = latencyIn(fixture('v339-direct-randread.txt'));
    expect(only?.percentiles.map(([percent]) => percent)).toEqual(
      expect.arrayContaining([1, 50, 99, 99.9, 99.99]),
    );
    expect(only?.log2).toBeUndefined();
    expect(only?.maxNs).toBeGreaterThan(only?.minNs ?? 0);
  });

  it('are of one kind: all of the latency where the percentiles are of that', () => {
    const moved = {
      ...{ io_bytes: 4096, total_ios: 1, bw: 4, iops: 1, runtime: 1000 },
      clat_ns: { min: 1, max: 10, mean: 5 },
      lat_ns: { min: 500, max: 900, mean: 700, percentile: { '50.000000': 700 } },
    };
    const json = JSON.stringify({ 'fio version': 'fio-3.36', jobs: [{ jobname: 'j', read: moved }] });
    expect(latencyIn(new TextEncoder().encode(json))).toMatchObject([
      { minNs: 500, meanNs: 700, maxNs: 900, percentiles: [[50, 700]] },
    ]);
  });

  it('are those of each job and each direction', () => {
    expect(latencyIn(fixture('randrw.txt')).map(({ name }) => name.replace(/^.*: /, ''))).toEqual([
      'read',
      'write',
    ]);
    expect(latencyIn(fixture('jobs4.txt'))).toHaveLength(4);
  });

  it('are none where a program reports none', () => {
    expect(latencyIn(fixture('dd-warm.txt'))).toEqual([]);
    expect(latencyIn(new Uint8Array(0))).toEqual([]);
  });
});
