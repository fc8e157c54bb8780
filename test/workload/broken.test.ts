import { describe, expect, it } from 'vitest';
import { readOutput } from '../../src/workload/read-output.ts';
import { judged, saved, savedText, textOf } from './judged.ts';

const whole = textOf('true/direct-randread.txt');

describe('broken input', () => {
  it.each<readonly [string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(), 'no-text'],
    ['a program', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0), 'no-text'],
    ['gzip data', Uint8Array.of(0x1f, 0x8b, 8, 0), 'no-text'],
    ['zeros', new Uint8Array(100_000), 'no-text'],
    ['other text', new TextEncoder().encode('hello\n'), 'not-recognized'],
    [
      'a run that never ended',
      new TextEncoder().encode(whole.slice(0, whole.indexOf('rr: (groupid'))),
      'no-results',
    ],
    ['JSON of something else', new TextEncoder().encode('{"jobs":[]}'), 'not-recognized'],
    ['JSON without jobs', new TextEncoder().encode('{"fio version":"fio-3.33","jobs":[]}'), 'no-results'],
  ])('%s has a reason and a cure', (_, bytes, code) => {
    const { problem } = readOutput('f', bytes);
    expect(problem?.code).toBe(code);
    expect(problem?.why).not.toBe('');
    expect(problem?.cure).toMatch(/\.$/);
  });

  it('says what terse output and a dd without times are', () => {
    expect(saved('true/terse.txt').problem?.code).toBe('terse');
    expect(saved('true/dd-busybox.txt').problem?.why).toContain('no time');
  });

  it('can be cut off anywhere: no crash, no accusation, and what is missing is named', () => {
    for (let length = 0; length < whole.length; length += 37) {
      const output = savedText(whole.slice(0, length));
      if (output.problem !== undefined) continue;
      const { diagnosis } = judged(output);
      expect(diagnosis.conclusions.filter(({ code }) => code === 'fewer-disk-requests')).toEqual([]);
      if (length < whole.indexOf('Run status')) expect(diagnosis.saved.missing.join()).toContain('cut off');
    }
  });

  it('JSON can be cut off anywhere', () => {
    const json = textOf('true/jobs4-grouped.txt') === '' ? '' : textOf('true/direct-randread.json');
    for (let length = 0; length < json.length; length += 61) {
      const output = savedText(json.slice(0, length));
      if (output.problem === undefined)
        expect(judged(output).diagnosis.saved.missing.join()).toContain('cut off');
    }
  });

  it('names that end or colour a terminal stay text', () => {
    const output = savedText(whole.replaceAll(/\brr\b/g, '\u202er\u0007r'));
    expect(output.problem).toBeUndefined();
  });
});

// The time is that of this machine under load: what must not be is a square of the length.
describe('long input', () => {
  const length = 8 * 1024 ** 2;
  it.each<readonly [string, string]>([
    ['digits', '1'],
    ['spaces', ' '],
    ['tags that never close', '<a'],
    ['headers that never end', ': (g=0): rw=randread, bs='],
    ['results without anything', ': (groupid=0, jobs=1): err= 0: pid=1'],
    ['percentiles', ' | 1.00th=[ 31],'],
    ['commands', 'fio --name=a '],
    ['arguments', ' --name=a'],
    ['the first key of JSON', '"fio version" : '],
    ['JSON that nests', '{"fio version":'],
    ['brackets', '{"fio version":"fio-3.1","jobs":['],
    ["dd's summaries", '1+0 records in\n1+0 records out\n4096 bytes (4.1 kB) copied, 1 s, 4.1 kB/s\n'],
    ['almost summaries', '12 bytes copied, 1 s, '],
    ['sections', '[a]\nrw=read\n'],
  ])(
    '%s',
    (_, piece) => {
      const started = process.cpuUsage();
      const output = savedText(piece.repeat(Math.ceil(length / piece.length)));
      if (output.problem === undefined) judged(output);
      const { user, system } = process.cpuUsage(started);
      expect((user + system) / 1e6).toBeLessThan(15);
    },
    120_000,
  );
});
