import path from 'node:path';
import { drop as dropCheck } from '../../checks/ledger/drop.ts';
import type { LookArgs } from '../../checks/ledger/look.ts';
import { residency as residencyCheck } from '../../checks/ledger/residency.ts';
import type { Check } from '../model/check.ts';
import { KnownError } from '../model/error.ts';
import type { Report, Result } from '../model/report.ts';
import { runCell } from '../run/cell.ts';
import { makeReport } from '../run/report.ts';
import type { LocatedPath } from '../share/share.ts';
import { benchFor } from './bench.ts';
import { environmentOf } from './environment.ts';
import { checkPaths, locate } from './locate.ts';
import { parseTimeout } from './quantities.ts';
import type { Sides } from './sides.ts';
import { packageVersion } from './version.ts';
import { type AskFlags, withSides } from './with-sides.ts';

/** The flags that `residency` and `drop` share (program.ts). */
export interface CacheFlags extends AskFlags {
  readonly side: string;
  readonly timeout: string;
}

/** `vfs-verify residency PATH…`: how much of each file each side's page cache holds. */
export async function residency(paths: readonly string[], flags: CacheFlags): Promise<void> {
  await runOnPaths('residency', residencyCheck, paths, flags, {});
}

/** `vfs-verify drop PATH… | --system-wide`: evicts files, or everything, and says what was dropped. */
export async function drop(
  paths: readonly string[],
  flags: CacheFlags & { readonly systemWide?: boolean },
): Promise<void> {
  const systemWide = flags.systemWide === true;
  if (systemWide === paths.length > 0)
    throw new KnownError(
      'bad-flag',
      systemWide ? '--system-wide drops everything: it takes no path' : 'nothing to drop is named',
      'Name a file as the guest sees it, or --system-wide for everything of everybody.',
    );
  await runOnPaths('drop', dropCheck, paths, flags, { systemWide });
}

async function runOnPaths(
  command: Report['command'],
  check: Check,
  paths: readonly string[],
  flags: CacheFlags,
  more: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { side } = flags;
  if (side !== 'guest' && side !== 'host' && side !== 'both')
    throw new KnownError('bad-flag', `--side ${side} is not known`, 'Use guest, host or both.');
  const timeoutMs = parseTimeout(flags.timeout);
  checkPaths(paths);
  const asked = paths.map((each) => ({ check: check.name, path: each }));
  await withSides(command, flags, asked, async ({ sides, evidence, signal, started }) => {
    const results: Result[] = [];
    const located = paths.length === 0 ? [anyShare(sides)] : [];
    for (const each of paths) {
      const found = await locate(each, timeoutMs, sides);
      if ('kind' in found)
        results.push({
          check: check.name,
          path: each,
          mode: 'unknown',
          verdict: found,
          cases: [],
          durationMs: 0,
        });
      else located.push(found);
    }
    for (const [index, found] of located.entries()) {
      const bundleDir = located.length === 1 ? evidence : path.join(evidence, String(index + 1));
      const args: LookArgs = { guestPath: found.guestPath, hostPath: found.hostPath, side, timeoutMs };
      const result = await runCell(check, benchFor(found.share, sides), {
        bundleDir,
        seed: 0,
        args: { ...args, ...more },
        signal,
      });
      results.push({
        ...result,
        ...(paths.length === 0 ? {} : { path: found.guestPath }),
        ...(flags.bundle === undefined ? {} : { bundle: bundleDir }),
      });
    }
    const environment = environmentOf(sides, { started, seed: 0 });
    return { report: makeReport(command, packageVersion(), environment, results) };
  });
}

/** A drop of everything is of no share; its bench is any. */
function anyShare({ shares }: Sides): LocatedPath {
  const [share] = shares;
  if (share === undefined)
    throw new KnownError(
      'no-map',
      'no share is known',
      'Say which directories are one: --map GUESTDIR=HOSTDIR.',
    );
  return { share, guestPath: share.guestDir, hostPath: share.hostDir };
}
