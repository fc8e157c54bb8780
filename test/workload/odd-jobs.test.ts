import { describe, expect, it } from 'vitest';
import { claimedIn, rateIn } from '../../src/workload/explain/claims.ts';
import { accusations, codesOf, conclusion, judged, saved, savedText, textOf } from './judged.ts';

const spread = { min: 500, max: 9000, mean: 1500, stddev: 1, N: 1000 };

/** One direction of a job in fio's JSON, as quick as memory: 1000 requests of 4 KiB in two seconds. */
function moved(more: object = {}) {
  const percentile = { '5.000000': 900, '50.000000': 1400 };
  return {
    ...{ io_bytes: 4_096_000, io_kbytes: 4000, bw: 2000, iops: 500, runtime: 2000, total_ios: 1000 },
    ...{ clat_ns: { ...spread, percentile }, lat_ns: spread },
    ...more,
  };
}

function fioJson(options: Readonly<Record<string, string>>, sides: object, more: object = {}): string {
  const job = { jobname: 'j', groupid: 0, error: 0, 'job options': { name: 'j', bs: '4k', ...options } };
  return JSON.stringify({ 'fio version': 'fio-3.36', timestamp: 1e9, jobs: [{ ...job, ...sides, ...more }] });
}

function judgedJson(options: Readonly<Record<string, string>>, sides: object, more: object = {}) {
  return judged(savedText(fioJson(options, sides, more), 'j.json'));
}

describe('what is no reading or writing of files', () => {
  it.each(['null', 'cpuio', 'filecreate', 'filestat', 'rbd', 'net'])(
    'the engine %s is not called a cache',
    (ioengine) => {
      const judgement = judgedJson({ ioengine, rw: 'randread' }, { read: moved() });
      expect(codesOf(judgement)).toEqual(['no-file', 'short-run']);
      expect(judgement.headline).toContain(ioengine);
    },
  );

  it('fio’s own text of its null engine', () => {
    const judgement = judged(saved('odd/null-engine.txt'), { device: 'hdd', isGuest: true });
    expect(conclusion(judgement, 'no-file')).toMatchObject({ certainty: 'certain', media: [] });
    expect(codesOf(judgement).filter((code) => accusations.includes(code))).toEqual([]);
  });

  it('/dev/zero is no file, for dd and for fio', () => {
    const dd =
      '$ dd if=/dev/zero of=/dev/null bs=1M count=50\n52428800 bytes (52 MB) copied, 0.03 s, 1.7 GB/s\n';
    expect(codesOf(judged(savedText(dd), { device: 'hdd' }))).toEqual(['no-file', 'short-run']);
    const fio = judgedJson({ filename: '/dev/zero', rw: 'randread' }, { read: moved() });
    expect(codesOf(fio)).toEqual(['no-file', 'short-run']);
  });

  it('its requests are not held against the disk beside those of another job', () => {
    const of = (name: string, ioengine: string) => ({
      ...{ jobname: name, groupid: 0, error: 0, 'job options': { name, ioengine, bs: '4k', rw: 'randread' } },
      read: moved({ clat_ns: {}, lat_ns: { ...spread, mean: 5e6 } }),
    });
    const disk_util = [{ name: 'sda', read_ios: 1000, write_ios: 0, read_ticks: 900, write_ticks: 0 }];
    const text = JSON.stringify({
      ...{ 'fio version': 'fio-3.36', jobs: [of('real', 'psync'), of('idle', 'null')], disk_util },
    });
    expect(codesOf(judged(savedText(text)))).toContain('disk-served');
  });
});

describe('several jobs under one name (group_reporting)', () => {
  it('text: what was set for the first is not said of all', () => {
    const judgement = judged(saved('odd/grouped-unlike.txt'));
    expect(judgement.diagnosis.saved.missing).toContain(
      'which figures are whose: "a" stands for several jobs (group_reporting)',
    );
    for (const measured of judgement.diagnosis.measured) expect(measured).not.toHaveProperty('order');
    expect(codesOf(judgement).filter((code) => accusations.includes(code))).toEqual([]);
  });

  it('text: what all of them have in common is kept', () => {
    const alike = savedText(textOf('odd/grouped-unlike.txt').replace('rw=write', 'rw=randread'));
    expect(judged(alike).diagnosis.measured[0]).toMatchObject({ order: 'random', engine: 'psync' });
  });

  it('JSON: writes of a job that only reads are another’s', () => {
    const judgement = judgedJson({ rw: 'write', size: '64m' }, { write: moved(), read: moved() });
    // It would be a verify phase otherwise, and nothing flushed.
    expect(codesOf(judgement)).not.toContain('verify-reads');
    expect(conclusion(judgement, 'no-flush').certainty).toBe('possible');
  });

  it('JSON: a verify job still reads what it wrote', () => {
    const verify = judgedJson({ rw: 'write', verify: 'crc32c' }, { write: moved(), read: moved() });
    expect(codesOf(verify)).toContain('verify-reads');
  });

  it('JSON: requests of another size than was set are another’s, and no second pass', () => {
    const mixed = moved({ io_bytes: 8_000_000, total_ios: 1000 });
    const judgement = judgedJson({ rw: 'randread', size: '4000k' }, { read: mixed });
    expect(codesOf(judgement)).not.toContain('later-passes');
    expect(judgement.diagnosis.saved.missing).toHaveLength(1);
    const asked = judgedJson({ rw: 'randread', size: '4000k', bssplit: '4k/50:12k/50' }, { read: mixed });
    expect(asked.diagnosis.saved.missing).toEqual([]);
  });
});

describe('reads that were not the first', () => {
  const field = textOf('field/guest-read.txt');
  const host = saved('field/host-read.txt');

  it.each([
    '--ramp_time=60',
    '--pre_read=1',
    '--percentage_random=50',
    '--fadvise_hint=sequential',
    '--zonemode=strided',
  ])('with %s the host’s cache is not claimed alone', (option) => {
    const text = field.replace('--bs=4k', `--bs=4k ${option}`);
    expect(text).not.toBe(field);
    expect(conclusion(judged(savedText(text), { host }), 'served-by-host-cache')).toMatchObject({
      certainty: 'possible',
      media: ['guest-cache', 'fuse/host-cache'],
    });
  });

  it('a layout of a few MiB is printed too coarsely to tell a second pass by', () => {
    const text = textOf('odd/grouped-unlike.txt')
      .replace('(1 file / 4MiB)', '(1 file / 0MiB)')
      .replace(/^b: .*\n/gm, '')
      .replace('jobs=2', 'jobs=1');
    expect(codesOf(judged(savedText(text)))).not.toContain('later-passes');
  });
});

describe('settings that slow nothing', () => {
  it.each(['rate_min', 'rate_iops_min', 'rate_process', 'rate_ignore_thinktime'])('%s', (option) => {
    expect(codesOf(judgedJson({ rw: 'randread', [option]: '10' }, { read: moved() }))).not.toContain(
      'rate-limited',
    );
  });
});

describe('writes', () => {
  it('that all failed were acknowledged by nobody', () => {
    const nothing = moved({ io_bytes: 0, io_kbytes: 0, total_ios: 1, clat_ns: {}, lat_ns: {} });
    const judgement = judgedJson({ rw: 'write' }, { write: nothing }, { error: 28 });
    expect(codesOf(judgement)).toEqual(['job-failed', 'short-run', 'nothing-contradicts']);
    expect(saved('odd/full-device.txt').problem?.why).toMatch(
      /the job a ended with error 28 .*No space left/,
    );
  });

  it('that took their time while they were submitted are not called quicker than a disk', () => {
    const header =
      'j: (g=0): rw=randwrite, bs=(R) 4096B-4096B, (W) 4096B-4096B, (T) 4096B-4096B, ioengine=libaio, iodepth=64';
    const result = [
      'j: (groupid=0, jobs=1): err= 0: pid=7: Mon Nov 23 06:24:04 2026',
      '  write: IOPS=10.0k, BW=39.1MiB/s (41.0MB/s)(391MiB/10000msec)',
      '    slat (usec): min=90, max=400, avg=200.00, stdev=10.00',
      '    clat (nsec): min=900, max=9000, avg=1500.00, stdev=10.00',
      '     lat (usec): min=90, max=409, avg=201.50, stdev=10.00',
      '    clat percentiles (nsec):',
      '     |  5.00th=[ 1000], 50.00th=[ 1400],',
      '     issued rwts: total=0,100000,0,0 short=0,0,0,0 dropped=0,0,0,0',
      'Run status group 0 (all jobs):',
    ].join('\n');
    expect(codesOf(judged(savedText(`${header}\nfio-3.36\n${result}`)))).not.toContain(
      'acknowledged-from-memory',
    );
  });
});

describe('figures as they were counted', () => {
  it('JSON and dd have bytes to the last one: requests of several sizes do not make them others', () => {
    const bytes = (text: string) => new TextEncoder().encode(text);
    const json = fioJson({ rw: 'read' }, { read: moved({ io_bytes: 8_388_608, total_ios: 1088 }) });
    expect(claimedIn(bytes(json))?.read?.bytes).toBe(8_388_608);
    const dd = '100+1 records in\n100+1 records out\n104858600 bytes (105 MB) copied, 1 s, 105 MB/s\n';
    expect(claimedIn(bytes(dd))?.read?.bytes).toBe(104_858_600);
    expect(judged(savedText(`$ dd if=f of=/dev/null bs=1M\n${dd}`)).diagnosis.measured[0]?.bytes).toBe(
      104_858_600,
    );
  });

  it('what came before fio counted (ramp_time) is not in its report, which is no claim of all then', () => {
    const json = fioJson({ rw: 'read', ramp_time: '5' }, { read: moved() });
    expect(claimedIn(new TextEncoder().encode(json))).toBeUndefined();
  });

  it('the rate of reads and writes together is neither’s', () => {
    const json = fioJson({ rw: 'randrw', unified_rw_reporting: '1' }, { mixed: moved() });
    expect(rateIn(new TextEncoder().encode(json))).toEqual({ program: 'fio', timedSeconds: 2 });
  });

  it('JSON whose names somebody sorted is read', () => {
    const disk_util = [{ name: 'sda', read_ios: 1000 }];
    const { 'fio version': version, jobs } = JSON.parse(fioJson({ rw: 'randread' }, { read: moved() }));
    const sorted = JSON.stringify({ disk_util, 'fio version': version, jobs });
    expect(judged(savedText(`$ fio j.fio | jq -S .\n${sorted}`)).diagnosis.measured).toHaveLength(1);
    expect(judged(savedText(`${sorted}\n${sorted}`)).diagnosis.measured).toHaveLength(2);
  });

  it('states of a run whose jobs came one after the other are one run', () => {
    const state = (timestamp: number, runtimes: readonly number[]) =>
      JSON.stringify({
        'fio version': 'fio-3.36',
        timestamp,
        jobs: runtimes.map((runtime, groupid) => ({
          ...{ jobname: `j${groupid}`, groupid, read: moved({ runtime, total_ios: runtime }) },
        })),
      });
    const text = [state(1010, [10_000, 0]), state(1040, [30_000, 10_000])].join('\n');
    expect(judged(savedText(text)).diagnosis.measured).toHaveLength(2);
  });
});
