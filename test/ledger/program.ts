import type { FileSamples, ProgramSamples, ServerCounts } from '../../src/ledger/program-samples.ts';
import type { RunEnd } from '../../src/model/program-run.ts';
import { map, page } from './build.ts';

export const mib = 1024 * 1024;

/** A daemon's counters after so much: bytes and requests, and as many kicks and interrupts as asked for. */
export function served(
  moved: Partial<{
    read: number;
    reads: number;
    kicks: number;
    written: number;
    writes: number;
    calls: number;
  }>,
  disk: Partial<Pick<ServerCounts, 'readBytes' | 'writeBytes' | 'cancelledBytes'>> = {},
): ServerCounts {
  const { read = 0, reads = 0, kicks = 0, written = 0, writes = 0, calls = 0 } = moved;
  return {
    rchar: read + 8 * kicks,
    syscr: reads + kicks,
    wchar: written + 8 * calls,
    syscw: writes + calls,
    readBytes: 0,
    writeBytes: 0,
    cancelledBytes: 0,
    ...disk,
  };
}

/** The end of a program that moved so much. */
export function endOf(counts: Partial<RunEnd>): RunEnd {
  return {
    atNs: 1e9,
    status: 0,
    rchar: 0,
    syscr: 0,
    wchar: 0,
    syscw: 0,
    readBytes: 0,
    writeBytes: 0,
    cancelledBytes: 0,
    userUs: 0,
    systemUs: 0,
    minorFaults: 0,
    majorFaults: 0,
    left: 0,
    wholeTree: true,
    uring: false,
    aio: false,
    beforeFirst: {
      rchar: 7000,
      syscr: 9,
      wchar: 0,
      syscw: 0,
      readBytes: 0,
      writeBytes: 0,
      cancelledBytes: 0,
    },
    ...counts,
  };
}

const held = { read: false, write: false, direct: false, sync: false, mapped: false };

/** A file of whole pages that was held to read or to write, from pictures of its pages on both sides. */
export function fileOf(
  how: Partial<typeof held>,
  before: { readonly guest: string; readonly host: string; readonly dirty?: number },
  after: { readonly guest: string; readonly host: string; readonly dirty?: number },
): FileSamples {
  return {
    path: '/mnt/auto/f',
    hostPath: '/srv/f',
    held: { ...held, ...how },
    before: {
      size: before.host.length * page,
      guest: map(before.guest),
      host: map(before.host, before.dirty ?? 0),
    },
    after: {
      size: after.host.length * page,
      guest: map(after.guest),
      host: map(after.host, after.dirty ?? 0),
    },
    empty: [],
  };
}

/** Samples of a run whose daemon began at nought. */
export function programOf(
  rest: Pick<ProgramSamples, 'end' | 'files'> & {
    readonly daemon: ServerCounts;
    readonly messages?: number;
    readonly deviceWritten?: number;
  } & Partial<ProgramSamples>,
): ProgramSamples {
  const { daemon, messages, deviceWritten, ...more } = rest;
  const device = { readSectors: 0, reads: 0, writeSectors: 0, writes: 0, flushes: 0, flushMs: 0 };
  return {
    transport: 'fuse',
    unseen: [],
    storage: { storage: 'disk', fsType: 'ext4' },
    counters: {
      before: { daemon: served({}), ...(messages === undefined ? {} : { messages: 0 }), device },
      after: {
        daemon,
        ...(messages === undefined ? {} : { messages }),
        device: { ...device, writeSectors: (deviceWritten ?? 0) / 512 },
      },
    },
    ...more,
  };
}
