import { describe, expect, it } from 'vitest';
import { programAccount } from '../../src/ledger/program-account.ts';
import { programWrites } from '../../src/ledger/program-writes.ts';
import { page } from './build.ts';
import { endOf, fileOf, programOf, served } from './program.ts';

const pages = 64;
const all = '#'.repeat(pages);
const none = '.'.repeat(pages);
const size = pages * page;

/** A program that wrote the whole file once. */
const wrote = { end: endOf({ wchar: size, syscw: pages, rchar: 7000 }), writeback: false };

function fileDirty(dirty: number, dirtyBefore = 0) {
  return fileOf(
    { write: true },
    { guest: none, host: none, dirty: dirtyBefore },
    { guest: none, host: all, dirty },
  );
}

describe('writes of a program', () => {
  it('without fsync are still in the host’s memory when it ends', () => {
    const flow = programWrites(
      programOf({
        ...wrote,
        files: [fileDirty(pages)],
        daemon: served({ written: size, writes: pages, calls: pages }, { writeBytes: size }),
        messages: pages,
        deviceWritten: 0,
      }),
    );
    expect(flow.lines).toMatchObject([{ source: 'fuse/host-cache', bytes: size, known: 'proved' }]);
    expect(flow.atEnd.hostDirtyBytes).toBe(size);
    expect(flow.sentence).toBe(
      "100 % of what it wrote had got to the host's page cache, and no further when the program ended: this measured memory, not the disk.",
    );
  });

  it('that were flushed are on the disk', () => {
    const flow = programWrites(
      programOf({
        ...wrote,
        files: [fileDirty(0)],
        daemon: served({ written: size, writes: pages, calls: pages }, { writeBytes: size }),
        messages: pages + 1,
        deviceWritten: size + 8192,
      }),
    );
    expect(flow.lines[0]).toMatchObject({ source: 'fuse/disk', known: 'proved' });
    expect(flow.lines[0]?.bytes).toBeGreaterThan(0.99 * size);
    expect(flow.sentence).toContain('this measured the disk');
  });

  it('of the same pages again and again reach the disk once', () => {
    const flow = programWrites(
      programOf({
        end: endOf({ wchar: 10 * size, syscw: 10 * pages }),
        writeback: false,
        files: [fileDirty(0)],
        daemon: served({ written: 10 * size, writes: 10 * pages, calls: 10 * pages }, { writeBytes: size }),
        messages: 10 * pages + 1,
        deviceWritten: size,
      }),
    );
    const disk = flow.lines.find(({ source }) => source === 'fuse/disk');
    expect(disk?.bytes).toBe(size);
    expect(flow.lines[0]).toMatchObject({ source: 'fuse/host-cache' });
  });

  it('that a guest with writeback merged never left it', () => {
    const flow = programWrites(
      programOf({
        end: endOf({ wchar: 10 * size, syscw: 10 * pages }),
        writeback: true,
        claimed: { write: { bytes: 10 * size, requests: 10 * pages }, by: "fio's own report" },
        files: [fileDirty(pages)],
        daemon: served({ written: size, writes: 2, calls: 2 }, { writeBytes: size }),
        messages: 3,
      }),
    );
    expect(flow.lines).toMatchObject([
      { source: 'guest-cache', known: 'proved' },
      { source: 'fuse/host-cache' },
    ]);
    expect(flow.lines[0]?.bytes).toBeGreaterThan(8.9 * size);
  });

  it('of pages that were dirty before leave open whose pages the disk wrote', () => {
    const flow = programWrites(
      programOf({
        ...wrote,
        files: [fileDirty(pages / 2, pages / 2)],
        daemon: served({ written: size, writes: pages, calls: pages }, { writeBytes: size / 2 }),
        messages: pages,
        deviceWritten: size,
      }),
    );
    const disk = flow.lines.find(({ source }) => source === 'fuse/disk');
    expect(disk?.interval).toEqual([0, size / 2]);
    expect(disk?.known).toBe('bounded');
  });

  /** Twenty times what the file that was seen has room for, and the device wrote as much, for whomever. */
  const toOthers = {
    end: endOf({ wchar: 20 * size, syscw: 20 * pages }),
    writeback: false,
    files: [fileDirty(0)],
    daemon: served({ written: 20 * size, writes: 20 * pages }, { writeBytes: 20 * size }),
    messages: 20 * pages,
    deviceWritten: 20 * size,
  };

  it('into files that nobody saw open are not said to be on the disk', () => {
    const { lines, sentence } = programWrites(programOf(toOthers));
    const disk = lines.find(({ source }) => source === 'fuse/disk');
    expect(sentence).toContain('which of them was measured is not known');
    expect(disk).toMatchObject({ interval: [0, 20 * size], known: 'bounded' });
    expect(disk?.because).toContain('more was written than the files that were seen have room for');
  });

  it('into files that nobody saw open are on the disk as far as the whole host has less dirty', () => {
    const samples = programOf(toOthers);
    const after = { ...samples.counters.after, hostDirtyBytes: 5 * size };
    const flow = programWrites({ ...samples, counters: { ...samples.counters, after } });
    expect(flow.lines.find(({ source }) => source === 'fuse/disk')?.interval).toEqual([15 * size, 20 * size]);
  });

  it('of a benchmark that reports what it wrote are all in the files that it named', () => {
    const claimed = { write: { bytes: 20 * size, requests: 20 * pages }, by: "fio's own report" };
    const flow = programWrites(programOf({ ...toOthers, claimed }));
    expect(flow.lines[0]).toMatchObject({ source: 'fuse/disk', known: 'proved' });
  });

  it('into more files than are looked at are not said to be on the disk either', () => {
    const flow = programWrites(
      programOf({
        ...wrote,
        files: [fileDirty(0)],
        filesLeftOut: 3,
        daemon: served({ written: size, writes: pages }, { writeBytes: size }),
        messages: pages,
        deviceWritten: size,
      }),
    );
    expect(flow.atEnd).toEqual({});
    expect(flow.lines.find(({ source }) => source === 'fuse/disk')?.interval).toEqual([0, size]);
  });

  it('of a server that was started anew meanwhile cannot be told', () => {
    const samples = programOf({
      ...wrote,
      files: [fileDirty(0)],
      daemon: served({ written: 5000, writes: 1 }),
    });
    const before = {
      ...samples.counters.before,
      daemon: served({ written: 100 * size, writes: 100 * pages }),
    };
    const flow = programWrites({ ...samples, counters: { ...samples.counters, before } });
    expect(flow.lines).toMatchObject([{ source: 'unexplained', known: 'unexplained' }]);
    expect(flow.sentence).toContain('it was started anew meanwhile');
  });

  it('past both caches are on the disk', () => {
    const flow = programWrites(
      programOf({
        ...wrote,
        daemonDirect: true,
        files: [fileDirty(0)],
        daemon: served({ written: size, writes: pages, calls: pages }, { writeBytes: size }),
        messages: pages,
        deviceWritten: size,
      }),
    );
    expect(flow.lines[0]).toMatchObject({ source: 'fuse/disk', known: 'proved' });
  });

  it('are told with what the block device did meanwhile', () => {
    const account = programAccount(
      programOf({
        ...wrote,
        files: [fileDirty(0)],
        daemon: served({ written: size, writes: pages }, { writeBytes: size }),
        deviceWritten: size,
      }),
    );
    expect(account.device).toMatchObject({ writtenBytes: size, flushes: 0 });
    expect(account.files[0]).toMatchObject({ guestCached: [0, 0], hostCached: [0, size] });
  });
});
