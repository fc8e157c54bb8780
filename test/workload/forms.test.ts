import { describe, expect, it } from 'vitest';
import type { SavedOutput } from '../../src/workload/read-output.ts';
import { codesOf, judged, saved, savedText, textOf } from './judged.ts';

const plain = textOf('true/jobs4-grouped.txt');
const figures = (output: SavedOutput) => judged(output).diagnosis.measured;
const wanted = figures(savedText(plain));

describe('fio, human-readable', () => {
  it.each<readonly [string, (text: string) => string]>([
    ['with its line breaks lost', (text) => text.replaceAll('\n', ' ')],
    ['with Windows line ends', (text) => text.replaceAll('\n', '\r\n')],
    [
      'in HTML',
      (text) =>
        `<pre>${text.replaceAll('&', '&amp;').replaceAll('>', '&gt;').replaceAll('\n', '<br/>\n')}</pre>`,
    ],
    ['in colour', (text) => text.replaceAll(/IOPS=/g, '\x1b[1;32mIOPS\x1b[0m=')],
    ['with no-break spaces', (text) => text.replaceAll('    ', '\u00a0\u00a0\u00a0\u00a0')],
    ['quoted in a mail', (text) => text.replaceAll('=', '=3D').replaceAll(/(.{70})/g, '$1=\n')],
    ['quoted in a discussion', (text) => text.replaceAll(/^/gm, '> ')],
    ['between a shell session', (text) => `root@vm:~# ${text}root@vm:~# exit\n`],
    ['as 3.1 printed it', asVersion31],
    [
      'as 3.41 prints it',
      (text) => text.replace('fio-3.33', 'fio-3.41').replaceAll('/2, merge', '/2, sectors=408648/24, merge'),
    ],
    [
      'with the progress of a terminal',
      (text) =>
        text.replace(
          '\n\ng: (groupid',
          `\n${'Jobs: 4 (f=4): [r(4)][50.0%][r=94.8MiB/s][r=24.3k IOPS][eta 00m:01s]\r'.repeat(40)}\ng: (groupid`,
        ),
    ],
  ])('%s', (_, change) => {
    expect(figures(savedText(change(plain)))).toEqual(wanted);
  });

  it('as UTF-16, as Windows shells redirect it', () => {
    const bytes = Buffer.from(`\ufeff${plain}`, 'utf16le');
    const output = saved('true/jobs4-grouped.txt');
    expect(figures(savedText(bytes.toString('utf16le')))).toEqual(figures(output));
  });

  it('milliseconds, microseconds and nanoseconds are one measure', () => {
    const text = textOf('field/host-read.txt')
      .replace('clat (usec): min=59, max=42472, avg=6040.74', 'clat (msec): min=1, max=42, avg= 6.04')
      .replace('lat (usec): min=61, max=42474, avg=6044.68', 'lat (msec): min=1, max=42, avg= 6.04');
    expect(figures(savedText(text))[0]?.meanNs).toBeCloseTo(6.04e6);
  });

  it('a field keeps its line and column', () => {
    const [, second] = judged(saved('true/two-groups.txt')).diagnosis.conclusions.filter(
      ({ code }) => code === 'short-run',
    );
    const place = second?.figures[0]?.places[0];
    expect(place).toMatchObject({ line: 28, column: 3 });
    expect(textOf('true/two-groups.txt').slice(place?.offset).startsWith('read: IOPS=10.2k')).toBe(true);
  });

  it('the last of the states that --status-interval prints', () => {
    expect(figures(saved('true/status-interval.txt'))).toMatchObject([{ requests: 59_726 }]);
    expect(figures(saved('true/status-interval.json'))).toMatchObject([{ requests: 53_348 }]);
  });

  it('two runs in one file are two', () => {
    const both = savedText(`${plain}\n${textOf('true/cold-randread.txt')}`);
    expect(figures(both).map(({ about }) => about)).toEqual(['g (run 1), read', 'rr (run 2), read']);
  });

  it('options of a job file that was saved with the output', () => {
    const [, ...lines] = textOf('true/direct-randread.txt').split('\n');
    const text = `[global]\nrw=randread\nbs=4k\ndirect=1\n[rr]\nfilename=f\nsize=256m\n\n${lines.join('\n')}`;
    const [run] = savedText(text).runs;
    expect([...(run?.jobs[0]?.options.keys() ?? [])]).toEqual(['rw', 'bs', 'direct', 'filename', 'size']);
  });
});

describe('fio, JSON', () => {
  it('among other text, and beside its own text', () => {
    const json = textOf('true/direct-randread.json');
    const alone = figures(savedText(json));
    expect(alone).toMatchObject([{ job: 'rr', requests: 39_469, order: 'random', blockBytes: 4096 }]);
    expect(figures(savedText(`fio: this is a note\n${json}\n$ exit\n`))).toEqual(alone);
    expect(figures(saved('true/normal-and-json.txt'))).toHaveLength(1);
  });

  it('with histograms (json+)', () => {
    expect(figures(saved('true/json-plus.json'))).toMatchObject([{ requests: 46_531 }]);
  });

  it('cut off: what is there is judged, and what is missing is said', () => {
    const whole = textOf('true/direct-randread.json');
    const cut = savedText(whole.slice(0, whole.indexOf('"iodepth_level"')));
    expect(judged(cut).diagnosis.saved.missing.join()).toContain('cut off');
    expect(figures(cut)).toMatchObject([{ requests: 39_469 }]);
  });

  it('early 3.x wrote bytes in KiB', () => {
    const text = textOf('true/direct-randread.json')
      .replaceAll(/"io_kbytes" : \d+,\s*/g, '')
      .replaceAll(/"bw_bytes" : \d+,\s*/g, '')
      .replace('"io_bytes" : 161665024', '"io_bytes" : 157876')
      .replaceAll(/"total_ios" : 39469,/g, '');
    expect(figures(savedText(text))).toMatchObject([{ bytes: 157_876 * 1024 }]);
  });

  it('places are those of the file', () => {
    const judgement = judged(saved('true/direct-randread.json'));
    const figure = judgement.diagnosis.conclusions
      .flatMap((each) => each.figures)
      .find(({ name }) => name === 'vda: reads completed');
    const [place] = figure?.places ?? [];
    const line = textOf('true/direct-randread.json').split('\n')[(place?.line ?? 0) - 1] ?? '';
    expect(line.slice((place?.column ?? 1) - 1)).toMatch(/^38807/);
    expect(line).toContain('"read_ios"');
  });
});

describe('dd', () => {
  it.each([
    ['true/dd-warm.txt', 256, 0.238_877],
    ['true/dd-de_DE.txt', 256, undefined],
    ['true/dd-fr_FR.txt', 256, undefined],
    ['true/dd-zh_CN.txt', 256, undefined],
    ['true/dd-progress-fr.txt', 9000, undefined],
    ['true/dd-progress.txt', 512, undefined],
  ])('%s', (name, requests, seconds) => {
    const [only] = figures(saved(name));
    expect(only).toMatchObject({ job: 'dd', requests, bytes: requests * 1024 ** 2, blockBytes: 1024 ** 2 });
    expect(only?.seconds).toBeGreaterThan(0.1);
    if (seconds !== undefined) expect(only?.seconds).toBe(seconds);
  });

  it.each([
    [
      'busybox',
      '256+0 records in\n256+0 records out\n268435456 bytes (256.0MB) copied, 0.120345 seconds, 2.1GB/s\n',
    ],
    [
      'BSD and macOS',
      '256+0 records in\n256+0 records out\n268435456 bytes transferred in 0.120345 secs (2230549304 bytes/sec)\n',
    ],
    [
      'old coreutils',
      '256+0 records in\n256+0 records out\n268435456 bytes (268 MB) copied, 0.120345 s, 2.2 GB/s\n',
    ],
    [
      'Japanese',
      '256+0 レコード入力\n256+0 レコード出力\n268435456 バイト (268 MB, 256 MiB) コピーされました、 0.120345 秒、 2.2 GB/秒\n',
    ],
    [
      'Russian',
      '256+0 записей получено\n256+0 записей отправлено\n268435456 байт (268 MB, 256 MiB) скопирован, 0,120345 s, 2,2 GB/s\n',
    ],
    [
      'on one line',
      '256+0 records in 256+0 records out 268435456 bytes (268 MB, 256 MiB) copied, 0.120345 s, 2.2 GB/s',
    ],
  ])('%s', (_, text) => {
    expect(figures(savedText(text))).toMatchObject([
      { requests: 256, bytes: 268_435_456, seconds: expect.closeTo(0.120345, 9) },
    ]);
  });

  it('with its command it is a read or a write, flushed or not', () => {
    const summary = textOf('true/dd-write-nosync.txt');
    const plain = judged(savedText(`$ dd if=/dev/zero of=/mnt/f bs=1M count=256\n${summary}`), {
      isGuest: true,
    });
    expect(codesOf(plain)).toEqual(expect.arrayContaining(['acknowledged-from-memory', 'no-flush']));
    const flushed = judged(savedText(`$ dd if=/dev/zero of=/mnt/f bs=1M count=256 conv=fsync\n${summary}`), {
      isGuest: true,
    });
    expect(codesOf(flushed)).not.toContain('no-flush');
    const read = judged(savedText(`# dd if=/mnt/f of=/dev/null bs=1M\n${summary}`), {
      device: 'hdd',
      isGuest: true,
    });
    expect(codesOf(read)).toContain('beyond-the-wire');
  });

  it('only progress lines: what was copied so far, and that the end is missing', () => {
    const [progress = ''] = textOf('true/dd-progress-fr.txt').split('\n');
    expect(judged(savedText(progress)).diagnosis.saved.missing.join()).toContain('only progress lines');
  });

  it('numbers that do not agree are no summary', () => {
    expect(savedText('1000 bytes copied, 2 s, 900 GB/s').problem?.code).toBe('not-recognized');
  });
});

/** Early 3.x: no count of flushes, an indent more, no zone resets. */
function asVersion31(text: string): string {
  return text
    .replace('fio-3.33', 'fio-3.1')
    .replace('  read: IOPS', '   read: IOPS')
    .replaceAll(
      /issued rwts: total=(\d+,\d+,\d+),\d+ short=(\d+,\d+,\d+),\d+ dropped=(\d+,\d+,\d+),\d+/g,
      'issued rwt: total=$1, short=$2, dropped=$3',
    );
}
