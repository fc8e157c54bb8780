import { optionName } from './fio-options.ts';
import { type Found, found } from './found.ts';
import { groupedWords, hasOthersFigures, ofSeveral } from './grouped-jobs.ts';
import {
  itemsOf,
  type Located,
  type LocatedDocument,
  locatedObject,
  memberOf,
  numberAt,
  stringAt,
} from './json-places.ts';
import type {
  DirectionName,
  SavedDirection,
  SavedDisk,
  SavedJob,
  SavedLatency,
  SavedRun,
  SavedSync,
} from './saved-run.ts';

/** fio's JSON in a text, and where it stands. */
export interface JsonRun {
  readonly run: SavedRun;
  readonly at: number;
  readonly end: number;
}

/** A text with more of its words that stand in no object is not fio's: each is looked around for a while. */
const maxStrays = 20;

/** fio's JSON (`json`, `json+`), alone or among other text; several documents one after another. */
export function readFioJson(text: string): JsonRun[] {
  const runs: (JsonRun & { readonly began: readonly number[] })[] = [];
  for (let [at, strays] = [0, 0]; runs.length < 10_000 && strays < maxStrays; ) {
    const mark = text.indexOf('"fio version"', at);
    if (mark < 0) break;
    const document = documentAround(text, at, mark);
    if (document === undefined) {
      [at, strays] = [mark + 1, strays + 1];
      continue;
    }
    const run = runOf(document);
    const began = beganAt(run, numberAt(document.root, 'timestamp')?.value);
    const last = runs.at(-1);
    const next = { run, at: document.at, end: document.end, began };
    if (last !== undefined && continues(last, next)) {
      const damage = 'earlier states of the same run (--status-interval): the last one counts';
      runs[runs.length - 1] = { ...next, run: { ...run, damage: [damage, ...run.damage] } };
    } else runs.push(next);
    at = Math.max(document.end, mark + 1);
  }
  return runs;
}

/**
 * The object that has a version, which fio writes first; a few blanks or a stray word may stand between. Where
 * somebody has sorted the names, the object begins earlier.
 * @param from nothing before it is looked at
 */
function documentAround(text: string, from: number, mark: number): LocatedDocument | undefined {
  const near = Math.max(from, mark - 1000);
  const starts = new Set([
    near + text.slice(near, mark).lastIndexOf('{'),
    from + text.slice(from, mark).search(/^[ \t]*\{/m),
    from + text.slice(from, mark).indexOf('{'),
  ]);
  for (const start of starts) {
    if (text[start] !== '{') continue;
    const document = locatedObject(text, start);
    if (memberOf(document.root, 'fio version') !== undefined) return document;
  }
  return undefined;
}

/** When a run may have begun: by its longest job, and by its groups one after the other (`stonewall`). */
function beganAt({ jobs }: SavedRun, timestamp: number | undefined): readonly number[] {
  if (timestamp === undefined) return [];
  const groups = new Map<number, number>();
  for (const { group, directions } of jobs)
    for (const { runtimeMs } of directions)
      groups.set(group, Math.max(groups.get(group) ?? 0, runtimeMs?.value ?? 0));
  const longest = Math.max(0, ...groups.values());
  const all = [...groups.values()].reduce((sum, each) => sum + each, 0);
  return [longest, all].map((ms) => timestamp - ms / 1000);
}

/** Whether a document tells more of the run of the one before it: the same jobs, begun at the same time. */
function continues(
  before: { readonly run: SavedRun; readonly began: readonly number[] },
  after: { readonly run: SavedRun; readonly began: readonly number[] },
): boolean {
  const total = ({ jobs }: SavedRun) =>
    jobs.reduce(
      (sum, { directions }) =>
        sum + directions.reduce((all, { requests }) => all + (requests?.value ?? 0), 0),
      0,
    );
  const names = ({ jobs }: SavedRun) => jobs.map(({ name }) => name).join('\0');
  return (
    before.began.some((began, way) => Math.abs(began - (after.began[way] ?? Number.NaN)) <= 1.5) &&
    names(before.run) === names(after.run) &&
    total(after.run) >= total(before.run)
  );
}

function runOf({ root, isCut }: LocatedDocument): SavedRun {
  const version = stringAt(root, 'fio version');
  const global = optionsOf(memberOf(root, 'global options'));
  const clients = itemsOf(memberOf(root, 'client_stats'));
  const entries = [
    ...itemsOf(memberOf(root, 'jobs')),
    ...clients.filter((each) => stringAt(each, 'jobname')?.value !== 'All clients'),
  ];
  const jobs = withMembers(
    entries.map((entry) => jobOf(entry, global)).map((job) => (hasOthersFigures(job) ? ofSeveral(job) : job)),
  );
  const disks = memberOf(root, 'disk_util');
  return {
    program: 'fio',
    form: 'json',
    ...(version === undefined ? {} : { version: found(version.value.replace(/^fio-/, ''), version.at) }),
    jobs,
    disks: itemsOf(disks).flatMap(diskOf),
    endSeen: !isCut,
    layouts: [],
    missing: [
      ...(isCut
        ? ["the end of the JSON: the file seems cut off, and the last job's figures may be partial"]
        : []),
      ...(jobs.length === 0 ? ['the results: the JSON has no jobs'] : []),
      ...groupedWords(jobs),
    ],
    damage: [],
  };
}

/**
 * With group reporting one entry stands for all processes of a job. That flag is not among the options that fio
 * prints; a job of several processes that has one entry is what it does.
 */
function withMembers(jobs: readonly SavedJob[]): SavedJob[] {
  const entries = new Map<string, number>();
  for (const { name } of jobs) entries.set(name, (entries.get(name) ?? 0) + 1);
  return jobs.map((job) => {
    const processes = Number(job.options.get('numjobs')?.value ?? 1);
    return processes > 1 && entries.get(job.name) === 1 ? { ...job, members: processes } : job;
  });
}

function optionsOf(value: Located | undefined): Map<string, Found<string>> {
  const options = new Map<string, Found<string>>();
  if (value === undefined || !('members' in value)) return options;
  // A flag without a value stands there with an empty one.
  for (const [name, leaf] of value.members)
    if ('value' in leaf)
      options.set(optionName(name), found(leaf.value === '' ? '1' : String(leaf.value), leaf.at));
  return options;
}

function jobOf(entry: Located, global: ReadonlyMap<string, Found<string>>): SavedJob {
  const own = memberOf(entry, 'job options');
  const options = new Map([...global, ...optionsOf(own)]);
  const name = stringAt(entry, 'jobname');
  const sync = syncOf(memberOf(entry, 'sync'));
  const error = numberAt(entry, 'error');
  const [user, system] = [numberAt(entry, 'usr_cpu'), numberAt(entry, 'sys_cpu')];
  const depthOnePercent = numberAt(memberOf(entry, 'iodepth_level'), '1');
  const depth = options.get('iodepth');
  const engine = options.get('ioengine');
  const workload = options.get('rw');
  const directions = (['read', 'write', 'trim'] as const).flatMap((direction) =>
    directionOf(direction, memberOf(entry, direction)),
  );
  const mixed = directionOf('copy', memberOf(entry, 'mixed'));
  return {
    name: name?.value ?? '',
    at: name?.at ?? 0,
    group: numberAt(entry, 'groupid')?.value ?? 0,
    members: 1,
    ...(error === undefined ? {} : { error }),
    options,
    optionsComplete: own !== undefined || global.size > 0,
    ...(workload === undefined ? {} : { workload }),
    ...(engine === undefined ? {} : { engine }),
    ...(depth === undefined ? {} : { depth: found(Number(depth.value), depth.at) }),
    directions: directions.length > 0 ? directions : mixed,
    ...(sync === undefined ? {} : { sync }),
    ...(user === undefined || system === undefined ? {} : { cpu: { user, system } }),
    ...(depthOnePercent === undefined ? {} : { depthOnePercent }),
  };
}

function directionOf(direction: DirectionName, value: Located | undefined): SavedDirection[] {
  const requests = countAt(value, 'total_ios');
  const runtimeMs = countAt(value, 'runtime');
  const bytes = bytesOf(value);
  if (value === undefined || ((requests?.value ?? 0) === 0 && (bytes?.value ?? 0) === 0)) return [];
  const iops = numberAt(value, 'iops');
  const kib = numberAt(value, 'bw');
  const bytesPerSecond =
    numberAt(value, 'bw_bytes') ?? (kib === undefined ? undefined : found(kib.value * 1024, kib.at));
  const [mean, count] = [numberAt(value, 'iops_mean'), numberAt(value, 'iops_samples')];
  const clat = latencyOf(value, 'clat');
  const lat = latencyOf(value, 'lat');
  const ofCompletion = percentilesOf(value, 'clat');
  const of = ofCompletion.length > 0 ? 'clat' : 'lat';
  const bins = binsOf(value, of);
  return [
    {
      direction,
      at: requests?.at ?? 0,
      ...(requests === undefined ? {} : { requests }),
      ...(bytes === undefined ? {} : { bytes }),
      ...(runtimeMs === undefined ? {} : { runtimeMs }),
      ...(iops === undefined ? {} : { iops }),
      ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
      ...spread('slat', latencyOf(value, 'slat')),
      ...spread('clat', clat),
      ...spread('lat', lat),
      percentiles: of === 'clat' ? ofCompletion : percentilesOf(value, 'lat'),
      ...(of === 'clat' ? {} : { isOfAllLatency: true }),
      ...(bins.length === 0 ? {} : { bins }),
      ...(mean === undefined || count === undefined || count.value === 0 ? {} : { samples: { mean, count } }),
    },
  ];
}

/** What is counted is never less than nothing. */
function countAt(value: Located | undefined, name: string): Found<number> | undefined {
  const count = numberAt(value, name);
  return count === undefined || count.value < 0 ? undefined : count;
}

function spread<K extends string>(key: K, value: SavedLatency | undefined): { [key in K]?: SavedLatency } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]: SavedLatency });
}

/**
 * Early 3.x wrote `io_bytes` in KiB, later ones in bytes beside `io_kbytes`: what agrees with the bandwidth
 * and the time is right.
 */
function bytesOf(value: Located | undefined): Found<number> | undefined {
  const bytes = numberAt(value, 'io_bytes');
  if (bytes === undefined || memberOf(value, 'io_kbytes') !== undefined) return bytes;
  const [kib, ms] = [numberAt(value, 'bw')?.value, numberAt(value, 'runtime')?.value];
  if (kib === undefined || ms === undefined || bytes.value === 0) return bytes;
  const expected = (kib * 1024 * ms) / 1000;
  return expected / bytes.value > 32 ? found(bytes.value * 1024, bytes.at) : bytes;
}

function latencyOf(value: Located | undefined, name: string): SavedLatency | undefined {
  const ns = memberOf(value, `${name}_ns`);
  // fio 2.x, and forks of it: microseconds.
  const [stats, scale] = ns === undefined ? [memberOf(value, name), 1000] : [ns, 1];
  const [min, max, mean] = [numberAt(stats, 'min'), numberAt(stats, 'max'), numberAt(stats, 'mean')];
  if (min === undefined || max === undefined || mean === undefined || max.value === 0) return undefined;
  const count = numberAt(stats, 'N');
  const scaled = ({ value: number, at }: Found<number>) => found(number * scale, at);
  return {
    min: scaled(min),
    max: scaled(max),
    mean: scaled(mean),
    ...(count === undefined ? {} : { count }),
  };
}

function percentilesOf(value: Located | undefined, name: string): SavedDirection['percentiles'] {
  const ns = memberOf(value, `${name}_ns`);
  const [stats, scale] = ns === undefined ? [memberOf(value, name), 1000] : [ns, 1];
  const table = memberOf(stats, 'percentile');
  if (table === undefined || !('members' in table)) return [];
  return [...table.members].flatMap(([percent, leaf]) =>
    'value' in leaf && typeof leaf.value === 'number' && Number(percent) > 0
      ? [[Number(percent), found(leaf.value * scale, leaf.at)] as const]
      : [],
  );
}

/** Only json+ has them, and only of versions that count in nanoseconds. */
function binsOf(value: Located | undefined, name: string): NonNullable<SavedDirection['bins']> {
  const table = memberOf(memberOf(value, `${name}_ns`), 'bins');
  if (table === undefined || !('members' in table)) return [];
  return [...table.members].flatMap(([ns, leaf]) =>
    'value' in leaf && typeof leaf.value === 'number' && leaf.value > 0 && Number(ns) >= 0
      ? [[Number(ns), leaf.value] as const]
      : [],
  );
}

function syncOf(value: Located | undefined): SavedSync | undefined {
  const count = numberAt(value, 'total_ios');
  const latency = latencyOf(value, 'lat');
  if (count === undefined && latency === undefined) return undefined;
  return { ...(count === undefined ? {} : { count }), ...(latency === undefined ? {} : { latency }) };
}

function diskOf(entry: Located): SavedDisk[] {
  const name = stringAt(entry, 'name');
  const pair = (key: string): readonly [Found<number>, Found<number>] | undefined => {
    const [read, write] = [numberAt(entry, `read_${key}`), numberAt(entry, `write_${key}`)];
    return read === undefined || write === undefined ? undefined : [read, write];
  };
  const [requests, merges, ticksMs, sectors] = [pair('ios'), pair('merges'), pair('ticks'), pair('sectors')];
  if (name === undefined || requests === undefined || ticksMs === undefined) return [];
  const none = found(0, name.at);
  const utilPercent = numberAt(entry, 'util');
  return [
    {
      name,
      requests,
      merges: merges ?? [none, none],
      ticksMs,
      ...(sectors === undefined ? {} : { sectors }),
      ...(utilPercent === undefined ? {} : { utilPercent }),
    },
  ];
}
