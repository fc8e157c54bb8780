import { describe, expect, it } from 'vitest';
import { probeJob } from '../../src/workload/explain/probe-job.ts';

describe('a job for the probe’s own runner', () => {
  it('is said as a user says it to fio, in plain numbers', () => {
    expect(
      probeJob([
        'fio',
        '--name=r',
        '--filename=/mnt/a:/mnt/b\\:c',
        '--readwrite=randrw',
        '--blocksize=4k',
        '--size=64m',
        '--runtime=1.5s',
        '--time_based',
        '--end_fsync=1',
        '--ioengine=psync',
        '--output-format=json',
      ]),
    ).toEqual([
      'name=r',
      'rw=randrw',
      'bs=4096',
      'size=67108864',
      'runtime_ns=1500000000',
      'time_based=1',
      'end_fsync=1',
      'ioengine=psync',
      '--',
      '/mnt/a',
      '/mnt/b:c',
    ]);
  });

  it('is one word too', () => {
    expect(probeJob(['rw=randread,bs=4k,size=1m,filename=/mnt/x'])).toEqual([
      'rw=randread',
      'bs=4096',
      'size=1048576',
      '--',
      '/mnt/x',
    ]);
  });

  it('is refused where it would never end', () => {
    const words = ['rw=read', 'size=1m', 'filename=/f', 'time_based=1'];
    expect(() => probeJob(words)).toThrow('without a runtime');
    expect(probeJob([...words, 'runtime=5'])).toContain('runtime_ns=5000000000');
    expect(probeJob([...words, 'number_ios=5'])).toContain('number_ios=5');
  });

  it('is refused rather than run as another than was meant', () => {
    const base = ['--filename=/f', '--size=1m'];
    for (const [words, what] of [
      [[...base, '--ioengine=libaio'], 'no ioengine=libaio'],
      [[...base, '--iodepth=32'], 'no iodepth=32'],
      [[...base, '--bs=4k,8k'], 'no bs=4k,8k'],
      [[...base, '--verify=md5'], 'no "verify"'],
      [[...base, '--numjobs=4'], 'no numjobs=4'],
      [[...base, '--name=a', '--name=b'], 'said twice'],
      [['job.fio'], 'job files are not read'],
      [['--size=1m'], 'names no file'],
      [['--filename=/f'], 'has no size'],
    ] as const)
      expect(() => probeJob(words), words.join(' ')).toThrow(what);
  });
});
