import { describe, expect, it } from 'vitest';
import { claimedIn, rateIn } from '../../src/workload/explain/claims.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

const fioText = `w: (g=0): rw=randrw, bs=(R) 4096B-4096B, (W) 4096B-4096B, (T) 4096B-4096B, ioengine=psync, iodepth=1
fio-3.39
Starting 1 process

w: (groupid=0, jobs=1): err= 0: pid=224: Sun Nov 22 23:22:21 2026
  read: IOPS=504, BW=2020KiB/s (2068kB/s)(15.7MiB/8112msec)
  write: IOPS=1324, BW=5297KiB/s (5424kB/s)(16.0MiB/3093msec); 0 zone resets
  IO depths    : 1=100.0%, 2=0.0%, 4=0.0%, 8=0.0%, 16=0.0%, 32=0.0%, >=64=0.0%
     issued rwts: total=4011,4101,0,0 short=0,0,0,0 dropped=0,0,0,0

Run status group 0 (all jobs):
   READ: bw=2020KiB/s (2068kB/s), 2020KiB/s-2020KiB/s (2068kB/s-2068kB/s), io=15.7MiB (16.4MB), run=8112-8112msec
`;

describe('what a benchmark says of itself', () => {
  it('is exact where fio’s text has rounded it', () => {
    expect(claimedIn(bytes(fioText))).toEqual({
      seconds: 8.112,
      read: { bytes: 4011 * 4096, requests: 4011 },
      write: { bytes: 4101 * 4096, requests: 4101 },
      by: "fio's own report",
    });
  });

  it('is dd’s for whatever it copied', () => {
    const said =
      '128+0 records in\n128+0 records out\n8388608 bytes (8.4 MB, 8.0 MiB) copied, 0.5 s, 16.8 MB/s\n';
    expect(claimedIn(bytes(said))).toMatchObject({
      read: { bytes: 8388608 },
      write: { bytes: 8388608 },
      by: "dd's own report",
    });
  });

  it('has its fsyncs and what it timed, and is the probe’s where that ran the job', () => {
    const latency = { min: 1000, max: 5000, mean: 2500, stddev: 1, N: 8 };
    const moved = { io_bytes: 65536, bw: 64, iops: 16, runtime: 1000, total_ios: 16, clat_ns: latency };
    const of = (version: string) =>
      bytes(
        JSON.stringify({
          'fio version': version,
          jobs: [{ jobname: 'w', write: moved, sync: { total_ios: 8, lat_ns: latency } }],
        }),
      );
    expect(claimedIn(of('fio-3.39'))).toEqual({
      syncs: { calls: 8, ns: 20_000 },
      seconds: 1,
      write: { bytes: 65_536, requests: 16 },
      by: "fio's own report",
    });
    expect(claimedIn(of('vfs-probe-0.1.0'))?.by).toBe("the probe's own report");
    expect(rateIn(of('vfs-probe-0.1.0'))).toMatchObject({ program: 'vfs-probe', timedSeconds: 1 });
  });

  it('is nothing where nothing of the kind was printed', () => {
    expect(claimedIn(bytes('hello\n'))).toBeUndefined();
    expect(claimedIn(new Uint8Array(0))).toBeUndefined();
  });
});
