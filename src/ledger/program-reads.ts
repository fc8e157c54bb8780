import type { Interval, Medium, Source } from '../model/account.ts';
import type { Flow, Passed } from '../model/program-account.ts';
import { type Asked, asked, isOnDemand } from './asked.ts';
import { crossedBetween, middle, serverWords, whyNoServer } from './crossed.ts';
import { PageSet } from './page-set.ts';
import { daxReads, isDax } from './program-dax.ts';
import { clamp, isNarrow, linesOf, type Part } from './program-lines.ts';
import type { ProgramSamples } from './program-samples.ts';
import { flowSentence } from './program-sentence.ts';

/**
 * Where the reads of somebody else's program came from: asked for → guest's cache → daemon → host's cache → disk.
 * Pure. Offsets are not known: which of the fetched bytes were asked for, and which of those the disk gave, is
 * bounded by counters on one side and by page states before and after on the other.
 */
export function programReads(samples: ProgramSamples): Flow {
  const passed = crossedBetween(samples, 'rchar', 'syscr');
  const wanted = asked(samples, 'read', passed);
  if (passed === undefined) return withoutDaemon(samples, wanted);
  const used = usedOf(samples, wanted, passed);
  const disk = diskPart(samples, passed, used);
  const whole = Math.max(wanted.estimate, used.estimate);
  const path = samples.transport;
  const medium = notDisk(samples);
  const rest: Interval = [
    Math.max(0, wanted.bytes[0] - used.bounds[1]),
    Math.max(0, wanted.bytes[1] - used.bounds[0]),
  ];
  const keptEstimate = Math.max(0, whole - used.estimate);
  const parts: Part[] = [
    ...(isDax(samples)
      ? daxReads(samples, keptEstimate, rest)
      : [guestPart(wanted, used, keptEstimate, rest, serverWords(samples))]),
    {
      source: `${path}/${medium}`,
      estimate: used.estimate - disk.estimate,
      bounds: [Math.max(0, used.bounds[0] - disk.bounds[1]), Math.max(0, used.bounds[1] - disk.bounds[0])],
      because: `${passed.because}; ${mediumWords(samples)}${used.inferred === undefined ? '' : `; ${used.inferred}`}`,
      ...(used.inferred === undefined && disk.inferred !== true ? {} : { inferred: true }),
      requests: middle(passed.requests),
    },
    { source: `${path}/disk`, ...disk },
  ];
  const inferred =
    used.inferred !== undefined || wanted.hidden !== undefined || !isNarrow(wanted.bytes, whole);
  const lines = linesOf(whole, parts, inferred);
  const flow = { asked: passedOf(wanted), crossed: passed, bytes: whole, lines };
  return { ...flow, sentence: flowSentence('read', flow, samples.storage) };
}

interface Bounded {
  readonly estimate: number;
  readonly bounds: Interval;
}

interface Used extends Bounded {
  /** Why this is an inference; absent where it is none. */
  readonly inferred?: string;
}

/** Of what the program asked for, what had to cross for it. */
function usedOf(samples: ProgramSamples, wanted: Asked, passed: Passed): Used {
  const { files } = samples;
  const most = Math.min(wanted.bytes[1], passed.bytes[1]);
  const isDirect = files.length > 0 && files.every(({ held }) => held?.direct === true && !held.mapped);
  // Past the guest's cache everything that is asked for crosses.
  if (isDirect && wanted.hidden === undefined)
    return {
      estimate: Math.min(wanted.estimate, middle(passed.bytes)),
      bounds: [Math.min(wanted.bytes[0], most), most],
    };
  const estimate = Math.min(wanted.estimate, middle(passed.bytes));
  if (wanted.hidden !== undefined)
    return { estimate, bounds: [0, most], inferred: `what went through ${wanted.hidden} is in no count` };
  const mean = wanted.requestsEstimate === 0 ? 0 : wanted.estimate / wanted.requestsEstimate;
  if (isOnDemand(passed, mean)) {
    const least = Math.min(wanted.bytes[0], passed.bytes[0], demandedBytes(passed, mean), most);
    return { estimate: clamp(estimate, [least, most]), bounds: [least, most] };
  }
  // As much crossed as was asked for, and nothing was there: it would have to be an accident.
  if (
    hadNothing(samples, 'guest') &&
    Math.abs(wanted.estimate - middle(passed.bytes)) <= agreement * wanted.estimate
  )
    return {
      estimate,
      bounds: [Math.min(passed.bytes[0], most), most],
      inferred: 'as much crossed as was asked for, and the guest had nothing of it before',
    };
  return {
    estimate,
    bounds: [0, most],
    inferred:
      'the guest fetched more at a time than the program asked for: what it read ahead for nothing is not known',
  };
}

const agreement = 0.01;

/** Whether a side's cache is known to have held nothing of all the files before. */
function hadNothing({ files }: ProgramSamples, side: 'guest' | 'host'): boolean {
  return (
    files.length > 0 &&
    files.every(({ before: { [side]: map } }) => map !== undefined && PageSet.of(map).size === 0)
  );
}

/** A small read has a whole page fetched. */
function demandedBytes({ bytes, requests }: Passed, mean: number): number {
  return mean >= 4096 || mean === 0 ? bytes[0] : requests[0] * mean;
}

function guestPart(wanted: Asked, used: Used, estimate: number, bounds: Interval, server: string): Part {
  return {
    source: 'guest-cache',
    estimate,
    bounds,
    because:
      used.inferred === undefined
        ? `asked for, and not read by ${server}`
        : `what was asked for and not read by ${server}; ${used.inferred}`,
    ...(used.inferred === undefined && wanted.hidden === undefined ? {} : { inferred: true }),
  };
}

function diskPart(
  samples: ProgramSamples,
  passed: Passed,
  used: Bounded,
): Bounded & Pick<Part, 'because' | 'inferred'> {
  const { counters, storage } = samples;
  const charged = (counters.after.daemon?.readBytes ?? 0) - (counters.before.daemon?.readBytes ?? 0);
  if (storage?.storage === 'tmpfs') return { estimate: 0, bounds: [0, 0], because: 'there is no disk' };
  if (samples.daemonDirect === true)
    return { ...used, because: 'the daemon reads with O_DIRECT, past its page cache' };
  // Fetched but not asked for: the disk's part may be among it.
  const ahead = Math.max(0, passed.bytes[1] - used.bounds[0]);
  const first = Math.min(firstTouches(samples), charged);
  const bounds: Interval = [
    Math.max(0, Math.min(first - ahead, used.bounds[1])),
    Math.max(0, Math.min(charged, used.bounds[1])),
  ];
  const because =
    charged === 0
      ? `${serverWords(samples)} read nothing from the disk`
      : `${serverWords(samples)}'s disk reads were ${charged} bytes, readahead included; ${first} bytes of what the guest fetched were absent on the host before`;
  // What the disk gave was asked for, unless the host read ahead for nothing: where it had nothing, that is the less likely.
  if (!isNarrow(bounds, used.estimate) && hadNothing(samples, 'host'))
    return {
      estimate: clamp(Math.min(used.estimate, charged), bounds),
      bounds,
      because: `${because}; the host had nothing of the file before`,
      inferred: true,
    };
  return {
    estimate: clamp(Math.min(used.estimate, Math.max(first, middle(bounds))), bounds),
    bounds,
    because,
  };
}

/**
 * Bytes that must have come from the disk: pages that came into the guest's cache in this run and that were neither
 * resident on the host before it nor holes. What the program wrote it need not have fetched.
 */
function firstTouches(samples: ProgramSamples): number {
  const { files } = samples;
  const isUnwritten = wroteNothing(samples);
  let bytes = 0;
  for (const { before, after, held, empty } of files) {
    if (before.guest === undefined || after.guest === undefined || before.host === undefined) continue;
    // A program that was too quick may never have been seen to hold its file.
    if (!isUnwritten && held?.write !== false) continue;
    if (before.size === undefined || (empty ?? []).length > 0) continue;
    if (before.host.pageSize !== after.guest.pageSize) continue;
    const had = PageSet.of(before.guest);
    const resident = PageSet.of(before.host);
    const { pageSize } = after.guest;
    for (const each of PageSet.of(after.guest))
      if (!had.has(each) && resident.knows(each) && !resident.has(each))
        bytes += Math.max(0, Math.min(before.size, (each + 1) * pageSize) - each * pageSize);
  }
  return bytes;
}

/** Whether nothing was written through the share meanwhile, nor waits in the guest to be. */
function wroteNothing({ files, counters: { before, after } }: ProgramSamples): boolean {
  if (before.daemon === undefined || after.daemon === undefined) return false;
  const calls = after.daemon.syscw - before.daemon.syscw;
  const bytes = after.daemon.wchar - before.daemon.wchar;
  return bytes <= 8 * calls && files.every((file) => file.after.guest?.dirty === 0);
}

/** What the daemon reads from that is not the disk: its page cache, or nothing that is stored anywhere. */
function notDisk(samples: ProgramSamples): Medium {
  const { files } = samples;
  const known = files.filter(({ before, empty }) => empty !== undefined && (before.size ?? 0) > 0);
  if (known.length === 0 || known.length < files.length) return 'host-cache';
  const [stored, size] = known.reduce(
    ([sum, all], { before, empty }) => {
      const dirty = before.host?.dirty !== 0;
      const none = (empty ?? [])
        // An unwritten extent under a dirty page holds data, in memory.
        .filter(({ kind }) => kind === 'hole' || !dirty)
        .reduce((total, { length }) => total + length, 0);
      return [sum + Math.max(0, (before.size ?? 0) - none), all + (before.size ?? 0)];
    },
    [0, 0],
  );
  const written = !wroteNothing(samples) && files.some(({ held }) => held?.write !== false);
  return !written && stored <= size / 1000 ? 'hole' : 'host-cache';
}

function mediumWords(samples: ProgramSamples): string {
  return notDisk(samples) === 'hole' ? 'nothing is stored there' : 'no disk read stands behind it';
}

function withoutDaemon(samples: ProgramSamples, wanted: Asked): Flow {
  const because = whyNoServer(samples);
  const source: Source = 'unexplained';
  const lines = linesOf(
    wanted.estimate,
    [{ source, estimate: wanted.estimate, bounds: [0, wanted.estimate], because }],
    false,
  ).map((line) => ({ ...line, known: 'unexplained' as const }));
  const flow = { asked: passedOf(wanted), bytes: wanted.estimate, lines };
  return { ...flow, sentence: flowSentence('read', flow, samples.storage) };
}

/** The part of it that an account shows. */
export function passedOf({ bytes, requests, because, hidden }: Asked): Passed {
  return { bytes, requests, because, ...(hidden === undefined ? {} : { hidden }) };
}
