import { describe, expect, it } from 'vitest';
import { redactedKernelLog } from '../../src/run/redact/kernel-log.ts';
import { Pseudonyms } from '../../src/run/redact/pseudonyms.ts';
import { scrubbed } from '../../src/run/redact/text.ts';

const known = (word: string) => 'the disk of is a version linux deb amd ext'.split(' ').includes(word);

describe('free text that is packed for others', () => {
  it('keeps only words that the program itself has, and versions', () => {
    const names = new Pseudonyms([]);
    const text = 'Linux version 6.12.107+deb13-amd64, ext4 of x86_64: the disk is a Wintermute';
    expect(scrubbed(text, names, known)).toBe(text.replace('Wintermute', 'word-1'));
  });

  it('has nothing left of ids in which letters and digits take turns', () => {
    const names = new Pseudonyms([]);
    const ids = ['S3Z1NB0K123456', 'a1b2c3d4e5f6', '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c'];
    for (const [index, id] of ids.entries())
      expect(scrubbed(`the disk ${id} of`, names, known)).toBe(`the disk word-${index + 1} of`);
    expect(scrubbed(ids[0] ?? '', names, known)).toBe('word-1');
  });

  it('has them out of a kernel’s log too', () => {
    const log = '[    1.0] I/O error, dev sda, disk S3Z1NB0K123456, op 0x0:(READ)\n[    2.0] usb of mine\n';
    const kept = redactedKernelLog(log, new Pseudonyms([]), new Set());
    expect(kept).toMatch(/^\[ {4}1\.0\] I\/O error, dev /);
    expect(kept).not.toMatch(/S3Z1|usb/);
  });
});
