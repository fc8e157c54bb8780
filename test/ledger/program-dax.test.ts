import { describe, expect, it } from 'vitest';
import { programReads } from '../../src/ledger/program-reads.ts';
import type { FileSamples, ProgramSamples } from '../../src/ledger/program-samples.ts';
import { programWrites } from '../../src/ledger/program-writes.ts';
import { page } from './build.ts';
import { endOf, fileOf, programOf, served } from './program.ts';

// What goes through a DAX window: the daemon sees nothing of it, QEMU is charged for the disk.

const pages = 64;
const size = pages * page;
const [all, none] = ['#'.repeat(pages), '.'.repeat(pages)];

function through(
  file: FileSamples,
  end: ProgramSamples['end'],
  vmm: { readonly readBytes: number; readonly writeBytes: number },
): ProgramSamples {
  const samples = programOf({
    end,
    writeback: false,
    files: [{ ...file, dax: true }],
    daemon: served({ kicks: 2 }),
    messages: 4,
  });
  const { before, after } = samples.counters;
  return {
    ...samples,
    counters: { before: { ...before, vmm: { readBytes: 0, writeBytes: 0 } }, after: { ...after, vmm } },
  };
}

describe('reads through a DAX window', () => {
  const end = endOf({ rchar: 7000 + size, syscr: 9 + pages });

  it('are the host’s page cache where QEMU had nothing of the disk', () => {
    const file = fileOf({ read: true }, { guest: none, host: all }, { guest: none, host: all });
    const flow = programReads(through(file, end, { readBytes: 0, writeBytes: 0 }));
    expect(flow.lines).toMatchObject([{ source: 'dax/host-cache', bytes: size }]);
  });

  it('are the disk as far as QEMU was charged for it, which has readahead in it', () => {
    const file = fileOf({ read: true }, { guest: none, host: none }, { guest: none, host: all });
    const flow = programReads(through(file, end, { readBytes: size / 2, writeBytes: 0 }));
    expect(flow.lines.find(({ source }) => source === 'dax/disk')).toMatchObject({
      bytes: size / 2,
      interval: [0, size / 2],
      known: 'inferred',
    });
    expect(flow.lines.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(size);
  });
});

describe('writes through a DAX window', () => {
  const end = endOf({ wchar: size, syscw: pages });
  const file = (dirty: number) =>
    fileOf({ write: true }, { guest: none, host: all }, { guest: none, host: all, dirty });

  it('are in the host’s page cache at once, not in the guest’s', () => {
    const flow = programWrites(through(file(pages), end, { readBytes: 0, writeBytes: size }));
    expect(flow.lines.map(({ source }) => source)).toEqual(['dax/host-cache']);
    expect(flow.bytes).toBe(size);
  });

  it('are on the disk when their pages were written back', () => {
    const flow = programWrites(through(file(0), end, { readBytes: 0, writeBytes: size }));
    expect(flow.lines).toMatchObject([{ source: 'dax/disk', bytes: size }]);
    expect(flow.sentence).toContain('this measured the disk');
  });

  it('cannot be told where QEMU cannot be asked', () => {
    const samples = through(file(0), end, { readBytes: 0, writeBytes: size });
    const { daemon = served({}) } = samples.counters.after;
    const blind = { ...samples, counters: { before: { daemon: served({}) }, after: { daemon } } };
    expect(programWrites(blind).lines).toMatchObject([{ source: 'dax/unexplained' }]);
  });
});
