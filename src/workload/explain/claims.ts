import type { Claim, Claimed } from '../../ledger/program-samples.ts';
import type { BenchmarkRate } from '../../model/explain-evidence.ts';
import { readOutput } from '../read-output.ts';
import { hasExactBytes, type SavedDirection, type SavedRun } from '../saved-run.ts';
import { ownRunner, programOf } from './reporting-program.ts';

/**
 * What a benchmark says that it read and wrote, from its own output; undefined where that is not there. dd does not
 * say from what to what: its figure is both, and stands where the program's counters agree with it.
 */
export function claimedIn(output: Uint8Array): Claimed | undefined {
  const { runs } = readOutput('its output', output);
  const programs = new Set(runs.map(programOf));
  const [program] = programs;
  if (program === undefined || programs.size > 1) return undefined;
  // What was read and written before fio began to count is not in its report.
  if (runs.some(({ jobs }) => jobs.some(({ options }) => options.has('ramp_time')))) return undefined;
  const read = sum(runs, ['read', ...(program === 'dd' ? ['copy' as const] : [])]);
  const write = sum(runs, ['write', ...(program === 'dd' ? ['copy' as const] : [])]);
  if (read === undefined && write === undefined) return undefined;
  const syncs = syncsOf(runs);
  const seconds = runs.length === 1 ? timedSecondsOf(runs) : undefined;
  return {
    ...(syncs === undefined ? {} : { syncs }),
    ...(seconds === undefined ? {} : { seconds }),
    ...(read === undefined ? {} : { read }),
    ...(write === undefined ? {} : { write }),
    by: `${program === ownRunner ? 'the probe' : program}'s own report`,
  };
}

/** How fast it says that it was; jobs side by side add up. */
export function rateIn(output: Uint8Array): BenchmarkRate | undefined {
  const { runs } = readOutput('its output', output);
  const [first] = runs;
  // Several runs one after the other have no one rate.
  if (first === undefined || runs.length > 1) return undefined;
  const of = (names: readonly SavedDirection['direction'][]) => {
    const parts = first.jobs
      .flatMap(({ directions }) => directions)
      .filter(({ direction }) => names.includes(direction));
    if (parts.length === 0) return undefined;
    const total = (values: readonly (number | undefined)[]) =>
      values.reduce<number | undefined>(
        (sum, each) => (sum === undefined || each === undefined ? undefined : sum + each),
        0,
      );
    const iops = total(parts.map((each) => each.iops?.value));
    const rate = total(parts.map((each) => each.bytesPerSecond?.value));
    return {
      ...(iops === undefined ? {} : { iops }),
      ...(rate === undefined ? {} : { bytesPerSecond: rate }),
    };
  };
  // fio's `mixed` (unified_rw_reporting) is of both, and the rate of neither.
  const [read, write] = [of(['read', ...(first.program === 'dd' ? ['copy' as const] : [])]), of(['write'])];
  const timedSeconds = timedSecondsOf(runs);
  return {
    program: programOf(first),
    ...(timedSeconds === undefined ? {} : { timedSeconds }),
    ...(read === undefined ? {} : { read }),
    ...(write === undefined ? {} : { write }),
  };
}

/** What was timed: jobs of one run are side by side. Undefined where one does not say. */
function timedSecondsOf(runs: readonly SavedRun[]): number | undefined {
  const times = runs
    .flatMap(({ jobs }) => jobs)
    .flatMap(({ directions }) => directions.map(({ runtimeMs }) => runtimeMs?.value));
  const known = times.filter((each) => each !== undefined);
  return known.length === 0 || known.length < times.length ? undefined : Math.max(...known) / 1000;
}

/** fio's own count, of jobs that have one. */
function syncsOf(runs: readonly SavedRun[]): Claimed['syncs'] {
  const syncs = runs.flatMap(({ jobs }) => jobs.flatMap(({ sync }) => (sync === undefined ? [] : [sync])));
  const counted = syncs.map(({ count, latency }) => {
    const calls = count?.value ?? latency?.count?.value;
    return {
      calls,
      ns: calls === 0 ? 0 : latency && calls !== undefined ? latency.mean.value * calls : undefined,
    };
  });
  let [calls, ns]: [number, number | undefined] = [0, 0];
  for (const each of counted) {
    if (each.calls === undefined) return undefined;
    calls += each.calls;
    ns = ns === undefined || each.ns === undefined ? undefined : ns + each.ns;
  }
  if (calls === 0) return undefined;
  return { calls, ...(ns === undefined ? {} : { ns: Math.round(ns) }) };
}

/** Of all jobs; undefined where one of them did not say. */
function sum(runs: readonly SavedRun[], names: readonly SavedDirection['direction'][]): Claim | undefined {
  const parts = runs.flatMap((run) =>
    run.jobs
      .flatMap(({ directions }) => directions)
      .filter(({ direction }) => names.includes(direction))
      .map((part) => ({ part, isExact: hasExactBytes(run) })),
  );
  const claims = parts.map(({ part, isExact }) => claimOf(part, isExact));
  if (claims.length === 0) return undefined;
  let [bytes, requests] = [0, 0];
  for (const claim of claims) {
    if (claim === undefined) return undefined;
    bytes += claim.bytes;
    requests += claim.requests;
  }
  return {
    bytes,
    requests,
    ...(parts.some(({ part }) => part.direction === 'copy') ? { isCopy: true } : {}),
  };
}

/** Text has its bytes in three digits: the number of requests times their one size is exact. */
function claimOf({ bytes, requests }: SavedDirection, isExact: boolean): Claim | undefined {
  if (bytes === undefined) return undefined;
  if (isExact || requests === undefined || requests.value === 0)
    return { bytes: bytes.value, requests: requests?.value ?? 0 };
  const sector = 512;
  const size = Math.round(bytes.value / requests.value / sector) * sector;
  const whole = size * requests.value;
  const isWhole = size > 0 && Math.abs(whole - bytes.value) <= 0.005 * bytes.value;
  return { bytes: isWhole ? whole : bytes.value, requests: requests.value };
}
