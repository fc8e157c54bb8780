import { randomInt } from 'node:crypto';
import type { ReadsArgs } from '../../checks/ledger/arguments.ts';
import { reads as readsCheck } from '../../checks/ledger/reads.ts';
import { KnownError } from '../model/error.ts';
import type { Result } from '../model/report.ts';
import { runCell } from '../run/cell.ts';
import { makeReport } from '../run/report.ts';
import { benchFor } from './bench.ts';
import { environmentOf } from './environment.ts';
import { checkPaths, locate } from './locate.ts';
import { monitorsOf } from './monitor.ts';
import { showProgress } from './progress.ts';
import { parseBytes, parseCount, parseTimeout } from './quantities.ts';
import type { Sides } from './sides.ts';
import { packageVersion } from './version.ts';
import { type AskFlags, withSides } from './with-sides.ts';

/** The flags of `reads` (program.ts). */
export interface ReadsFlags extends AskFlags {
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
  readonly calibrate?: boolean;
  readonly timeout: string;
}

type Question = Omit<ReadsArgs, 'guestPath' | 'hostPath'>;

/** `vfs-verify reads PATH`: reads the file in the guest as told, and prints where every byte came from. */
export async function reads(given: string, flags: ReadsFlags): Promise<void> {
  checkPaths([given]);
  const question = readFlags(flags);
  await withSides('reads', flags, [{ check: 'reads', path: given }], async (asking) => {
    const { sides, evidence, signal, started } = asking;
    const progress = showProgress(process.stderr, flags.json === true);
    try {
      const result = await readAndAccount(given, question, sides, {
        bundleDir: evidence,
        onEvent: progress.onEvent,
        signal,
      });
      const environment = environmentOf(sides, { started, seed: question.seed });
      const kept = flags.bundle === undefined ? {} : { bundle: evidence };
      return { report: makeReport('reads', packageVersion(), environment, [{ ...result, ...kept }]) };
    } finally {
      progress.end();
    }
  });
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
  const monitors = monitorsOf(sides);
  try {
    const args: ReadsArgs = { ...question, guestPath, hostPath };
    const bench = benchFor(share, sides, monitors.usedIndexOf(share));
    const result = await runCell(readsCheck, bench, { ...options, seed: question.seed, args: { ...args } });
    return { ...result, path: given };
  } finally {
    monitors.close();
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
    calibrate: flags.calibrate === true,
    timeoutMs: parseTimeout(flags.timeout),
  };
}
