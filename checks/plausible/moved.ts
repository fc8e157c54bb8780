import type { Setting } from '../../src/model/check.ts';
import type { CountersResult, ProcessCounters } from '../../src/model/operation.ts';

const sectorBytes = 512;

/** What counters on the host moved by between two looks, in bytes. Each is a ceiling: others' work is in it too. */
export interface Moved {
  /** Through read and write calls of the process that serves the share, 8 for each wake-up of its queue included. */
  readonly read: number;
  readonly written: number;
  /** By block requests that the serving process and QEMU are charged for. */
  readonly fromDisk: number;
  /** Of pages that they made dirty, and of writes past the cache. */
  readonly madeDirty: number;
  /** By the block device below the share; absent where the file system names none. */
  readonly device?: { readonly read: number; readonly written: number };
}

/** The processes whose counters are asked for: the one that serves the share comes first. QEMU itself serves 9p. */
export function countedProcesses({ daemonPid, vmmPid }: Setting): readonly number[] {
  return [daemonPid, vmmPid].filter((pid) => pid !== undefined);
}

/** The difference of two looks; why there is none, in words, where a counter could not be read. */
export function movedBetween(
  before: CountersResult | undefined,
  after: CountersResult | undefined,
): Moved | string {
  if (before === undefined || after === undefined) return 'the counters of the host were not read';
  const refused = [...before.processes, ...after.processes].find(({ error }) => error !== undefined);
  if (refused !== undefined) return `the counters of process ${refused.pid}: ${refused.error}`;
  const [from, to] = [before.processes[0], after.processes[0]];
  if (from === undefined || to === undefined) return 'no process that serves the share is known';
  const all = (name: 'readBytes' | 'writeBytes') =>
    sumOf(after.processes, name) - sumOf(before.processes, name);
  return {
    read: (to.rchar ?? 0) - (from.rchar ?? 0),
    written: (to.wchar ?? 0) - (from.wchar ?? 0),
    fromDisk: all('readBytes'),
    madeDirty: all('writeBytes'),
    ...deviceOf(before, after),
  };
}

function sumOf(processes: readonly ProcessCounters[], name: 'readBytes' | 'writeBytes'): number {
  return processes.reduce((sum, each) => sum + (each[name] ?? 0), 0);
}

function deviceOf(before: CountersResult, after: CountersResult): Pick<Moved, 'device'> {
  const { deviceSectors: readBefore, deviceWriteSectors: writtenBefore } = before;
  const { deviceSectors: readAfter, deviceWriteSectors: writtenAfter } = after;
  if (
    readBefore === undefined ||
    readAfter === undefined ||
    writtenBefore === undefined ||
    writtenAfter === undefined
  )
    return {};
  return {
    device: {
      read: (readAfter - readBefore) * sectorBytes,
      written: (writtenAfter - writtenBefore) * sectorBytes,
    },
  };
}
