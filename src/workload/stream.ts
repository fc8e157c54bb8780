import type { Figure, Measured } from '../model/diagnosis.ts';
import { optionBytes, optionSeconds } from './fio-numbers.ts';
import { type Found, found } from './found.ts';
import type { SavedOutput } from './read-output.ts';
import {
  type DirectionName,
  hasExactBytes,
  type JobOptions,
  type SavedDirection,
  type SavedJob,
  type SavedLatency,
  type SavedRun,
} from './saved-run.ts';
import { countWords } from './words.ts';

/**
 * What is judged: one job in one direction, its equal processes (`numjobs`) together. Times of processes that
 * ran at once are not added.
 */
export interface Stream {
  readonly output: SavedOutput;
  readonly run: SavedRun;
  readonly about: string;
  readonly job: string;
  readonly direction: DirectionName;
  /** Processes at once. */
  readonly processes: number;
  readonly requests?: Quantity;
  readonly bytes?: Quantity;
  readonly seconds?: Quantity;
  readonly rate?: Quantity;
  readonly bytesPerSecond?: Quantity;
  /** Mean time of a request from its issue, with its submission, and the submission alone. */
  readonly meanNs?: Quantity;
  readonly submitNs?: Quantity;
  /** The largest of the processes' medians. */
  readonly medianNs?: Quantity;
  /** What one read in twenty was faster than; the smallest of the processes'. */
  readonly fastNs?: Quantity;
  /** Seconds in which fio looked at the rate (twice a second, only while requests end), and the rate then. */
  readonly sampledSeconds?: Quantity;
  readonly sampledRate?: Quantity;
  readonly syncs?: Quantity;
  readonly syncMeanNs?: Quantity;
  readonly cpuPercent?: Quantity;
  readonly engine?: Found<string>;
  readonly depth?: Found<number>;
  /** Requests that can be outstanding at once, all processes together. */
  readonly outstanding: number;
  readonly blockBytes?: number;
  readonly order?: 'random' | 'sequential';
  /** Of one process: what it reads or writes over. */
  readonly fileBytes?: Quantity;
  readonly options: JobOptions;
  readonly optionsComplete: boolean;
  readonly isPhaseOfVerify: boolean;
  readonly error?: { readonly code: number; readonly text?: string; readonly at: number };
}

/** A number and where it, or what it was computed from, stands. */
export interface Quantity {
  readonly value: number;
  readonly at: readonly number[];
  readonly how?: string;
}

/** The engines of fio that wait for each request before the next. */
export const synchronousEngines = new Set(['sync', 'psync', 'vsync', 'pvsync', 'pvsync2', 'mmap', 'dd']);

/** The jobs and directions of a file's runs, the latest state of each. */
export function streamsOf(output: SavedOutput): Stream[] {
  return output.runs.flatMap((run, index) => {
    const groups = new Map<string, SavedJob[]>();
    for (const job of run.jobs) {
      const key = `${job.group}\0${job.name}`;
      const same = groups.get(key);
      if (same === undefined) groups.set(key, [job]);
      else same.push(job);
    }
    const label = output.runs.length > 1 ? ` (run ${index + 1})` : '';
    return [...groups.values()].flatMap((jobs) => streamsOfJob(output, run, jobs, label));
  });
}

function streamsOfJob(
  output: SavedOutput,
  run: SavedRun,
  jobs: readonly SavedJob[],
  label: string,
): Stream[] {
  const names = [...new Set(jobs.flatMap(({ directions }) => directions.map(({ direction }) => direction)))];
  return names.flatMap((direction) => {
    const parts = jobs.flatMap((job) =>
      job.directions.filter((each) => each.direction === direction).map((part) => ({ job, part })),
    );
    const [first] = parts;
    return first === undefined ? [] : [merge(output, run, parts, direction, label)];
  });
}

type Part = { readonly job: SavedJob; readonly part: SavedDirection };

function merge(
  output: SavedOutput,
  run: SavedRun,
  parts: readonly Part[],
  direction: DirectionName,
  label: string,
): Stream {
  const { job } = parts[0] as Part;
  const processes = parts.reduce((sum, each) => sum + Math.max(1, each.job.members), 0);
  const requests = sum(parts.map((each) => each.part.requests));
  const told = sum(parts.map((each) => each.part.bytes));
  const seconds = scaled(most(parts.map((each) => each.part.runtimeMs)), 1000);
  const block = blockOf(job, direction, told, requests);
  // `15.4MiB` is rounded; whole blocks are exact, where the two agree and all blocks have one size.
  const bytes =
    told !== undefined &&
    !hasExactBytes(run) &&
    requests !== undefined &&
    block.exact &&
    Math.abs((requests.value * block.bytes) / told.value - 1) < 0.01
      ? {
          value: requests.value * block.bytes,
          at: [...requests.at, ...told.at],
          how: `${countWords(requests.value)} requests of ${countWords(block.bytes)} bytes`,
        }
      : told;
  const rate = ratio(requests, seconds, 'requests / time') ?? sum(parts.map((each) => each.part.iops));
  const mean = weighted(parts, ({ part: each }) => each.lat ?? each.clat);
  const submit = weighted(parts, ({ part: each }) => each.slat);
  const engine = job.engine;
  const depthOne = engine !== undefined && synchronousEngines.has(engine.value);
  const outstanding =
    processes * (depthOne ? 1 : (job.depth?.value ?? (job.optionsComplete ? 1 : Number.NaN)));
  const failed = parts.find((each) => (each.job.error?.value ?? 0) !== 0)?.job;
  const order = orderOf(job.workload?.value);
  const size = sizeOf(run, job, parts);
  const interval = optionSeconds(`${job.options.get('bwavgtime')?.value ?? 500}ms`) ?? 0.5;
  return {
    output,
    run,
    about: `${job.name}${label}, ${direction}`,
    job: job.name,
    direction,
    processes,
    ...present('requests', requests),
    ...present('bytes', bytes),
    ...present('seconds', seconds),
    ...present('rate', rate),
    ...present(
      'bytesPerSecond',
      ratio(bytes, seconds, 'bytes / time') ?? sum(parts.map((each) => each.part.bytesPerSecond)),
    ),
    ...present('meanNs', mean),
    ...present('submitNs', submit),
    ...present(
      'medianNs',
      most(parts.map((each) => each.part.percentiles.find(([percent]) => percent === 50)?.[1])),
    ),
    ...present('fastNs', least(parts.map((each) => percentileOf(each.part, 5)))),
    ...present('sampledSeconds', sampled(most(parts.map((each) => perProcess(each))), interval)),
    ...present('sampledRate', sum(parts.map((each) => each.part.samples?.mean))),
    ...present('syncs', sum(parts.map((each) => each.job.sync?.count))),
    ...present('syncMeanNs', most(parts.map((each) => each.job.sync?.latency?.mean))),
    ...present('cpuPercent', cpuOf(job)),
    ...(engine === undefined ? {} : { engine }),
    ...(job.depth === undefined ? {} : { depth: job.depth }),
    outstanding,
    ...(block.bytes > 0 ? { blockBytes: block.bytes } : {}),
    ...(order === undefined ? {} : { order }),
    ...present('fileBytes', size),
    options: job.options,
    optionsComplete: job.optionsComplete,
    isPhaseOfVerify: direction === 'read' && /^(?:rand)?write$/.test(job.workload?.value ?? ''),
    ...(failed?.error === undefined
      ? {}
      : {
          error: {
            code: failed.error.value,
            at: failed.error.at,
            ...(failed.errorText === undefined ? {} : { text: failed.errorText }),
          },
        }),
  };
}

function present<K extends string>(key: K, value: Quantity | undefined): { [key in K]?: Quantity } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]: Quantity });
}

function sum(values: readonly (Found<number> | undefined)[]): Quantity | undefined {
  const known = values.flatMap((value) => value ?? []);
  if (known.length === 0 || known.length < values.length) return undefined;
  return {
    value: known.reduce((total, { value }) => total + value, 0),
    at: places(known),
    ...(known.length > 1 ? { how: `sum of ${known.length} processes` } : {}),
  };
}

function most(values: readonly (Found<number> | undefined)[]): Quantity | undefined {
  const known = values.flatMap((value) => value ?? []);
  const largest = known.reduce<Found<number> | undefined>(
    (best, each) => (best === undefined || each.value > best.value ? each : best),
    undefined,
  );
  return largest === undefined
    ? undefined
    : {
        value: largest.value,
        at: [largest.at],
        ...(known.length > 1 ? { how: `largest of ${known.length} processes` } : {}),
      };
}

function least(values: readonly (Found<number> | undefined)[]): Quantity | undefined {
  const known = values.flatMap((value) => value ?? []);
  const smallest = known.reduce<Found<number> | undefined>(
    (best, each) => (best === undefined || each.value < best.value ? each : best),
    undefined,
  );
  return smallest === undefined ? undefined : { value: smallest.value, at: [smallest.at] };
}

function percentileOf(part: SavedDirection, wanted: number): Found<number> | undefined {
  return part.percentiles.find(([percent]) => percent === wanted)?.[1];
}

/** The first few places: a figure of ten thousand processes needs no list of them all. */
function places(values: readonly Found<unknown>[]): number[] {
  return values.slice(0, 4).map(({ at }) => at);
}

function scaled(value: Quantity | undefined, divisor: number): Quantity | undefined {
  return value === undefined ? undefined : { ...value, value: value.value / divisor };
}

function ratio(a: Quantity | undefined, b: Quantity | undefined, how: string): Quantity | undefined {
  return a === undefined || b === undefined || b.value <= 0
    ? undefined
    : { value: a.value / b.value, at: [...a.at, ...b.at], how };
}

function weighted(
  parts: readonly Part[],
  of: (part: Part) => SavedLatency | undefined,
): Quantity | undefined {
  const known = parts.flatMap((part) => {
    const latency = of(part);
    return latency === undefined ? [] : [{ mean: latency.mean, weight: part.part.requests?.value ?? 1 }];
  });
  const weight = known.reduce((total, each) => total + each.weight, 0);
  if (known.length === 0 || weight === 0) return undefined;
  return {
    value: known.reduce((total, each) => total + each.mean.value * each.weight, 0) / weight,
    at: places(known.map(({ mean }) => mean)),
    ...(known.length > 1 ? { how: `mean of ${known.length} processes` } : {}),
  };
}

/** With group reporting the samples of all processes are one number. */
function perProcess({ job, part }: Part): Found<number> | undefined {
  const count = part.samples?.count;
  return count === undefined ? undefined : found(count.value / Math.max(1, job.members), count.at);
}

function sampled(count: Quantity | undefined, interval: number): Quantity | undefined {
  return count === undefined
    ? undefined
    : { ...count, value: count.value * interval, how: `samples × ${interval} s` };
}

function cpuOf({ cpu }: SavedJob): Quantity | undefined {
  return cpu === undefined
    ? undefined
    : { value: cpu.user.value + cpu.system.value, at: [cpu.user.at], how: 'usr + sys' };
}

function blockOf(
  job: SavedJob,
  direction: DirectionName,
  bytes: Quantity | undefined,
  requests: Quantity | undefined,
): { bytes: number; exact: boolean } {
  const option = job.options.get('bs')?.value;
  const parts = option?.split(',') ?? [];
  const own = direction === 'write' ? parts[1] || parts[0] : parts[0];
  const told = own === undefined ? undefined : optionBytes(own);
  const mean =
    bytes === undefined || requests === undefined || requests.value === 0 ? 0 : bytes.value / requests.value;
  if (told !== undefined && !own?.includes('-') && (mean === 0 || Math.abs(mean / told - 1) < 0.05))
    return { bytes: told, exact: true };
  // fio rounds bytes to a few digits; a power of two that near is the block.
  const power = mean > 0 ? 2 ** Math.round(Math.log2(mean)) : 0;
  return mean > 0 && Math.abs(mean / power - 1) < 0.01
    ? { bytes: power, exact: true }
    : { bytes: Math.round(mean), exact: false };
}

function orderOf(workload: string | undefined): Stream['order'] | undefined {
  if (workload === undefined) return undefined;
  return workload.startsWith('rand') ? 'random' : 'sequential';
}

const leastLaidOut = 32 * 1024 ** 2;

/** The size of one process's files: by its options, or by their layout. */
function sizeOf(run: SavedRun, job: SavedJob, parts: readonly Part[]): Quantity | undefined {
  if (run.program === 'dd') {
    const bytes = parts[0]?.part.bytes;
    return bytes === undefined ? undefined : { value: bytes.value, at: [bytes.at] };
  }
  if (job.isOfSeveral === true) return undefined;
  // The size of each of several files, or of a device, is not that of all.
  if (job.options.has('filesize') && job.options.has('nrfiles')) return undefined;
  const option = job.options.get('filesize') ?? job.options.get('size');
  const told = option === undefined || option.value.includes('%') ? undefined : optionBytes(option.value);
  if (option !== undefined && told !== undefined) return { value: told, at: [option.at] };
  const laid = run.layouts.find((each) => each.job === job.name);
  // fio prints whole MiB, and the rest is missing: of a small file that is too much.
  return laid?.bytes === undefined || laid.bytes < leastLaidOut
    ? undefined
    : { value: laid.bytes, at: [laid.at] };
}

/** An option's truth, as fio reads it. Undefined: not known. */
export function flag(stream: Stream, name: string, byDefault: boolean): boolean | undefined {
  const option = stream.options.get(name);
  if (option !== undefined) return !/^(?:0|false|no|n)$/i.test(option.value);
  return stream.optionsComplete ? byDefault : undefined;
}

/** O_DIRECT was asked for: `direct=1` or `buffered=0`. */
export function isDirect(stream: Stream): boolean | undefined {
  if (stream.options.has('buffered')) return flag(stream, 'buffered', true) === false;
  return flag(stream, 'direct', false);
}

/** A figure of a report, with its places in the file. */
export function figure(
  stream: Stream,
  name: string,
  quantity: Quantity | Found<number | string>,
  unit?: Figure['unit'],
): Figure {
  const at = typeof quantity.at === 'number' ? [quantity.at] : quantity.at;
  const how = 'how' in quantity ? quantity.how : undefined;
  return {
    name,
    value: quantity.value,
    ...(unit === undefined ? {} : { unit }),
    from: how === undefined ? 'read' : 'derived',
    ...(how === undefined ? {} : { how }),
    places: [...new Set(at)].map((each) => ({ file: stream.output.file, ...stream.output.place(each) })),
  };
}

/** For the report's table. */
export function measuredOf(stream: Stream): Measured {
  const {
    about,
    job,
    direction,
    processes,
    requests,
    bytes,
    seconds,
    rate,
    bytesPerSecond,
    medianNs,
    meanNs,
  } = stream;
  return {
    about,
    job,
    direction,
    processes,
    ...(requests === undefined ? {} : { requests: requests.value }),
    ...(bytes === undefined ? {} : { bytes: Math.round(bytes.value) }),
    ...(seconds === undefined ? {} : { seconds: seconds.value }),
    ...(rate === undefined ? {} : { requestsPerSecond: rate.value }),
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond: Math.round(bytesPerSecond.value) }),
    ...(medianNs === undefined ? {} : { medianNs: medianNs.value }),
    ...(meanNs === undefined ? {} : { meanNs: meanNs.value }),
    ...(stream.engine === undefined ? {} : { engine: stream.engine.value }),
    ...(stream.depth === undefined ? {} : { depth: stream.depth.value }),
    ...(stream.blockBytes === undefined ? {} : { blockBytes: stream.blockBytes }),
    ...(stream.order === undefined ? {} : { order: stream.order }),
  };
}
