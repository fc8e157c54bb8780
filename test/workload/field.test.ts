import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/workload/diagnose.ts';
import { codesOf, conclusion, judged, saved } from './judged.ts';

const host = { read: saved('field/host-read.txt'), write: saved('field/host-write.txt') };

describe('the field case', () => {
  it('reads every figure of output whose line breaks are lost, and says where it stands', () => {
    const { diagnosis } = judged(saved('field/guest-read.txt'));
    expect(diagnosis.saved).toMatchObject({
      program: 'fio',
      version: '3.16',
      form: 'text',
      damage: [],
      missing: [],
    });
    expect(diagnosis.measured).toEqual([
      {
        about: 'random-read, read',
        job: 'random-read',
        direction: 'read',
        processes: 1,
        requests: 1_171_868,
        bytes: 1_171_868 * 4096,
        seconds: 60.001,
        requestsPerSecond: 1_171_868 / 60.001,
        bytesPerSecond: Math.round((1_171_868 * 4096) / 60.001),
        medianNs: 47_000,
        meanNs: 49_810,
        engine: 'posixaio',
        depth: 1,
        blockBytes: 4096,
        order: 'random',
      },
    ]);
  });

  it('reads through stray markup, and names the place in the file as it is', () => {
    const output = saved('field/guest-read-again.txt');
    expect(output.damage).toEqual(['encoded characters taken out']);
    const [figure] = conclusion(judged(output), 'no-rotating-disk').figures;
    expect(figure).toMatchObject({ name: 'mean latency', value: 49_500, unit: 'ns' });
    const text = String(figure?.places[0]?.offset);
    expect(Number(text)).toBeGreaterThan(0);
  });

  it.each([
    ['field/guest-read.txt', 0.8864],
    ['field/guest-read-again.txt', 0.8809],
  ])('%s: the host page cache answered, and the disk hardly anything', (name, least) => {
    const judgement = judged(saved(name), { host: host.read });
    expect(judgement.headline).toMatch(
      /most likely the host's page cache, and not the disk: at most 0\.8 % of them/,
    );
    const ceiling = conclusion(judgement, 'faster-than-the-disk');
    expect(ceiling).toMatchObject({ certainty: 'certain', excludes: ['fuse/disk'] });
    expect(ceiling.excludedAtMost).toBeCloseTo(165.31 / 19_531, 3);
    expect(ceiling.figures).toContainEqual(
      expect.objectContaining({ name: 'sdc: reads completed', value: 9917 }),
    );
    const cache = conclusion(judgement, 'served-by-host-cache');
    expect(cache).toMatchObject({ certainty: 'likely', media: ['fuse/host-cache'] });
    expect(cache.share?.[0]).toBeCloseTo(least, 2);
    expect(cache.settle).toBe('vfs-verify reads DIR/random-read.0.0 --bs 4k --order random --drop both');
  });

  it('says that dropping the guest caches could change nothing, for a reason and by the two runs', () => {
    const [first] = diagnose(
      [saved('field/guest-read.txt'), saved('field/guest-read-again.txt')],
      [host.read],
      { shareType: 'virtiofs' },
      false,
    );
    if (first === undefined) throw new Error('nothing judged');
    expect(conclusion(first, 'guest-drop-changes-nothing')).toMatchObject({
      certainty: 'likely',
      media: ['fuse/host-cache'],
      excludes: ['guest-cache'],
    });
    expect(conclusion(first, 'same-from-both-runs').claim).toContain('agree within 0.6 %');
  });

  it("the host's read really was the disk", () => {
    const judgement = judged(host.read);
    expect(judgement.headline).toBe("165 reads a second: the disk's own");
    expect(conclusion(judgement, 'disk-served')).toMatchObject({ certainty: 'certain', media: ['disk'] });
    expect(codesOf(judgement)).toEqual(['disk-served']);
  });

  it("the guest's writes were acknowledged from memory and flushed at the end", () => {
    const judgement = judged(saved('field/guest-write.txt'), { host: host.write });
    const flush = conclusion(judgement, 'flush-at-end');
    expect(flush.certainty).toBe('certain');
    expect(flush.claim).toContain('43.0 s to 44.2 s of 103.0 s');
    expect(flush.claim).toContain('while it wrote there were 14,497');
    expect(conclusion(judgement, 'acknowledged-from-memory')).toMatchObject({
      certainty: 'certain',
      media: ['fuse/host-cache', 'guest-cache'],
      excludes: ['fuse/disk'],
    });
    expect(codesOf(judgement)).not.toContain('no-flush');
  });

  it("the host's writes were flushed for most of the time, in fewer and larger requests", () => {
    const judgement = judged(host.write);
    expect(conclusion(judgement, 'flush-at-end').claim).toContain('58.0 s to 60.2 s of 75.0 s');
    expect(conclusion(judgement, 'acknowledged-from-memory').claim).toContain(
      "2,097,153 writes became 52,057 of sdc's, 161.1 KiB each",
    );
  });

  it('without a host run it says what is left: no rotating disk, and told of one, not that disk', () => {
    expect(conclusion(judged(saved('field/guest-read.txt')), 'no-rotating-disk').certainty).toBe('certain');
    const told = judged(saved('field/guest-read.txt'), { device: 'hdd' });
    expect(conclusion(told, 'faster-than-the-device').excludedAtMost).toBeCloseTo(49.81 / 2000, 4);
    const iops = judged(saved('field/guest-read.txt'), { deviceIops: 165 });
    expect(conclusion(iops, 'faster-than-the-device').excludedAtMost).toBeCloseTo(165 / 19_531, 4);
  });

  it('finds the host run among the files, and is less sure then', () => {
    const files = ['guest-read', 'guest-read-again', 'guest-write', 'host-read', 'host-write'];
    const all = diagnose(
      files.map((name) => saved(`field/${name}.txt`)),
      [],
      { shareType: 'virtiofs' },
      false,
    );
    const [guest, , , hostRead] = all;
    if (guest === undefined || hostRead === undefined) throw new Error('nothing judged');
    expect(conclusion(guest, 'faster-than-the-disk')).toMatchObject({ certainty: 'likely' });
    expect(conclusion(guest, 'served-by-host-cache')).toMatchObject({ media: ['fuse/host-cache'] });
    expect(codesOf(hostRead)).toContain('disk-served');
  });

  it('calls the path by the kind of share', () => {
    const judgement = judged(saved('field/guest-read.txt'), { host: host.read, shareType: '9p' });
    expect(conclusion(judgement, 'served-by-host-cache').media).toEqual(['9p/host-cache']);
  });
});
