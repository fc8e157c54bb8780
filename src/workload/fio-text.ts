import { shortNumber, unitBytes } from './fio-numbers.ts';
import { type FioCommand, fioCommands, jobFileOptions } from './fio-options.ts';
import { readJobBlock } from './fio-text-job.ts';
import { found } from './found.ts';
import { groupedWords, ofSeveral } from './grouped-jobs.ts';
import type { JobOptions, Layout, SavedDisk, SavedJob, SavedRun } from './saved-run.ts';

/** A result block is some 5 KiB; with block lifetimes and many priorities a few times that. */
const maxBlock = 32_768;
/** More blocks than these are counted and left out. */
const maxBlocks = 20_000;

/**
 * fio's human-readable output, of any 3.x, with its line breaks or without. It is read by what cannot be
 * mistaken: the beginnings of headers, result blocks, groups and disk figures; fields are looked for only in
 * the block that they belong to.
 */
export function readFioText(text: string): SavedRun[] {
  const marks = marksOf(text);
  const commands = fioCommands(text);
  return runsOf(marks).map((own, index, all) => {
    const next = all[index + 1]?.[0]?.at ?? text.length;
    return readRun(text, own, all[index - 1]?.at(-1)?.at ?? 0, next, commands);
  });
}

interface Mark {
  readonly kind: 'header' | 'version' | 'result' | 'group' | 'disks';
  readonly at: number;
  readonly match: RegExpExecArray;
}

const markPatterns = {
  header:
    /: \(g=(\d{1,6})\): rw=([a-z]{2,12})[^,]{0,20}, bs=(?:\(R\) )?([\d.]{1,12}[KMGT]?i?B?)-[\d.]{1,12}[KMGT]?i?B?(?:, ?\(W\) ?([\d.]{1,12}[KMGT]?i?B?)-)?.{0,200}?ioengine=([\w./:-]{1,100}), iodepth=(\d{1,9})/gs,
  version: /(?<=^|[\s>])fio-(\d{1,3}\.[\w.-]{1,60})/g,
  result:
    /: \(groupid=(\d{1,6}), jobs=(\d{1,9})\): err=\s{0,4}(\d{1,6})(?: \(([^)]{0,300})\))?: pid=(\d{1,12})/g,
  group: /Run status group (\d{1,6}) \(all jobs\):/g,
  disks: /Disk stats \(read\/write\):/g,
} as const;

function marksOf(text: string): Mark[] {
  const marks: Mark[] = [];
  for (const [kind, pattern] of Object.entries(markPatterns)) {
    pattern.lastIndex = 0;
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text))
      marks.push({ kind: kind as Mark['kind'], at: match.index, match });
  }
  return marks.sort((a, b) => a.at - b.at);
}

/** A run begins at a header or version that follows results. */
function runsOf(marks: readonly Mark[]): Mark[][] {
  const runs: Mark[][] = [];
  let current: Mark[] = [];
  let hasResults = false;
  for (const mark of marks) {
    const begins = mark.kind === 'header' || mark.kind === 'version';
    if (begins && hasResults) {
      runs.push(current);
      [current, hasResults] = [[], false];
    }
    hasResults ||= !begins;
    current.push(mark);
  }
  return current.length === 0 ? runs : [...runs, current];
}

interface Header {
  readonly name: string;
  readonly group: number;
  readonly at: number;
  readonly match: RegExpExecArray;
}

function readRun(
  text: string,
  marks: readonly Mark[],
  before: number,
  end: number,
  commands: readonly FioCommand[],
): SavedRun {
  const first = marks[0]?.at ?? before;
  const headers = marks
    .filter(({ kind }) => kind === 'header')
    .map(({ at, match }): Header => ({ name: nameBefore(text, at, []), group: Number(match[1]), at, match }));
  const byName = new Map(headers.map((header) => [header.name, header]));
  // Enough for any run by hand; each name is compared with each block.
  const names = [...byName.keys()].slice(0, 200);
  const command = commands.findLast((each) => each.at >= before && each.at <= first);
  const files = jobFileOptions(
    text,
    command?.end ?? before,
    Math.max(before, text.lastIndexOf('\n', first) + 1),
  );
  const results = marks.filter(({ kind }) => kind === 'result');
  const groups = marks.filter(({ kind }) => kind === 'group').map(({ at }) => at);
  const resultNames = new Set(results.slice(0, maxBlocks).map((mark) => nameBefore(text, mark.at, names)));
  const silent = headers.filter(({ name }) => !resultNames.has(name));
  const jobs = new Map<string, SavedJob>();
  let nextGroup = 0;
  for (const [index, mark] of results.slice(0, maxBlocks).entries()) {
    while ((groups[nextGroup] ?? end) < mark.at) nextGroup += 1;
    const stop = Math.min(groups[nextGroup] ?? end, results[index + 1]?.at ?? end, mark.at + maxBlock);
    const name = nameBefore(text, mark.at, names);
    const header = byName.get(name) ?? headers.find((each) => each.group === Number(mark.match[1]));
    const options = optionsOf(name, command, files);
    const alone = jobOf(text, mark, stop, name, header, options);
    const within = silent.filter(({ group }) => group === alone.group);
    const job =
      within.length > 0 && alone.members > within.length
        ? ofSeveral(alone, inCommon([...(header === undefined ? [] : [header]), ...within]))
        : alone;
    // fio --status-interval prints the same processes again, each time with more: the last one counts.
    jobs.set(`${name}\0${job.group}\0${job.pid ?? index}`, job);
  }
  const version = marks.find(({ kind }) => kind === 'version');
  const disks = marks.findLast(({ kind }) => kind === 'disks');
  const group = marks.find(({ kind }) => kind === 'group');
  const repeated = results.length - jobs.size - Math.max(0, results.length - maxBlocks);
  return {
    program: 'fio',
    form: 'text',
    ...(version === undefined ? {} : { version: found(String(version.match[1]), version.at) }),
    jobs: [...jobs.values()],
    disks: disks === undefined ? [] : readDisks(text, disks.at + disks.match[0].length, end),
    endSeen: group !== undefined,
    ...(command === undefined ? {} : { command: command.words }),
    layouts: layoutsOf(
      text.slice(first, Math.min(end, results[0]?.at ?? end, first + 1_000_000)),
      first,
      names,
    ),
    missing: [
      ...missingOf(results.length, headers.length, group !== undefined, version !== undefined),
      ...groupedWords([...jobs.values()]),
    ],
    damage: [
      ...(repeated > 0
        ? [
            `${repeated} earlier state${repeated === 1 ? '' : 's'} of the same run (--status-interval): the last one counts`,
          ]
        : []),
      ...(results.length > maxBlocks
        ? [`${results.length - maxBlocks} result blocks after the first ${maxBlocks} were left out`]
        : []),
    ],
  };
}

function missingOf(results: number, headers: number, group: boolean, version: boolean): string[] {
  return [
    ...(results === 0
      ? ['the results: the output ends before them (the run was ended, or the file cut off)']
      : []),
    ...(headers === 0 ? ["the jobs' headers (rw, block size, engine, depth)"] : []),
    ...(version ? [] : ["fio's version"]),
    ...(results > 0 && !group ? ['the end (Run status group, Disk stats): the file seems cut off'] : []),
  ];
}

/**
 * The job's name before `: (g=` or `: (groupid=`. Names may have spaces; where line breaks are lost, only one
 * that a header showed is taken whole, otherwise the last word.
 */
function nameBefore(text: string, at: number, known: readonly string[]): string {
  const window = text.slice(Math.max(0, at - 300), at);
  const row = window.slice(Math.max(window.lastIndexOf('\n'), window.lastIndexOf('\r')) + 1);
  // A mail's or a page's quoting is no part of a name.
  const line = row.replace(/^[>|\s]+/, '');
  const whole = known.filter((name) => line.endsWith(name)).sort((a, b) => b.length - a.length)[0];
  if (whole !== undefined) return whole;
  const startsLine = row.length < window.length;
  if (startsLine && line.length <= 120 && !line.includes('](') && !/--\w|\]/.test(line)) return line.trim();
  return line.slice(Math.max(line.lastIndexOf(' '), line.lastIndexOf('\t')) + 1);
}

function optionsOf(
  name: string,
  command: FioCommand | undefined,
  files: ReadonlyMap<string, JobOptions>,
): { options: JobOptions; complete: boolean } {
  const typed =
    command?.jobs.get(name) ?? (command?.jobs.size === 1 ? [...command.jobs.values()][0] : undefined);
  const filed = files.get(name);
  return {
    options: new Map([...(filed ?? []), ...(typed ?? [])]),
    complete: filed !== undefined || (typed !== undefined && command?.hasJobFile === false),
  };
}

function jobOf(
  text: string,
  { at, match }: Mark,
  stop: number,
  name: string,
  header: Header | undefined,
  { options, complete }: { options: JobOptions; complete: boolean },
): SavedJob {
  const [all, group, members, error, errorText, pid] = match;
  const block = readJobBlock(text.slice(at + all.length, stop), at + all.length);
  return {
    name,
    at: at - name.length,
    group: Number(group),
    members: Number(members),
    ...(pid === undefined ? {} : { pid }),
    error: found(Number(error), at),
    ...(errorText === undefined ? {} : { errorText }),
    options,
    optionsComplete: complete,
    ...(header === undefined ? {} : settingsOf(header)),
    ...block,
  };
}

function settingsOf({ match, at }: Header) {
  return {
    workload: found(String(match[2]), at),
    engine: found(String(match[5]), at),
    depth: found(Number(match[6]), at),
  };
}

/** What the headers of several jobs agree in. */
function inCommon(headers: readonly Header[]): Partial<ReturnType<typeof settingsOf>> {
  const all = headers.map(settingsOf);
  const [first] = all;
  if (first === undefined) return {};
  const { workload, engine, depth } = first;
  return {
    ...(all.every((each) => each.workload.value === workload.value) ? { workload } : {}),
    ...(all.every((each) => each.engine.value === engine.value) ? { engine } : {}),
    ...(all.every((each) => each.depth.value === depth.value) ? { depth } : {}),
  };
}

const layout = /: Laying out IO files? \(\d+ files? \/ (?:total )?([\d.]+[KMGT]?i?B)\)/g;

function layoutsOf(region: string, offset: number, names: readonly string[]): Layout[] {
  return [...region.matchAll(layout)].slice(0, 1000).map((match) => {
    const bytes = unitBytes(match[1] ?? '');
    return {
      job: nameBefore(region, match.index, names),
      ...(bytes === undefined ? {} : { bytes }),
      at: offset + match.index,
    };
  });
}

const disk =
  /[\s|>]*([^\s:,>|]{1,64}): ios=(\d+)\/(\d+),(?:\s*sectors=(\d+)\/(\d+),)?\s*merge=(\d+)\/(\d+),\s*ticks=(\d+)\/(\d+),\s*in_queue=(\d+),\s*util=([\d.]+)%(,\s*aggrios=[^%]{0,300}%)?/y;

/** The disks under the files. The slaves of one that has any stand after it, and are left out. */
function readDisks(text: string, from: number, end: number): SavedDisk[] {
  const region = text.slice(from, Math.min(end, from + 200_000));
  const disks: SavedDisk[] = [];
  let slaves = false;
  disk.lastIndex = 0;
  for (let match = disk.exec(region); match !== null; match = disk.exec(region)) {
    const at = from + match.index;
    const number = (index: number) => found(shortNumber(match?.[index] ?? '') ?? 0, at);
    const isSlave = slaves && match[12] === undefined && disks.length > 0;
    if (!isSlave)
      disks.push({
        name: found(match[1] ?? '', at),
        requests: [number(2), number(3)],
        merges: [number(6), number(7)],
        ...(match[4] === undefined ? {} : { sectors: [number(4), number(5)] as const }),
        ticksMs: [number(8), number(9)],
        utilPercent: number(11),
      });
    slaves ||= match[12] !== undefined;
  }
  return disks;
}
