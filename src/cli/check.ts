import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Check } from '../model/check.ts';
import { KnownError } from '../model/error.ts';
import type { Result } from '../model/report.ts';
import { shellWord } from '../model/shell-word.ts';
import { exitStatusOf } from '../model/verdict.ts';
import { type CellOptions, runCell } from '../run/cell.ts';
import { loadChecks, ownChecksDir, pickChecks } from '../run/load-checks.ts';
import { makeReport } from '../run/report.ts';
import { makeWorkplace, type Workplace } from '../run/workplace.ts';
import type { Share } from '../share/share.ts';
import { benchFor } from './bench.ts';
import { environmentOf } from './environment.ts';
import { interruption } from './interruption.ts';
import { printReport } from './print.ts';
import { reachSides, type SideFlags, type Sides } from './sides.ts';
import { reportUnreached } from './unreached.ts';
import { packageVersion } from './version.ts';

interface CheckFlags extends SideFlags {
  readonly modes?: string;
  readonly seed?: string;
  readonly checks?: string;
  readonly bundle?: string;
  readonly json?: boolean;
}

/** `vfs-verify check [NAME…]`: runs checks in every mode asked for, and judges them by the contract. */
export async function check(names: readonly string[], flags: CheckFlags): Promise<void> {
  const started = Date.now();
  const seed = readSeed(flags.seed);
  const picked = pickChecks(await loadAll(flags.checks), names);
  const sides = await reachSides(flags).catch((error: unknown) => {
    const asked = picked.map((each) => ({ check: each.check.name }));
    reportUnreached(error, flags.json === true, { command: 'check', started, asked });
  });
  if (sides === undefined) return;
  const interrupted = interruption();
  const kept = flags.bundle ?? (await mkdtemp(path.join(tmpdir(), 'vfs-verify-')));
  const workplaces = new Map<string, Workplace>();
  try {
    const shares = sharesFor(flags.modes, sides.shares);
    const results: Result[] = [];
    for (const each of picked) {
      for (const share of shares) {
        if (interrupted.signal.aborted) break;
        const cell = await cellFor({
          ...each,
          share,
          sides,
          seed,
          kept,
          workplaces,
          signal: interrupted.signal,
        });
        const result = await runCell(each.check, benchFor(share, sides), cell);
        results.push({
          ...result,
          cases: result.cases.map((one) => ({
            ...one,
            rerun: rerun(each.check, one.name, share, sides.lab?.name, flags, seed),
          })),
          ...(flags.bundle === undefined ? {} : { bundle: cell.bundleDir }),
        });
        if (process.stderr.isTTY !== true && flags.json !== true)
          process.stderr.write(`${each.check.name} / ${result.mode}: ${result.verdict.kind}\n`);
      }
    }
    const report = makeReport(
      'check',
      packageVersion(),
      environmentOf(sides, { started, seed, shares }),
      results,
    );
    printReport(report, flags.json === true);
    process.exitCode = exitStatusOf(report.verdict);
  } finally {
    for (const each of workplaces.values()) {
      const left = await each.remove();
      if (left !== undefined) process.stderr.write(`vfs-verify: left behind: ${left}\n`);
    }
    interrupted.stop();
    if (flags.bundle === undefined) await rm(kept, { recursive: true, force: true });
    await sides.close();
  }
}

interface CellPlace {
  readonly check: Check;
  readonly only: string | undefined;
  readonly share: Share;
  readonly sides: Sides;
  readonly seed: number;
  readonly kept: string;
  /** One for each host directory: the modes of a lab share one. */
  readonly workplaces: Map<string, Workplace>;
  readonly signal: AbortSignal;
}

async function cellFor({
  check,
  only,
  share,
  sides,
  seed,
  kept,
  workplaces,
  signal,
}: CellPlace): Promise<CellOptions> {
  const known = workplaces.get(share.hostDir);
  const host = benchFor(share, sides).views.host;
  const workplace =
    known ?? (host === undefined ? undefined : await makeWorkplace(host).catch(unlessUnwritable));
  if (workplace !== undefined) workplaces.set(share.hostDir, workplace);
  return {
    bundleDir: path.join(kept, `${check.name}.${share.mode?.name ?? 'unknown'}`),
    seed,
    signal,
    ...(only === undefined ? {} : { only }),
    ...(workplace === undefined ? {} : { workplace }),
  };
}

/** A share that cannot be written to is a need that is not met, and said by each check that has it. */
function unlessUnwritable(error: unknown): undefined {
  if (error instanceof KnownError && error.code === 'not-writable') return undefined;
  throw error;
}

/** The package's own checks, and those of a folder of the user's. */
export async function loadAll(extra: string | undefined): ReturnType<typeof loadChecks> {
  const own = await loadChecks(ownChecksDir);
  return extra === undefined ? own : [...own, ...(await loadChecks(path.resolve(extra)))];
}

function sharesFor(modes: string | undefined, shares: readonly Share[]): readonly Share[] {
  if (modes === undefined) return shares;
  return modes.split(',').map((name) => {
    const found = shares.find(({ mode }) => mode?.name === name.trim());
    if (found === undefined) {
      const known = shares.map(({ mode }) => mode?.name ?? 'unknown').join(', ');
      throw new KnownError(
        'no-such-mode',
        `no share in mode "${name}" is known here`,
        `Known: ${known}. A lab brings modes up with: vfs-verify lab up --modes ${name}.`,
      );
    }
    return found;
  });
}

/** 32 bits, in hexadecimal. */
function readSeed(text: string | undefined): number {
  if (text === undefined) return randomBytes(4).readUInt32LE();
  if (!/^[0-9a-f]{1,8}$/i.test(text))
    throw new KnownError(
      'bad-flag',
      `--seed ${text} is no seed`,
      'A seed has 1 to 8 hexadecimal digits; a failure prints the one it used.',
    );
  return Number.parseInt(text, 16);
}

function rerun(
  check: Check,
  caseName: string,
  share: Share,
  lab: string | undefined,
  flags: CheckFlags,
  seed: number,
): string {
  const where =
    flags.guest === undefined
      ? [lab === 'default' ? '--lab' : `--lab=${lab}`]
      : [
          '--guest',
          flags.guest,
          ...(flags.host === 'local' ? [] : ['--host', flags.host]),
          ...(flags.map ?? []).flatMap((each) => ['--map', each]),
          ...(flags.mode === undefined ? [] : ['--mode', flags.mode]),
        ];
  const modes = flags.guest === undefined && share.mode !== undefined ? ['--modes', share.mode.name] : [];
  const checks = flags.checks === undefined ? [] : ['--checks', flags.checks];
  return [
    'vfs-verify',
    'check',
    `${check.name}/${caseName}`,
    ...where,
    ...modes,
    ...checks,
    '--seed',
    seed.toString(16),
  ]
    .map(shellWord)
    .join(' ');
}
