import { describe, expect, it } from 'vitest';
import { programReads } from '../../src/ledger/program-reads.ts';
import type { LedgerLine, Source } from '../../src/model/account.ts';
import { page } from './build.ts';
import { endOf, fileOf, programOf, served } from './program.ts';

const pages = 64;
const all = '#'.repeat(pages);
const none = '.'.repeat(pages);
const size = pages * page;

function line(lines: readonly LedgerLine[], source: Source): LedgerLine {
  const found = lines.find((each) => each.source === source);
  if (found === undefined)
    throw new Error(`no ${source} among ${lines.map((each) => each.source).join(', ')}`);
  return found;
}

describe('reads of a program whose offsets nobody sees', () => {
  it('are the disk where the fetched pages were absent on the host and the daemon was charged for them', () => {
    const flow = programReads(
      programOf({
        end: endOf({ rchar: 7000 + size, syscr: 9 + 64 }),
        files: [fileOf({ read: true }, { guest: none, host: none }, { guest: all, host: all })],
        daemon: served({ read: size, reads: 64, kicks: 64 }, { readBytes: size }),
        messages: 66,
      }),
    );
    expect(flow.asked.bytes[1]).toBe(size);
    const disk = line(flow.lines, 'fuse/disk');
    expect(disk.known).toBe('proved');
    expect(size - disk.bytes).toBeLessThan(100);
    expect(flow.sentence).toMatch(
      /^(100|over 99.9|99\.\d) % of what it read came from the disk: this measured the disk\.$/,
    );
  });

  it('are the disk also where the program was too quick to be seen with its file', () => {
    const { held: _, ...file } = fileOf({}, { guest: none, host: none }, { guest: all, host: all });
    const flow = programReads(
      programOf({
        end: endOf({ rchar: 7000 + size, syscr: 9 + 64 }),
        files: [file],
        daemon: served({ read: size, reads: 64, kicks: 64, calls: 12 }, { readBytes: size }),
        messages: 66,
      }),
    );
    expect(line(flow.lines, 'fuse/disk').bytes).toBeGreaterThan(0.99 * size);
  });

  it('are the host’s page cache where the daemon read and the disk did nothing', () => {
    const flow = programReads(
      programOf({
        end: endOf({ rchar: 7000 + size, syscr: 9 + 64 }),
        files: [fileOf({ read: true }, { guest: none, host: all }, { guest: all, host: all })],
        daemon: served({ read: size, reads: 64, kicks: 64 }),
        messages: 66,
      }),
    );
    expect(line(flow.lines, 'fuse/host-cache')).toMatchObject({ bytes: size, known: 'proved' });
    expect(flow.sentence).toContain('this measured memory, not the disk');
  });

  it('are the guest’s page cache where nothing crossed, an inference unless the program says how much it read', () => {
    const samples = programOf({
      end: endOf({ rchar: 7000 + size, syscr: 9 + 64 }),
      files: [fileOf({ read: true }, { guest: all, host: all }, { guest: all, host: all })],
      daemon: served({ kicks: 3 }),
      messages: 3,
    });
    const guess = programReads(samples);
    expect(line(guess.lines, 'guest-cache')).toMatchObject({ bytes: size, known: 'inferred' });
    const told = programReads({
      ...samples,
      claimed: { read: { bytes: size, requests: 64 }, by: "fio's own report" },
    });
    expect(line(told.lines, 'guest-cache')).toMatchObject({ bytes: size, known: 'proved' });
    expect(told.sentence).toContain('the host was not asked');
  });

  it('leave open what the disk did where pages were fetched again and again in a mode without a cache', () => {
    const flow = programReads(
      programOf({
        end: endOf({ rchar: 7000 + 2 * size, syscr: 9 + 128 }),
        files: [fileOf({ read: true }, { guest: none, host: none }, { guest: none, host: all })],
        daemon: served({ read: 2 * size, reads: 128, kicks: 128 }, { readBytes: size }),
        messages: 128,
      }),
    );
    const disk = line(flow.lines, 'fuse/disk');
    expect(disk.known).not.toBe('proved');
    expect(disk.interval?.[0]).toBe(0);
    expect(disk.interval?.[1]).toBe(size);
  });

  it('are probably the disk where the host had nothing, and no guest’s cache shows what was fetched', () => {
    const flow = programReads(
      programOf({
        end: endOf({ rchar: 7000 + size, syscr: 9 + 64 }),
        files: [fileOf({ read: true }, { guest: none, host: none }, { guest: none, host: all })],
        daemon: served({ read: size, reads: 64, kicks: 64 }, { readBytes: size }),
        messages: 64,
      }),
    );
    const disk = line(flow.lines, 'fuse/disk');
    expect(disk.known).toBe('inferred');
    expect(disk.bytes).toBeGreaterThan(0.99 * size);
    expect(flow.sentence).toMatch(/^Probably .* came from the disk: this measured the disk\.$/);
  });

  it('are what the program reports, where as much crossed and its counters have other files besides', () => {
    const flow = programReads(
      programOf({
        end: endOf({ rchar: 7000 + 50 * size, syscr: 5000 }),
        files: [fileOf({ read: true }, { guest: none, host: all }, { guest: all, host: all })],
        daemon: served({ read: size, reads: 64, kicks: 64 }),
        messages: 66,
        claimed: { read: { bytes: size, requests: 64 }, by: "fio's own report" },
      }),
    );
    expect(flow.bytes).toBe(size);
    expect(flow.asked.bytes[1]).toBeGreaterThanOrEqual(50 * size);
    expect(line(flow.lines, 'fuse/host-cache').bytes).toBeGreaterThan(0.99 * size);
  });

  it('over 9p are bounded by QEMU’s counters, whose calls are not all of this share', () => {
    const flow = programReads(
      programOf({
        transport: '9p',
        end: endOf({ rchar: 7000 + size, syscr: 9 + 64 }),
        files: [fileOf({ read: true }, { guest: none, host: all }, { guest: none, host: all })],
        daemon: served({ read: size, reads: 4, kicks: 3000 }),
        messages: 20,
      }),
    );
    const { bytes, requests } = flow.crossed ?? { bytes: [0, 0], requests: [0, 0] };
    expect(bytes[0]).toBeLessThanOrEqual(size);
    expect(bytes[1]).toBeGreaterThanOrEqual(size);
    expect(requests[0]).toBeLessThanOrEqual(4);
    expect(requests[1]).toBe(20);
    expect(flow.lines[0]).toMatchObject({ source: '9p/host-cache' });
  });

  it('are holes where nothing is stored', () => {
    const file = {
      ...fileOf({ read: true }, { guest: none, host: none }, { guest: all, host: all }),
      empty: [{ offset: 0, length: size, kind: 'hole' as const }],
    };
    const flow = programReads(
      programOf({
        end: endOf({ rchar: 7000 + size, syscr: 9 + 64 }),
        files: [file],
        daemon: served({ read: size, reads: 64, kicks: 64 }),
        messages: 66,
      }),
    );
    expect(flow.lines.map(({ source }) => source)).toEqual(['fuse/hole']);
  });

  it('are nothing where no file of the share was held to read, whatever else the program read', () => {
    const flow = programReads(
      programOf({
        end: endOf({ rchar: 50 * size, syscr: 5000 }),
        files: [fileOf({ write: true }, { guest: none, host: none }, { guest: none, host: all })],
        daemon: served({ kicks: 70 }),
        messages: 70,
      }),
    );
    expect(flow.bytes).toBe(0);
    expect(flow.sentence).toBe('It read nothing on the share.');
  });

  it('that crossed are not nothing, though nobody saw a file held to read', () => {
    const samples = programOf({
      end: endOf({ rchar: 7000 + 50 * size, syscr: 5000 }),
      files: [fileOf({ write: true }, { guest: none, host: all }, { guest: all, host: all })],
      daemon: served({ read: size, reads: 64, kicks: 64 }),
      messages: 66,
    });
    const flow = programReads(samples);
    expect(flow.bytes).toBeGreaterThan(0.99 * size);
    expect(flow.bytes).toBeLessThan(1.01 * size);
    const told = programReads({
      ...samples,
      end: endOf({ rchar: 7000 + size, syscr: 64 }),
      claimed: { read: { bytes: size, requests: 64 }, by: "fio's own report" },
    });
    expect(told.asked.bytes).toEqual([size, size]);
  });

  it('through a mapping are said to be in no count', () => {
    const flow = programReads(
      programOf({
        end: endOf({ rchar: 7000, syscr: 9 }),
        files: [fileOf({ read: true, mapped: true }, { guest: none, host: all }, { guest: all, host: all })],
        daemon: served({ read: size, reads: 2, kicks: 2 }),
        messages: 4,
      }),
    );
    expect(flow.asked.hidden).toBe('a mapping of the file');
    expect(line(flow.lines, 'fuse/host-cache').bytes - size).toBeLessThan(16);
  });

  it('through a mapping are as many as a benchmark reports, unless more was read beside it', () => {
    const claimed = { read: { bytes: size, requests: 64 }, by: "fio's own report" };
    const beside = (rchar: number) =>
      programReads(
        programOf({
          end: endOf({ rchar: 7000 + rchar, syscr: 90 }),
          claimed,
          files: [
            fileOf({ read: true, mapped: true }, { guest: none, host: all }, { guest: all, host: all }),
          ],
          daemon: served({ read: size, reads: 2, kicks: 2 }),
          messages: 4,
        }),
      ).asked;
    expect(beside(0)).toMatchObject({ bytes: [size, size], because: "fio's own report" });
    expect(beside(100 * size)).toMatchObject({ hidden: 'a mapping of the file' });
    expect(beside(100 * size).bytes[1]).toBeGreaterThanOrEqual(100 * size);
  });

  it('past the guest’s cache all cross', () => {
    const flow = programReads(
      programOf({
        end: endOf({ rchar: 7000 + size, syscr: 9 + 64 }),
        files: [fileOf({ read: true, direct: true }, { guest: none, host: all }, { guest: none, host: all })],
        daemon: served({ read: size, reads: 64, kicks: 64 }, { readBytes: size }),
        messages: 64,
        daemonDirect: true,
      }),
    );
    expect(line(flow.lines, 'fuse/disk')).toMatchObject({ bytes: size, known: 'proved' });
  });

  it('cannot be told without the daemon', () => {
    const samples = programOf({
      end: endOf({ rchar: 7000 + size, syscr: 9 + 64 }),
      files: [],
      daemon: served({}),
    });
    const flow = programReads({ ...samples, counters: { before: {}, after: {} } });
    expect(flow.lines[0]).toMatchObject({ source: 'unexplained', known: 'unexplained' });
  });
});
