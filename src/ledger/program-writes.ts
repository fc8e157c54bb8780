import type { Interval } from '../model/account.ts';
import type { Passed, WriteFlow } from '../model/program-account.ts';
import { type Asked, asked } from './asked.ts';
import { crossedBetween, middle, serverWords, whyNoServer } from './crossed.ts';
import { daxWrites, isDax } from './program-dax.ts';
import { clamp, isNarrow, linesOf, type Part } from './program-lines.ts';
import { passedOf } from './program-reads.ts';
import type { ProgramSamples } from './program-samples.ts';
import { flowSentence } from './program-sentence.ts';
import { programSyncs } from './program-syncs.ts';

const sectorBytes = 512;

/**
 * How far the writes of somebody else's program had got when it ended: acknowledged → daemon → disk. Pure.
 *
 * What did not reach the daemon was written over in the guest's cache, or is dirty there. What reached it is in the
 * host's cache until its page is written back; a page that is written many times before that is one write of the
 * disk. The number of pages that were written back is known: those that were dirty before, and those that the
 * daemon made dirty, less those that are dirty now.
 */
export function programWrites(samples: ProgramSamples): WriteFlow {
  const passed = crossedBetween(samples, 'wchar', 'syscw');
  const wanted = asked(samples, 'write', passed);
  const atEnd = dirtyOf(samples);
  if (passed === undefined) return withoutDaemon(samples, wanted, atEnd);
  const whole = Math.max(wanted.estimate, wanted.hidden === undefined ? 0 : middle(passed.bytes));
  // A part of a page that is written may cross as a whole page.
  const reachedMost = Math.min(passed.bytes[1], Math.max(wanted.bytes[1], whole));
  const reached = {
    estimate: Math.min(middle(passed.bytes), whole),
    bounds: [Math.min(passed.bytes[0], wanted.bytes[1]), reachedMost] as Interval,
  };
  const disk = diskPart(samples, passed, reached, { ...atEnd, isAll: sawAllWritten(samples, wanted) });
  const notReached: Interval = [
    Math.max(0, wanted.bytes[0] - reached.bounds[1]),
    Math.max(0, wanted.bytes[1] - reached.bounds[0]),
  ];
  const path = samples.transport;
  const flow = {
    asked: passedOf(wanted),
    crossed: passed,
    bytes: whole,
    lines: linesOf(
      whole,
      [
        ...(isDax(samples)
          ? daxWrites(samples, whole - reached.estimate, notReached, reached.bounds[1], atEnd)
          : [guestPart(whole - reached.estimate, notReached, serverWords(samples))]),
        {
          source: `${path}/host-cache`,
          estimate: reached.estimate - disk.estimate,
          bounds: [
            Math.max(0, reached.bounds[0] - disk.bounds[1]),
            Math.max(0, reached.bounds[1] - disk.bounds[0]),
          ],
          because: `${passed.because}; written over there, dirty, or under writeback`,
          requests: middle(passed.requests),
        },
        { source: `${path}/disk`, ...disk },
      ],
      wanted.hidden !== undefined || !isNarrow(wanted.bytes, whole),
    ),
  };
  return { ...flow, atEnd, sentence: flowSentence('write', flow, samples.storage, programSyncs(samples)) };
}

function guestPart(estimate: number, bounds: Interval, server: string): Part {
  return {
    source: 'guest-cache',
    estimate,
    bounds,
    because: `acknowledged, and not written by ${server}: written over in the guest, or dirty there`,
  };
}

/** Dirty and writeback pages of all files that are known; absent where one of them could not be asked. */
function dirtyOf({ files, filesLeftOut = 0 }: ProgramSamples): WriteFlow['atEnd'] {
  const sum = (side: 'guest' | 'host', when: 'before' | 'after') => {
    if (files.length === 0 || filesLeftOut > 0) return undefined;
    let bytes = 0;
    for (const each of files) {
      const moment = each[when];
      // A file that was not there had nothing dirty.
      if (moment.size === 0 && moment[side] === undefined) continue;
      const { dirty, pageSize } = moment[side] ?? {};
      if (dirty === undefined || pageSize === undefined) return undefined;
      bytes += dirty * pageSize;
    }
    return bytes;
  };
  const [guest, host, before] = [sum('guest', 'after'), sum('host', 'after'), sum('host', 'before')];
  return {
    ...(guest === undefined ? {} : { guestDirtyBytes: guest }),
    ...(host === undefined ? {} : { hostDirtyBytes: host }),
    ...(before === undefined ? {} : { hostDirtyBytesBefore: before }),
  };
}

/**
 * Whether the files that were looked at can be all that it wrote. One that is opened and closed between two looks is
 * seen by nobody, and may be dirty. A benchmark's own report is of the files that it named; without one, the server made
 * no more pages dirty than the files have.
 */
function sawAllWritten({ files, claimed, counters }: ProgramSamples, wanted: Asked): boolean {
  if (claimed?.write !== undefined && isNarrow(wanted.bytes, claimed.write.bytes)) return true;
  const room = files
    .filter(({ held }) => held?.write !== false)
    .reduce((sum, { before, after }) => sum + wholePages(Math.max(before.size ?? 0, after.size ?? 0)), 0);
  return madeDirtyIn(counters) <= room * 1.01 + smallBytes;
}

function wholePages(bytes: number): number {
  return Math.ceil(bytes / pageBytes) * pageBytes;
}

const pageBytes = 4096;
/** The file system's own pages, which are charged to who makes them dirty. */
const smallBytes = 64 * 1024;

/** Pages that the server made dirty, less those that were dropped before they were written. */
function madeDirtyIn({ before, after }: ProgramSamples['counters']): number {
  const of = (counts: typeof after) =>
    (counts.daemon?.writeBytes ?? 0) - (counts.daemon?.cancelledBytes ?? 0);
  return of(after) - of(before);
}

function diskPart(
  samples: ProgramSamples,
  passed: Passed,
  reached: { readonly estimate: number; readonly bounds: Interval },
  { hostDirtyBytes, hostDirtyBytesBefore, isAll }: WriteFlow['atEnd'] & { readonly isAll: boolean },
): { readonly estimate: number; readonly bounds: Interval; readonly because: string } {
  const { counters, storage } = samples;
  if (storage?.storage === 'tmpfs') return { estimate: 0, bounds: [0, 0], because: 'there is no disk' };
  if (samples.daemonDirect === true)
    return { ...reached, because: 'the daemon writes with O_DIRECT, past its page cache' };
  const [before, after] = [counters.before, counters.after];
  const device =
    before.device === undefined || after.device === undefined
      ? undefined
      : (after.device.writeSectors - before.device.writeSectors) * sectorBytes;
  const madeDirty = madeDirtyIn(counters);
  const most = Math.min(reached.bounds[1], device ?? Number.POSITIVE_INFINITY);
  if (hostDirtyBytes === undefined || hostDirtyBytesBefore === undefined || !isAll) {
    // What is dirty no more was written back: of all that the server made dirty, at most as much is dirty as of the host.
    const everybodys = after.hostDirtyBytes;
    const least = everybodys === undefined ? 0 : Math.max(0, madeDirty - everybodys);
    const bounds: Interval = [Math.min(least, reached.bounds[0], most), most];
    return {
      estimate: middle([clamp(least, bounds), clamp(reached.estimate, bounds)]),
      bounds,
      because: `${deviceWords(device)}; which of it was this is not known: ${isAll ? "the host's pages of its files could not be seen before and after" : 'more was written than the files that were seen have room for'}`,
    };
  }
  // Those that were dirty before may be among those that were written back.
  const writtenBack = Math.max(0, hostDirtyBytesBefore + madeDirty - hostDirtyBytes);
  const bounds: Interval = [
    Math.max(0, Math.min(writtenBack - hostDirtyBytesBefore, reached.bounds[0], most)),
    Math.max(0, Math.min(writtenBack, most)),
  ];
  return {
    estimate: clamp(Math.min(writtenBack, reached.estimate, middle(passed.bytes)), bounds),
    bounds,
    because: `${writtenBack} bytes of pages were written back, ${hostDirtyBytes} were dirty at the end; ${deviceWords(device)}`,
  };
}

function deviceWords(bytes: number | undefined): string {
  return bytes === undefined
    ? 'the block device cannot be seen'
    : `the block device wrote ${bytes} bytes in all`;
}

function withoutDaemon(samples: ProgramSamples, wanted: Asked, atEnd: WriteFlow['atEnd']): WriteFlow {
  const because = whyNoServer(samples);
  const lines = linesOf(
    wanted.estimate,
    [{ source: 'unexplained', estimate: wanted.estimate, bounds: [0, wanted.estimate], because }],
    false,
  ).map((line) => ({ ...line, known: 'unexplained' as const }));
  const flow = { asked: passedOf(wanted), bytes: wanted.estimate, lines };
  return { ...flow, atEnd, sentence: flowSentence('write', flow, samples.storage) };
}
