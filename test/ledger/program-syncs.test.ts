import { describe, expect, it } from 'vitest';
import { programSyncs } from '../../src/ledger/program-syncs.ts';
import { programWrites } from '../../src/ledger/program-writes.ts';
import { page } from './build.ts';
import { endOf, fileOf, programOf, served } from './program.ts';

const pages = 64;
const size = pages * page;
const [all, none] = ['#'.repeat(pages), '.'.repeat(pages)];

const written = programOf({
  end: endOf({ wchar: size, syscw: pages, rchar: 7000 }),
  writeback: false,
  files: [fileOf({ write: true }, { guest: none, host: none }, { guest: none, host: all })],
  daemon: served({ written: size, writes: pages, calls: pages }, { writeBytes: size }),
  messages: pages,
  deviceWritten: size,
});
const seen = { calls: 1, ended: 1, ns: 2e9, lost: 0, others: 0 };
const claimed = { write: { bytes: size, requests: pages }, by: "dd's own report" };

describe('the fsyncs of a program', () => {
  it('are those that the guest’s kernel saw, with the time that they took', () => {
    expect(programSyncs({ ...written, syncs: { ...seen, calls: 512, ended: 512 } })).toMatchObject({
      calls: 512,
      seconds: 2,
    });
  });

  it('are a least figure, without a time, where the kernel’s records did not find room', () => {
    const syncs = { calls: 9000, ended: 8990, lost: 12, others: 0 };
    const told = programSyncs({ ...written, syncs });
    expect(told).toMatchObject({ calls: 9000, isLeast: true });
    expect(told).not.toHaveProperty('seconds');
  });

  it('are those of its own report where nobody could ask the kernel, and are unknown without one', () => {
    const told = programSyncs({ ...written, claimed: { ...claimed, syncs: { calls: 7, ns: 35e6 } } });
    expect(told).toMatchObject({ calls: 7, isLeast: true, seconds: 0.035 });
    expect(programSyncs(written)).toBeUndefined();
  });

  it('were outside the timed part where one alone took longer than all of that', () => {
    const quick = { ...written, syncs: seen, claimed: { ...claimed, seconds: 0.5 } };
    expect(programSyncs(quick)?.isUntimed).toBe(true);
    expect(programWrites(quick).sentence).toContain('so that the figure is of memory');
    const inside = { ...quick, claimed: { ...claimed, seconds: 2.1 } };
    expect(programSyncs(inside)?.isUntimed).toBeUndefined();
    expect(programWrites(inside).sentence).toContain('this measured the disk');
    // fio syncs what it lays out before it reads.
    const reading = { read: claimed.write, seconds: 0.5, by: "fio's own report" };
    expect(programSyncs({ ...quick, claimed: reading })?.isUntimed).toBeUndefined();
    // Jobs side by side wait each for its own.
    expect(programSyncs({ ...quick, syncs: { ...seen, calls: 8, ended: 8 } })?.isUntimed).toBeUndefined();
  });
});
