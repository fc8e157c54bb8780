import type { AccountedFile, DeviceWork, ProgramAccount } from '../model/program-account.ts';
import { programReads } from './program-reads.ts';
import type { FileMoment, FileSamples, ProgramSamples } from './program-samples.ts';
import { programSyncs } from './program-syncs.ts';
import { programWrites } from './program-writes.ts';

const sectorBytes = 512;

/** The account of somebody else's program: a pure function of its samples. */
export function programAccount(samples: ProgramSamples): ProgramAccount {
  const { before, after } = samples.counters;
  const device = deviceWork(samples);
  const syncs = programSyncs(samples);
  return {
    ...(samples.transport === '9p' ? { server: 'qemu' as const } : {}),
    reads: programReads(samples),
    writes: programWrites(samples),
    ...(syncs === undefined ? {} : { syncs }),
    end: samples.end,
    files: samples.files.map(fileWords),
    ...(device === undefined ? {} : { device }),
    ...(before.daemon === undefined || after.daemon === undefined
      ? {}
      : { daemonDiskBytes: after.daemon.readBytes - before.daemon.readBytes }),
    ...(samples.storage === undefined ? {} : { storage: samples.storage }),
    unseen: samples.unseen.filter(
      ({ what }, index) => samples.unseen.findIndex((each) => each.what === what) === index,
    ),
  };
}

function deviceWork({ counters: { before, after } }: ProgramSamples): DeviceWork | undefined {
  const [from, to] = [before.device, after.device];
  if (from === undefined || to === undefined) return undefined;
  return {
    readBytes: (to.readSectors - from.readSectors) * sectorBytes,
    reads: to.reads - from.reads,
    writtenBytes: (to.writeSectors - from.writeSectors) * sectorBytes,
    writes: to.writes - from.writes,
    ...(from.flushes === undefined || to.flushes === undefined ? {} : { flushes: to.flushes - from.flushes }),
    ...(from.flushMs === undefined || to.flushMs === undefined ? {} : { flushMs: to.flushMs - from.flushMs }),
  };
}

function fileWords({ path, hostPath, held, before, after }: FileSamples): AccountedFile {
  const size = after.size ?? before.size;
  return {
    path,
    hostPath,
    ...(held === undefined ? {} : { held }),
    ...(size === undefined ? {} : { size }),
    guestCached: [cached(before, 'guest'), cached(after, 'guest')],
    hostCached: [cached(before, 'host'), cached(after, 'host')],
  };
}

/** Bytes of whole pages that were in a cache; undefined where nobody could look. */
function cached(moment: FileMoment, side: 'guest' | 'host'): number | undefined {
  const map = moment[side];
  if (map === undefined) return moment.size === 0 ? 0 : undefined;
  let pages = 0;
  for (const { runs } of map.chunks)
    for (const [index, run] of runs.entries()) if (index % 2 === 1) pages += run;
  return pages * map.pageSize;
}
