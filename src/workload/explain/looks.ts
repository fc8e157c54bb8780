import type { ShareCounters } from '../../ledger/program-samples.ts';
import type { CountersResult } from '../../model/operation.ts';
import type { RunEnd, RunSample } from '../../model/program-run.ts';
import { type Quantities, type QuantityName, runQuantities } from '../../model/run-quantities.ts';

/** Everything that one look saw. Sums count from wherever their counter began. */
export interface Look {
  readonly atMs: number;
  readonly seen: Quantities;
}

/** What the program's own processes had done, and what its machine's memory held. */
export function guestSeen(sample: Omit<RunSample, 'processes'>): Quantities {
  return known({
    askedReadBytes: sample.rchar,
    askedReads: sample.syscr,
    askedWrittenBytes: sample.wchar,
    askedWrites: sample.syscw,
    guestCachedBytes: sample.cachedBytes,
    guestDirtyBytes: sample.dirtyBytes,
    guestWritebackBytes: sample.writebackBytes,
  });
}

/**
 * The looks at a program from its start on, without what it asked for before it held a file of the share: its own
 * binary, libraries and settings, as the account leaves them out.
 */
export function withoutBefore(looks: readonly Look[], before: RunEnd['beforeFirst']): Look[] {
  const less = (value: number | undefined, by: number | undefined) =>
    value === undefined ? undefined : Math.max(0, value - (by ?? 0));
  const started: Look = {
    atMs: 0,
    seen: { askedReadBytes: 0, askedReads: 0, askedWrittenBytes: 0, askedWrites: 0 },
  };
  return [
    started,
    ...looks.map(({ atMs, seen }) => ({
      atMs,
      seen: known({
        ...seen,
        askedReadBytes: less(seen.askedReadBytes, before?.rchar),
        askedReads: less(seen.askedReads, before?.syscr),
        askedWrittenBytes: less(seen.askedWrittenBytes, before?.wchar),
        askedWrites: less(seen.askedWrites, before?.syscw),
      }),
    })),
  ];
}

const eventBytes = 8;
const sectorBytes = 512;

/**
 * What the server of a share, its machine, its disk and its memory had done.
 * @param counters of the share, from the same look
 */
export function hostSeen(counted: CountersResult, { daemon, vmm, device }: ShareCounters): Quantities {
  return known({
    // Each call of its queue carries 8 bytes: without them for all calls, one that only serves its queue moved
    // nothing, and requests of 4 KiB are short of 0.2 %.
    crossedReadBytes: daemon === undefined ? undefined : daemon.rchar - eventBytes * daemon.syscr,
    crossedWrittenBytes: daemon === undefined ? undefined : daemon.wchar - eventBytes * daemon.syscw,
    serverDiskReadBytes: daemon?.readBytes,
    vmmDiskReadBytes: vmm?.readBytes,
    deviceReadBytes: device === undefined ? undefined : device.readSectors * sectorBytes,
    deviceReads: device?.reads,
    deviceWrittenBytes: device === undefined ? undefined : device.writeSectors * sectorBytes,
    deviceWrites: device?.writes,
    deviceFlushes: device?.flushes,
    hostCachedBytes: counted.cachedBytes,
    hostDirtyBytes: counted.dirtyBytes,
    hostWritebackBytes: counted.writebackBytes,
  });
}

/** Without what is not there: the probe says -1 of a counter that its kernel does not have. */
function known(seen: Readonly<Partial<Record<QuantityName, number | undefined>>>): Quantities {
  const entries = Object.entries(seen) as [QuantityName, number | undefined][];
  return Object.fromEntries(
    entries.filter(
      ([name, value]) => value !== undefined && (value >= 0 || runQuantities[name].kind === 'sum'),
    ),
  );
}
