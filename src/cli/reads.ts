import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ReadsArgs } from '../../checks/ledger/arguments.ts';
import { reads as readsCheck } from '../../checks/ledger/reads.ts';
import { KnownError } from '../model/error.ts';
import type { Result } from '../model/report.ts';
import { exitStatusOf } from '../model/verdict.ts';
import { runCell } from '../run/cell.ts';
import { makeReport } from '../run/report.ts';
import { benchFor } from './bench.ts';
import { environmentOf } from './environment.ts';
import { interruption } from './interruption.ts';
import { checkPaths, locate } from './locate.ts';
import { monitorOf } from './monitor.ts';
import { printReport } from './print.ts';
import { showProgress } from './progress.ts';
import { parseBytes, parseCount, parseTimeout } from './quantities.ts';
import { reachSides, type SideFlags, type Sides } from './sides.ts';
import { packageVersion } from './version.ts';

/** The flags of `reads` (main.ts). */
export interface ReadsFlags extends SideFlags {
  readonly bs: string;
  readonly order: string;
  readonly count?: string;
  readonly seed?: string;
  readonly direct?: boolean;
  readonly mmap?: boolean;
  readonly times: string;
  readonly reopen?: boolean;
  readonly readahead: boolean;
  readonly drop: string;
  readonly systemWide?: boolean;
  readonly timeout: string;
  readonly bundle?: string;
  readonly json?: boolean;
}

type Question = Omit<ReadsArgs, 'guestPath' | 'hostPath'>;

/** `vfs-verify reads PATH`: reads the file in the guest as told, and prints where every byte came from. */
export async function reads(given: string, flags: ReadsFlags): Promise<void> {
  const started = Date.now();
  checkPaths([given]);
  const question = readFlags(flags);
  const sides = await reachSides(flags);
  const interrupted = interruption();
  const kept = flags.bundle ?? (await mkdtemp(path.join(tmpdir(), 'vfs-verify-')));
  const progress = showProgress(process.stderr, flags.json === true);
  try {
    const result = await readAndAccount(given, question, sides, {
      bundleDir: kept,
      onEvent: progress.onEvent,
      signal: interrupted.signal,
    });
    progress.end();
    const report = makeReport(
      'reads',
      packageVersion(),
      environmentOf(sides, { started, seed: question.seed }),
      [{ ...result, ...(flags.bundle === undefined ? {} : { bundle: kept }) }],
    );
    printReport(report, flags.json === true);
    process.exitCode = exitStatusOf(report.verdict);
  } finally {
    progress.end();
    interrupted.stop();
    if (flags.bundle === undefined) await rm(kept, { recursive: true, force: true });
    await sides.close();
  }
}

async function readAndAccount(
  given: string,
  question: Question,
  sides: Sides,
  options: Pick<Parameters<typeof runCell>[2], 'bundleDir' | 'onEvent' | 'signal'>,
): Promise<Result> {
  const located = await locate(given, question.timeoutMs, sides);
  if ('kind' in located)
    return { check: 'reads', path: given, mode: 'unknown', verdict: located, cases: [], durationMs: 0 };
  const { share, guestPath, hostPath } = located;
  const monitor = monitorOf(share, sides);
  try {
    const args: ReadsArgs = { ...question, guestPath, hostPath };
    const bench = benchFor(share, sides, monitor.usedIndex);
    const result = await runCell(readsCheck, bench, { ...options, seed: question.seed, args: { ...args } });
    return { ...result, path: given };
  } finally {
    monitor.close();
  }
}

function readFlags(flags: ReadsFlags): Question {
  const { order, drop, seed } = flags;
  if (order !== 'seq' && order !== 'random')
    throw new KnownError('bad-flag', `--order ${order} is not known`, 'Use seq or random.');
  if (drop !== 'none' && drop !== 'guest' && drop !== 'host' && drop !== 'both')
    throw new KnownError('bad-flag', `--drop ${drop} is not known`, 'Use none, guest, host or both.');
  if (flags.systemWide === true && drop === 'none')
    throw new KnownError('bad-flag', '--system-wide drops nothing without --drop', 'Add --drop both.');
  if (flags.direct === true && flags.mmap === true)
    throw new KnownError('bad-flag', '--direct and --mmap exclude each other', 'Choose one of them.');
  if (seed !== undefined && !/^[0-9a-f]{1,8}$/i.test(seed))
    throw new KnownError('bad-flag', `--seed ${seed} is no seed`, 'A seed has 1 to 8 hexadecimal digits.');
  return {
    order,
    block: parseBytes('--bs', flags.bs, 64 * 1024 * 1024),
    ...(flags.count === undefined ? {} : { count: parseCount('--count', flags.count, 1e9) }),
    seed: seed === undefined ? randomInt(2 ** 32) : Number.parseInt(seed, 16),
    direct: flags.direct === true,
    mapped: flags.mmap === true,
    passes: parseCount('--times', flags.times, 1000),
    reopen: flags.reopen === true,
    readahead: flags.readahead,
    drop,
    systemWide: flags.systemWide === true,
    timeoutMs: parseTimeout(flags.timeout),
  };
}
