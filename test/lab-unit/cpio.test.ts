import { expect, test } from 'vitest';
import { type CpioEntry, cpioArchive } from '../../src/lab/guest/cpio.ts';

/** Reads an archive as the kernel does: by the numbers of each header. */
function read(archive: Buffer): { path: string; mode: number; owner: number; data: string }[] {
  const entries: { path: string; mode: number; owner: number; data: string }[] = [];
  for (let at = 0; ; ) {
    expect(at % 4).toBe(0);
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    const field = (index: number) =>
      Number.parseInt(archive.toString('latin1', at + 6 + 8 * index, at + 14 + 8 * index), 16);
    const nameSize = field(11);
    const path = archive.toString('utf8', at + 110, at + 110 + nameSize - 1);
    if (path === 'TRAILER!!!') return entries;
    const from = Math.ceil((at + 110 + nameSize) / 4) * 4;
    entries.push({
      path,
      mode: field(1),
      owner: field(2),
      data: archive.toString('utf8', from, from + field(6)),
    });
    at = Math.ceil((from + field(6)) / 4) * 4;
  }
}

test('what goes in comes out, with the directories above it in front', () => {
  const entries: CpioEntry[] = [
    { path: 'etc/a/file', file: 'content', mode: 0o600, owner: 1000 },
    { path: 'etc/b', directory: true, mode: 0o700 },
    { path: 'bin', link: 'usr/bin' },
    { path: 'dev/console', device: { major: 5, minor: 1 } },
  ];
  expect(read(cpioArchive(entries))).toEqual([
    { path: 'etc', mode: 0o040755, owner: 0, data: '' },
    { path: 'etc/a', mode: 0o040755, owner: 0, data: '' },
    { path: 'etc/a/file', mode: 0o100600, owner: 1000, data: 'content' },
    { path: 'etc/b', mode: 0o040700, owner: 0, data: '' },
    { path: 'bin', mode: 0o120777, owner: 0, data: 'usr/bin' },
    { path: 'dev', mode: 0o040755, owner: 0, data: '' },
    { path: 'dev/console', mode: 0o020600, owner: 0, data: '' },
  ]);
});

test('archives end on whole sectors, so that one can follow another', () => {
  for (const length of [0, 1, 2, 3, 4, 511, 512, 513]) {
    expect(cpioArchive([{ path: 'f', file: Buffer.alloc(length) }]).length % 512).toBe(0);
  }
});

test('equal input gives equal archives', () => {
  const entries: CpioEntry[] = [{ path: 'f', file: 'x' }];
  expect(cpioArchive(entries).equals(cpioArchive(entries))).toBe(true);
});
