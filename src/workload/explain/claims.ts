import type { Claim, Claimed } from '../../ledger/program-samples.ts';
import type { BenchmarkRate } from '../../model/explain-evidence.ts';
import { readOutput } from '../read-output.ts';
import type { SavedDirection, SavedRun } from '../saved-run.ts';

/**
 * What a benchmark says that it read and wrote, from its own output; undefined where that is not there. dd does not
 * say from what to what: its figure is both, and stands where the program's counters agree with it.
 */
export function claimedIn(output: Uint8Array): Claimed | undefined {
  const { runs } = readOutput('its output', output);
  const programs = new Set(runs.map(({ program }) => program));
  const [program] = programs;
  if (program === undefined || programs.size > 1) return undefined;
  const read = sum(runs, ['read', ...(program === 'dd' ? ['copy' as const] : [])]);
  const write = sum(runs, ['write', ...(program === 'dd' ? ['copy' as const] : [])]);
  if (read === undefined && write === undefined) return undefined;
  return {
    ...(read === undefined ? {} : { read }),
    ...(write === undefined ? {} : { write }),
    by: `${program}'s own report`,
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
  const [read, write] = [of(['read', 'copy']), of(['write'])];
  return {
    program: first.program,
    ...(read === undefined ? {} : { read }),
    ...(write === undefined ? {} : { write }),
  };
}

/** Of all jobs; undefined where one of them did not say. */
function sum(runs: readonly SavedRun[], names: readonly SavedDirection['direction'][]): Claim | undefined {
  const parts = runs
    .flatMap(({ jobs }) => jobs)
    .flatMap(({ directions }) => directions.filter(({ direction }) => names.includes(direction)));
  const claims = parts.map(claimOf);
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
    ...(parts.some(({ direction }) => direction === 'copy') ? { isCopy: true } : {}),
  };
}

/** Text has its bytes in three digits: the number of requests times their one size is exact. */
function claimOf({ bytes, requests }: SavedDirection): Claim | undefined {
  if (bytes === undefined) return undefined;
  if (requests === undefined || requests.value === 0) return { bytes: bytes.value, requests: 0 };
  const sector = 512;
  const size = Math.round(bytes.value / requests.value / sector) * sector;
  const whole = size * requests.value;
  const isWhole = size > 0 && Math.abs(whole - bytes.value) <= 0.005 * bytes.value;
  return { bytes: isWhole ? whole : bytes.value, requests: requests.value };
}
