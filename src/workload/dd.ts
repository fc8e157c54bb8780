import { type Found, found } from './found.ts';
import type { DirectionName, JobOptions, SavedJob, SavedRun } from './saved-run.ts';

/** The rate that ends dd's summary line in any language. */
const rateAt =
  /(?<![\d.,])(\d{1,9}(?:[.,]\d{1,9})?|Infinity)\s?([kKMGTPE]?i?)(?:B|o|б|Б)?\/(?:s|sec|秒|с)(?![a-z])/gu;

/**
 * What stands before the rate: bytes, then a time. GNU coreutils and busybox put them in this order; the words
 * between them, the decimal sign and the punctuation are the locale's.
 */
const bytesAndTime =
  /(?<![\d.,])(\d{1,18})\s?(?!\d)[^\d\r\n]{1,40}?(?:[(（][^)）\r\n]{1,60}[)）][^\d\r\n]{0,60}?)?[,，、\s]\s?(\d{1,9}(?:[.,]\d{1,9})?(?:e[+-]?\d{1,3})?)\s?[\p{L}.]{1,10}\s?[,，、]\s?$/u;
/** Characters in which those two stand. */
const summaryWindow = 200;
const maxSummaries = 10_000;

/** BSD's, macOS's. */
const bsdSummary =
  /(?<!\d)(\d{1,18}) bytes(?: \([^)\r\n]{1,60}\))? transferred in (\d{1,9}(?:\.\d{1,9})?) secs \((\d{1,18}) bytes\/sec\)/g;

const records = /(?<!\d)(\d{1,15})\+(\d{1,15})(?!\d)[^\d\r\n+]{0,60}/g;

interface Summary {
  readonly at: number;
  readonly end: number;
  readonly bytes: number;
  readonly seconds: number;
}

/** What dd printed: the last summary of each run; progress lines before it are of the same run. */
export function readDd(text: string): SavedRun[] {
  const summaries = summariesOf(text);
  const marks = recordMarks(text);
  const runs: SavedRun[] = [];
  let [from, nextMark] = [0, 0];
  for (const [index, each] of summaries.entries()) {
    const own: RecordMark[] = [];
    for (let mark = marks[nextMark]; mark !== undefined && mark.at < each.at; mark = marks[nextMark]) {
      if (mark.at >= from) own.push(mark);
      nextMark += 1;
    }
    own.splice(0, own.length - 2);
    const next = summaries[index + 1];
    const isFinal = own.length > 0;
    // A progress line: the next summary is of the same run, unless records or nothing stand between.
    if (!isFinal && next !== undefined) continue;
    runs.push(runOf(text, each, own, from, isFinal));
    from = each.end;
  }
  return runs;
}

function summariesOf(text: string): Summary[] {
  const summaries: Summary[] = [];
  for (const match of text.matchAll(bsdSummary))
    summaries.push({
      at: match.index,
      end: match.index + match[0].length,
      bytes: Number(match[1]),
      seconds: Number(match[2]),
    });
  for (const match of text.matchAll(rateAt)) {
    if (summaries.length >= maxSummaries) break;
    const [all, rate, prefix] = match;
    const from = Math.max(0, match.index - summaryWindow);
    const before = bytesAndTime.exec(text.slice(from, match.index));
    if (before === null) continue;
    const told = { bytes: Number(before[1]), seconds: decimal(before[2]), rate: decimal(rate) };
    // The three figures check each other: nothing else in a text does so by chance.
    if (agrees(told, prefix ?? ''))
      summaries.push({ at: from + before.index, end: match.index + all.length, ...told });
  }
  return summaries.sort((a, b) => a.at - b.at);
}

function decimal(text: string | undefined): number {
  return text === 'Infinity' ? Number.POSITIVE_INFINITY : Number(text?.replace(',', '.'));
}

function agrees(
  { bytes, seconds, rate }: { bytes: number; seconds: number; rate: number },
  prefix: string,
): boolean {
  const power = 'kMGTPE'.indexOf(prefix[0]?.replace('K', 'k') ?? ' ') + 1;
  const real = bytes / seconds;
  if (!Number.isFinite(real)) return rate === Number.POSITIVE_INFINITY;
  return [1000, 1024].some((base) => Math.abs((rate * base ** power) / real - 1) < 0.08);
}

interface RecordMark {
  readonly at: number;
  readonly full: number;
  readonly partial: number;
}

function recordMarks(text: string): RecordMark[] {
  const marks: RecordMark[] = [];
  for (const match of text.matchAll(records)) {
    marks.push({ at: match.index, full: Number(match[1]), partial: Number(match[2]) });
    if (marks.length >= 20_000) break;
  }
  return marks;
}

const command = /(?:^|[\s$#%>`"'/])dd((?:\s{1,4}[a-z]{2,7}=[^\s|;&]{1,300}){1,20})/g;

function runOf(
  text: string,
  told: Summary,
  marks: readonly RecordMark[],
  from: number,
  isFinal: boolean,
): SavedRun {
  const before = text.slice(Math.max(from, told.at - 20_000), told.at);
  const typed = [...before.matchAll(command)].at(-1);
  const typedAt = told.at - before.length + (typed?.index ?? 0);
  const options = optionsOf(typed?.[1] ?? '', typedAt);
  const [input] = marks;
  const count = input === undefined ? undefined : input.full + input.partial;
  const direction = directionOf(options);
  const engine = found('dd', told.at);
  const job: SavedJob = {
    name: 'dd',
    at: told.at,
    group: 0,
    members: 1,
    options: fioNames(options, direction),
    optionsComplete: typed !== undefined,
    engine,
    depth: found(1, told.at),
    workload: found(direction === 'write' ? 'write' : direction === 'read' ? 'read' : 'copy', told.at),
    directions: [
      {
        direction,
        at: told.at,
        bytes: found(told.bytes, told.at),
        runtimeMs: found(told.seconds * 1000, told.at),
        ...(count === undefined || count === 0 || input === undefined
          ? {}
          : { requests: found(count, input.at) }),
        percentiles: [],
      },
    ],
  };
  return {
    program: 'dd',
    form: 'text',
    jobs: [job],
    disks: [],
    endSeen: isFinal,
    ...(typed === undefined ? {} : { command: ['dd', ...(typed[1] ?? '').trim().split(/\s+/)] }),
    layouts: [],
    missing: [
      ...(isFinal ? [] : ['the end: only progress lines (dd was ended, or the file cut off)']),
      ...(typed === undefined
        ? ['the command (if=, of=, conv=, iflag=, oflag=): what was read or written is not known']
        : []),
    ],
    damage: [],
  };
}

function optionsOf(text: string, at: number): Map<string, Found<string>> {
  return new Map(
    [...text.matchAll(/([a-z]+)=(\S+)/g)].map(
      (match) => [match[1] ?? '', found(match[2] ?? '', at + match.index)] as const,
    ),
  );
}

function directionOf(options: ReadonlyMap<string, Found<string>>): DirectionName {
  const [input, output] = [options.get('if')?.value, options.get('of')?.value];
  if (output === '/dev/null' && input !== undefined) return 'read';
  if (/^\/dev\/(?:zero|urandom|random)$/.test(input ?? '')) return 'write';
  return 'copy';
}

/** The flags that change what a figure means, by fio's names. */
function fioNames(options: ReadonlyMap<string, Found<string>>, direction: DirectionName): JobOptions {
  const names = new Map<string, Found<string>>();
  const flags = options.get(direction === 'write' ? 'oflag' : 'iflag');
  const conv = options.get('conv');
  const has = (value: Found<string> | undefined, flag: string) =>
    value?.value.split(',').includes(flag) === true;
  if (flags !== undefined && has(flags, 'direct')) names.set('direct', found('1', flags.at));
  if (flags !== undefined && (has(flags, 'sync') || has(flags, 'dsync')))
    names.set('sync', found('1', flags.at));
  if (conv !== undefined && (has(conv, 'fsync') || has(conv, 'fdatasync')))
    names.set('end_fsync', found('1', conv.at));
  const [input, output] = [options.get('if'), options.get('of')];
  const file = direction === 'read' ? input : output;
  if (file !== undefined) names.set('filename', file);
  return names;
}
