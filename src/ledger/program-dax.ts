import type { Interval } from '../model/account.ts';
import type { WriteFlow } from '../model/program-account.ts';
import { clamp, type Part } from './program-lines.ts';
import type { ProgramSamples, VmmCounts } from './program-samples.ts';

/**
 * Parts of an account that went through a DAX window. The program loads from and stores into the host's page cache
 * there, and no daemon is asked; what that made the disk do is charged to QEMU, whose memory the window is.
 */

/** Whether all files are in DAX state: then what did not cross to the daemon went through the window. */
export function isDax({ files }: ProgramSamples): boolean {
  return files.length > 0 && files.every(({ dax }) => dax === true);
}

/** @param estimate of what went through the window, within `bounds`. */
export function daxReads({ counters }: ProgramSamples, estimate: number, bounds: Interval): Part[] {
  const charged = moved(counters, ({ readBytes }) => readBytes);
  if (charged === undefined) return [unexplained(estimate, bounds, "QEMU's disk reads cannot be seen")];
  if (charged === 0)
    return [
      {
        source: 'dax/host-cache',
        estimate,
        bounds,
        because: 'the daemon read nothing, nor did QEMU from the disk',
      },
    ];
  const disk = Math.min(charged, estimate);
  const because = `QEMU's disk reads were ${charged} bytes, readahead included`;
  return [
    {
      source: 'dax/disk',
      estimate: disk,
      bounds: [0, Math.min(charged, bounds[1])],
      because,
      inferred: true,
    },
    {
      source: 'dax/host-cache',
      estimate: estimate - disk,
      bounds: [Math.max(0, bounds[0] - charged), bounds[1]],
      because,
      inferred: true,
    },
  ];
}

/** @param reached what may have been written by the daemon besides. */
export function daxWrites(
  { counters }: ProgramSamples,
  estimate: number,
  bounds: Interval,
  reached: number,
  { hostDirtyBytes, hostDirtyBytesBefore }: WriteFlow['atEnd'],
): Part[] {
  const stored = moved(counters, ({ writeBytes, cancelledBytes }) =>
    writeBytes === undefined ? undefined : writeBytes - (cancelledBytes ?? 0),
  );
  if (stored === undefined || hostDirtyBytes === undefined || hostDirtyBytesBefore === undefined)
    return [
      unexplained(estimate, bounds, "what QEMU wrote, or the host's pages of the files, cannot be seen"),
    ];
  // Pages that were dirty before may be among those that were written back, and so may the daemon's own.
  const writtenBack = Math.max(0, hostDirtyBytesBefore + stored + reached - hostDirtyBytes);
  const disk: Interval = [
    Math.max(0, Math.min(writtenBack - hostDirtyBytesBefore - reached, bounds[1])),
    Math.min(writtenBack, bounds[1]),
  ];
  const gone = clamp(Math.min(writtenBack, estimate), disk);
  const because = `${writtenBack} bytes of pages were written back, ${hostDirtyBytes} were dirty at the end`;
  return [
    {
      source: 'dax/host-cache',
      estimate: estimate - gone,
      bounds: [Math.max(0, bounds[0] - disk[1]), Math.max(0, bounds[1] - disk[0])],
      because,
    },
    { source: 'dax/disk', estimate: gone, bounds: disk, because },
  ];
}

function unexplained(estimate: number, bounds: Interval, because: string): Part {
  return { source: 'dax/unexplained', estimate, bounds, because };
}

function moved(
  { before, after }: ProgramSamples['counters'],
  of: (counts: VmmCounts) => number | undefined,
): number | undefined {
  if (before.vmm === undefined || after.vmm === undefined) return undefined;
  const [from, to] = [of(before.vmm), of(after.vmm)];
  return from === undefined || to === undefined ? undefined : to - from;
}
