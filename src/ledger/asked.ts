import type { Interval } from '../model/account.ts';
import type { Passed } from '../model/program-account.ts';
import type { RunCounts, RunEnd } from '../model/program-run.ts';
import { serverWords } from './crossed.ts';
import { isDax } from './program-dax.ts';
import type { ProgramSamples } from './program-samples.ts';

/** Which of the two a figure is about. */
export type Direction = 'read' | 'write';

/** What a program asked of the share, and how good that figure is. */
export interface Asked extends Passed {
  /** The best estimate, within the interval. */
  readonly estimate: number;
  readonly requestsEstimate: number;
  /** Bytes went through calls that no counter shows: a mapping, io_uring, libaio. */
  readonly hidden?: string;
}

/**
 * What the program asked of the share. Its counters sum up all its calls, on whatever file: what it read before it
 * first held a file of the share (its own binary, libraries, settings) is left out where it was looked at meanwhile, and where it never held one for
 * reading, nothing was read. So the figure is a ceiling. A benchmark's own report is exact and is taken instead where the
 * two agree; where every write crosses at once, the daemon's figure is as exact.
 */
export function asked(samples: ProgramSamples, direction: Direction, passed: Passed | undefined): Asked {
  const { claimed, end, files } = samples;
  const seen = hiddenWay(samples);
  const [bytes, calls] = since(end, direction, end.beforeFirst);
  const [mostBytes, mostCalls] = since(end, direction, end.notOfShare ?? end.beforeFirst);
  const hidden = seen ?? (isTooLittle(bytes, passed) ? 'a way that no counter shows' : undefined);
  const claim = claimed?.[direction];
  // It counts what it did by whatever way; where it was not alone, its figure is not the whole.
  const isWhole =
    claim !== undefined &&
    (isSame(claim.bytes, bytes) || (hidden !== undefined && bytes <= claim.bytes + besidesBytes));
  const byItself = () =>
    exact(
      [claim?.bytes ?? 0, claim?.bytes ?? 0],
      [claim?.requests ?? 0, claim?.requests ?? 0],
      claimed?.by ?? '',
      undefined,
    );
  if (isWhole && claim.isCopy !== true) return byItself();
  const held = files.flatMap((file) => (file.held === undefined ? [] : [file.held]));
  const isHeld = held.some((each) => each[direction] || (each.mapped && direction === 'read'));
  const isUnheld = held.length > 0 && !isHeld;
  // Between two looks it may have opened and closed one: what crossed speaks against it then.
  if (isUnheld && (passed === undefined || passed.bytes[0] < smallBytes))
    return exact([0, 0], [0, 0], `no file of the share was held open to ${direction}`, undefined);
  // Not into a DAX window, where only what makes a file longer crosses.
  if (direction === 'write' && samples.writeback === false && !isDax(samples) && passed !== undefined)
    return exact(
      passed.bytes,
      passed.requests,
      `this mode sends every write to ${serverWords(samples)} at once`,
      seen,
    );
  if (isWhole && !isUnheld) return byItself();
  if (isUnheld && passed !== undefined) {
    const most = Math.min(bytes, passed.bytes[1]);
    return {
      ...exact(
        [0, most],
        [0, calls],
        `it was not seen to hold a file of the share open to ${direction}, and ${serverWords(samples)} did so for somebody`,
        undefined,
      ),
      estimate: most,
      requestsEstimate: calls,
    };
  }
  // Two figures that know nothing of each other agree: what its processes moved besides was hardly of the share.
  if (claim !== undefined && claim.isCopy !== true && hidden === undefined && agrees(claim.bytes, passed))
    return {
      bytes: [Math.min(claim.bytes, bytes), Math.max(claim.bytes, bytes)],
      requests: [0, Math.max(claim.requests, calls)],
      because: `${claimed?.by ?? ''}, and as much crossed; its own counters, with other files, pipes and sockets among them, bound it`,
      estimate: claim.bytes,
      requestsEstimate: claim.requests,
    };
  // Without a mapping, what crossed and was no more than asked for at a time was asked for.
  const mean = Math.max(page, calls === 0 ? 0 : bytes / calls);
  const demanded =
    hidden === undefined && passed !== undefined && isOnDemand(passed, mean) ? passed.bytes[0] : 0;
  const least = Math.min(demanded, bytes);
  const estimate = hidden === undefined ? bytes : Math.max(bytes, passed?.bytes[1] ?? 0);
  return {
    // With hidden calls this is what can be seen: there may be more.
    bytes: [least, Math.max(mostBytes, estimate)],
    requests: [0, mostCalls],
    because: `its own counters since it was first seen to hold a file of the share${
      end.beforeFirst === undefined ? ' could be from any time: none was seen' : ''
    }; other files, pipes and sockets are among them${
      mostBytes > bytes + smallBytes
        ? `; processes too short to be looked at asked for ${mostBytes - bytes} more before`
        : ''
    }`,
    estimate,
    requestsEstimate: calls,
    ...(hidden === undefined ? {} : { hidden }),
  };
}

/** What it asked for after the counts of a moment. */
function since(end: RunEnd, direction: Direction, from: RunCounts | undefined): readonly [number, number] {
  return direction === 'read'
    ? [end.rchar - (from?.rchar ?? 0), end.syscr - (from?.syscr ?? 0)]
    : [end.wchar - (from?.wchar ?? 0), end.syscw - (from?.syscw ?? 0)];
}

const page = 4096;
/** Settings, a directory's file, the rest of a page that is written in part. */
const smallBytes = 64 * 1024;

const besidesBytes = 512 * 1024;

/** A program's own figure against the counters, which have its libraries, settings and messages besides. */
function isSame(claimed: number, counted: number): boolean {
  return Math.abs(counted - claimed) <= Math.max(0.02 * counted, besidesBytes) && claimed > 0;
}

function agrees(claimed: number, passed: Passed | undefined): boolean {
  return passed !== undefined && isSame(claimed, (passed.bytes[0] + passed.bytes[1]) / 2);
}

/** Far more crossed than readahead can explain: it was asked for in a way that nobody saw. */
function isTooLittle(bytes: number, passed: Passed | undefined): boolean {
  return passed !== undefined && passed.bytes[0] > 32 * bytes + 2 ** 20;
}

/** The number of requests is only bounded: a few messages of other kinds may count as kicks. Readahead doubles the mean at least. */
const slack = 1.1;

/** No request carries more than the program asks for at once, so that nothing was fetched ahead of it. */
export function isOnDemand({ bytes, requests }: Passed, meanAsked: number): boolean {
  return bytes[1] === 0 || bytes[1] / Math.max(1, requests[0]) <= Math.max(page, meanAsked) * slack;
}

function hiddenWay({ end, files }: ProgramSamples): string | undefined {
  const ways = [
    ...(files.some(({ held }) => held?.mapped === true) ? ['a mapping of the file'] : []),
    ...(end.uring ? ['io_uring'] : []),
    ...(end.aio ? ['libaio'] : []),
  ];
  return ways.length === 0 ? undefined : ways.join(' and ');
}

function exact(bytes: Interval, requests: Interval, because: string, hidden: string | undefined): Asked {
  return {
    bytes,
    requests,
    because,
    estimate: (bytes[0] + bytes[1]) / 2,
    requestsEstimate: (requests[0] + requests[1]) / 2,
    ...(hidden === undefined ? {} : { hidden }),
  };
}
