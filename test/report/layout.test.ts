import { describe, expect, it } from 'vitest';
import { commandLines, ends, flowed, padTo, wrapped } from '../../src/report/layout.ts';
import { count, formatBytes, formatRate, formatSeconds } from '../../src/report/quantities.ts';

describe('layout', () => {
  it('pads by what is displayed, not by characters', () => {
    expect(padTo('日本', 6)).toBe('日本  ');
  });

  it('breaks prose at spaces and indents what follows', () => {
    expect(wrapped('one two three four five six', { width: 24, first: '  a ' })).toEqual([
      '  a one two three four',
      '    five six',
    ]);
  });

  it('never breaks a word, however long', () => {
    const path = `/mnt/${'x'.repeat(100)}`;
    expect(wrapped(`see ${path}`, { width: 40 })).toEqual(['see', path]);
  });

  it('keeps pieces whole and gives one that is too long a line of its own', () => {
    expect(flowed(['same', 'x'.repeat(30), '4 B'], { width: 20, gap: '  ', rest: '    ' })).toEqual([
      'same',
      `    ${'x'.repeat(30)}`,
      '    4 B',
    ]);
  });

  it('puts a code at the right edge, below where there is no room', () => {
    expect(ends('left', 'right', 20)).toEqual(['left           right']);
    expect(ends('a long left side', 'right', 20)).toEqual(['a long left side', '               right']);
  });

  it('breaks a command between its words, never inside quotes, and it stays one command', () => {
    const command = "vfs-verify md5 '/mnt/auto/a file with  spaces' --expect 'it'\\''s' --json";
    const lines = commandLines(command, { width: 40, first: '', rest: '' });
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.slice(0, -1).every((line) => line.endsWith(' \\'))).toBe(true);
    expect(lines.join('\n').replaceAll(/ \\\n +/g, ' ')).toBe(command);
  });
});

describe('quantities', () => {
  it('says bytes in binary units with one decimal, and few bytes exactly', () => {
    expect([0, 1023, 1024, 1_261_568, 4 * 1024 ** 3].map(formatBytes)).toEqual([
      '0 B',
      '1023 B',
      '1.0 KiB',
      '1.2 MiB',
      '4.0 GiB',
    ]);
  });

  it('says short times in seconds and long ones by the clock', () => {
    expect([0.004, 0.44, 6.3, 59.96, 132, 3723].map(formatSeconds)).toEqual([
      '0.00 s',
      '0.4 s',
      '6.3 s',
      '1:00',
      '2:12',
      '1:02:03',
    ]);
  });

  it('gives no rate where no time passed', () => {
    expect(formatRate(10, 0)).toBeUndefined();
    expect(formatRate(2 * 1024 ** 2, 2)).toBe('1.0 MiB/s');
  });

  it('counts with plurals', () => {
    expect([count(1, 'file'), count(1204, 'file')]).toEqual(['1 file', '1,204 files']);
  });
});
