import { describe, expect, it } from 'vitest';
import type { ConclusionCode } from '../../src/model/diagnosis.ts';
import { accusations, codesOf, conclusion, judged, saved, savedText, textOf } from './judged.ts';

// The truth of each is in fixtures/README.md: the caches were put in that state before the run.

const fromTheDevice = [
  'direct-randread.txt',
  'direct-randread.json',
  'direct-libaio-depth.txt',
  'cold-randread.txt',
  'cold-seqread-4k.txt',
  'cold-mmap.txt',
  'libaio-buffered-depth.txt',
  'psync-depth.txt',
  'jobs4-grouped.txt',
  'jobs4.txt',
  'two-groups.txt',
  'layout-randread.txt',
  'status-interval.txt',
  'status-interval.json',
  'json-plus.json',
  'normal-and-json.txt',
  'v339-direct-randread.txt',
  'v339-uring.json',
  'rate-limited.txt',
  'direct-randwrite.txt',
  'osync-write.txt',
  'forty-milliseconds.txt',
];

describe('what the device answered', () => {
  it.each(fromTheDevice)('%s is not called a cache', (name) => {
    const codes = codesOf(judged(saved(`true/${name}`)));
    expect(codes.filter((code) => accusations.includes(code))).toEqual([]);
    expect(codes).not.toContain('acknowledged-from-memory');
    expect(codes).not.toContain('no-flush');
  });

  it.each(fromTheDevice)('%s is not called one with the device named, either', (name) => {
    const codes = codesOf(judged(saved(`true/${name}`), { device: 'nvme' }));
    expect(codes.filter((code) => accusations.includes(code))).toEqual([]);
  });

  it.each(['guest-cold', 'guest-direct-cold', 'guest-host-warm', 'guest-warm'])(
    'guest/%s, slow as it is, is accused of nothing beside the run of the host',
    (name) => {
      const judgement = judged(saved(`guest/${name}.txt`), { host: saved('guest/host-cold.txt') });
      expect(codesOf(judgement).filter((code) => accusations.includes(code))).toEqual([]);
    },
  );

  it('devices that count nothing (NVMe multipath) are not believed to have done nothing', () => {
    const silent = (name: string) =>
      savedText(
        textOf(`true/${name}`).replace(
          /vda: ios=.*/,
          'nvme0n1: ios=0/0, merge=0/0, ticks=0/0, in_queue=0, util=0.00%',
        ),
      );
    for (const name of ['direct-randread.txt', 'cold-randread.txt', 'cold-seqread-4k.txt', 'jobs4.txt'])
      expect(codesOf(judged(silent(name))).filter((code) => accusations.includes(code))).toEqual([]);
  });

  it('processes that read the same file may each have read the same: the host cache is not claimed alone', () => {
    const text = textOf('field/guest-read.txt')
      .replace('--numjobs=1', '--numjobs=4 --filename=f --group_reporting')
      .replace('jobs=1)', 'jobs=4)');
    const judgement = judged(savedText(text), { host: saved('field/host-read.txt') });
    expect(conclusion(judgement, 'served-by-host-cache')).toMatchObject({
      certainty: 'possible',
      media: ['guest-cache', 'fuse/host-cache'],
    });
  });

  it('blocks smaller than a page may find it in the guest: the host cache is not claimed alone', () => {
    const small = (name: string) =>
      savedText(
        textOf(name)
          .replaceAll('4096B', '512B')
          .replace('--bs=4k', '--bs=512')
          .replace('4578MiB', '572MiB')
          .replace('38.7MiB', '4958KiB'),
      );
    const judgement = judged(small('field/guest-read.txt'), { host: small('field/host-read.txt') });
    expect(conclusion(judgement, 'served-by-host-cache')).toMatchObject({
      certainty: 'possible',
      media: ['guest-cache', 'fuse/host-cache'],
    });
  });

  it('a guest that read the disk is not called a cache because the host was held up in its own run', () => {
    // As a guest's: a share has no disk figures. The host's run of the same reads had a stall.
    const [guest = ''] = textOf('true/cold-randread.txt').split('Disk stats');
    const judgement = judged(savedText(guest), { host: saved('true/direct-randread.txt') });
    const told = judgement.diagnosis.conclusions.filter(({ code }) => accusations.includes(code));
    expect(told.filter(({ certainty }) => certainty !== 'possible')).toEqual([]);
  });
});

const fromMemory: readonly (readonly [string, ConclusionCode])[] = [
  ['warm-randread.txt', 'fewer-disk-requests'],
  ['warm-seqread-1m.txt', 'fewer-disk-requests'],
  ['warm-mmap.txt', 'fewer-disk-requests'],
  ['layout-randread-noinvalidate.txt', 'fewer-disk-requests'],
  ['tmpfs-randread.txt', 'latency-of-memory'],
  ['loop-direct-backing-warm.txt', 'latency-of-memory'],
];

describe('what memory answered', () => {
  it.each(fromMemory)('%s is not called the disk: %s', (name, code) => {
    const judgement = judged(saved(`true/${name}`));
    expect(codesOf(judgement)).toContain(code);
    expect(codesOf(judgement)).not.toContain('disk-served');
  });

  it('never claims more than there was: a third of the reads were from the device', () => {
    const judgement = judged(saved('true/layout-randread-noinvalidate.txt'));
    const truth = 1 - 32_768 / 90_868;
    for (const { code, share } of judgement.diagnosis.conclusions)
      if (accusations.includes(code) && share !== undefined) expect(share[0]).toBeLessThanOrEqual(truth);
  });
});

describe('writes', () => {
  it('direct ones that the device did are said to be its', () => {
    const judgement = judged(saved('true/direct-randwrite.txt'));
    expect(conclusion(judgement, 'device-served').claim).toContain('30,644 writes for the 32,729');
  });

  it('buffered without a flush: acknowledged from memory, and not flushed', () => {
    const judgement = judged(saved('true/buffered-write-nosync.txt'));
    expect(conclusion(judgement, 'acknowledged-from-memory').certainty).toBe('certain');
    expect(conclusion(judgement, 'no-flush').certainty).toBe('certain');
    expect(codesOf(judgement)).not.toContain('flush-at-end');
  });

  it.each(['buffered-write-endfsync.txt', 'buffered-write-endfsync.json'])('%s: flushed', (name) => {
    const codes = codesOf(judged(saved(`true/${name}`)));
    expect(codes).toContain('acknowledged-from-memory');
    expect(codes).not.toContain('no-flush');
  });

  it('whether it was flushed is only asked where the options are not known', () => {
    const bare = textOf('true/buffered-write-endfsync.txt').replace(/^.*\n/, '');
    expect(conclusion(judged(savedText(bare)), 'no-flush').certainty).toBe('possible');
  });

  it('an fsync after each write is not called memory', () => {
    const judgement = judged(saved('true/write-fsync1.json'));
    expect(conclusion(judgement, 'flush-after-each').claim).toContain('4,599 flushes for 4,599 writes');
    expect(codesOf(judgement)).not.toContain('acknowledged-from-memory');
    expect(codesOf(judgement)).not.toContain('no-flush');
  });

  it('in a guest: buffered writes, and one fsync after each', () => {
    const buffered = judged(saved('guest/guest-write.txt'), { isGuest: true });
    expect(conclusion(buffered, 'acknowledged-from-memory').media).toEqual([
      'fuse/host-cache',
      'guest-cache',
    ]);
    expect(codesOf(buffered)).not.toContain('no-flush');
    expect(codesOf(judged(saved('guest/guest-fsync1.txt'), { isGuest: true }))).toContain('flush-after-each');
  });

  it('a machine under load that paused is not called a flush', () => {
    const bare = textOf('true/verify.txt').replace(/^.*\n/, '');
    expect(codesOf(judged(savedText(bare)))).not.toContain('flush-at-end');
  });
});

describe('settings', () => {
  it('a queue depth that a synchronous engine cannot have', () => {
    expect(conclusion(judged(saved('true/psync-depth.txt')), 'synchronous-engine').claim).toContain(
      'iodepth=16',
    );
    expect(codesOf(judged(saved('true/direct-libaio-depth.txt')))).not.toContain('synchronous-engine');
  });

  it('libaio without direct=1', () => {
    expect(codesOf(judged(saved('true/libaio-buffered-depth.txt')))).toContain('buffered-asynchronous');
    expect(codesOf(judged(saved('true/direct-libaio-depth.txt')))).not.toContain('buffered-asynchronous');
  });

  it('a verify phase, which fio flushes and drops before, and which is no no-flush', () => {
    const codes = codesOf(judged(saved('true/verify.txt')));
    expect(codes).toContain('verify-reads');
    expect(codes).not.toContain('no-flush');
  });

  it('a rate that was set', () => {
    expect(conclusion(judged(saved('true/rate-limited.txt')), 'rate-limited').certainty).toBe('certain');
  });

  it('reads of a file that the job also writes', () => {
    expect(conclusion(judged(saved('true/randrw.txt')), 'reads-own-writes').certainty).toBe('possible');
  });

  it('direct=1 in a guest, of a share whose daemon may strip it', () => {
    const [guest = ''] = textOf('true/direct-randread.txt').split('Disk stats');
    const alone = judged(savedText(guest), { isGuest: true });
    expect(conclusion(alone, 'direct-in-the-guest-only').media).toEqual(['fuse/host-cache', 'fuse/disk']);
    const field = textOf('field/guest-read.txt').replace('--rw=randread', '--rw=randread --direct=1');
    const fast = judged(savedText(field), { host: saved('field/host-read.txt') });
    expect(conclusion(fast, 'direct-not-direct')).toMatchObject({
      certainty: 'certain',
      media: ['fuse/host-cache'],
    });
    expect(codesOf(fast)).not.toContain('direct-in-the-guest-only');
  });

  it('four processes are one job', () => {
    const [only] = judged(saved('true/jobs4.txt')).diagnosis.measured;
    expect(only).toMatchObject({ processes: 4, requests: 15_848 + 15_801 + 15_761 + 15_716 });
    expect(judged(saved('true/jobs4-grouped.txt')).diagnosis.measured[0]).toMatchObject({
      processes: 4,
      requests: 52_203,
    });
  });

  it('processes whose JSON is one entry are not taken for one that read its file many times', () => {
    const [first] = (JSON.parse(textOf('true/direct-randread.json')) as { jobs: unknown[] }).jobs;
    const grouped = JSON.stringify({ 'fio version': 'fio-3.33', jobs: [first] })
      .replace('"direct":"1"', '"numjobs":"4"')
      .replace('"filename":"f",', '')
      .replace('"size":"256m"', '"size":"48m"');
    const judgement = judged(savedText(grouped));
    expect(judgement.diagnosis.measured[0]?.processes).toBe(4);
    expect(codesOf(judgement)).not.toContain('later-passes');
  });

  it('memory that is known to hold the file', () => {
    const judgement = judged(saved('field/guest-read.txt'), { hostMemoryBytes: 32 * 2 ** 30, isGuest: true });
    expect(conclusion(judgement, 'file-fits-memory')).toMatchObject({
      certainty: 'possible',
      media: ['fuse/host-cache'],
    });
  });
});
