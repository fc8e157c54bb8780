import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { LabInfo } from '../../src/lab/info.ts';
import { findPrograms } from '../../src/lab/programs/programs.ts';
import { parseMode } from '../../src/model/mode.ts';
import { upLab } from './cli.ts';

/** How the shim in shims/lie.c can make a daemon lie. */
export type Lie =
  | 'drop-write'
  | 'drop-all'
  | 'shift-write'
  | 'whole-page'
  | 'flip-read'
  | 'old-read'
  | 'nul-tail'
  | 'old-size'
  | 'keep-cut'
  | 'no-data'
  | 'keep-punched'
  | 'empty-copy';

/**
 * Brings a lab up whose daemons lie: a script that puts the shim before the lab's own virtiofsd, given as
 * `--virtiofsd` as a build under test would be.
 * @param directory where the shim and the script go.
 * @param honest a lab that is up, for the daemon's own command line.
 */
export async function upLyingLab(
  name: string,
  lie: Lie,
  directory: string,
  honest: LabInfo,
  ...flags: readonly string[]
): Promise<LabInfo> {
  const argv = await lyingArgv(directory, honest.programs.virtiofsd?.argv ?? []);
  const script = path.join(directory, `virtiofsd-${lie}`);
  await writeFile(script, `#!/bin/sh\nLIE=${lie} exec ${argv} "$@"\n`, { mode: 0o755 });
  return upLab(name, '--virtiofsd', script, ...flags);
}

/**
 * Writes one daemon that lies in many ways, a way for each mode (`cache-always`: that policy in the place of the
 * one it was told, so that attributes and pages are kept for a day): the size of its thread pool, which changes
 * nothing that a guest could see, tells which. `lyingMode('never', 'old-read')` is the mode that is served so.
 */
export async function writeManyLiars(script: string, directory: string): Promise<void> {
  const { virtiofsd } = await findPrograms({ modes: [], optional: [] }, () => {});
  const argv = await lyingArgv(directory, virtiofsd.argv);
  const branches = lies.map((lie) => {
    // The last of several policies counts.
    const more = lie === 'cache-always' ? ' --cache=always' : '';
    return `  *--${poolOf(lie)}*) LIE=${lie} exec ${argv} "$@"${more} ;;`;
  });
  const text = `#!/bin/sh\ncase "$*" in\n${branches.join('\n')}\n  *) exec ${argv} "$@" ;;\nesac\n`;
  await writeFile(script, text, { mode: 0o755 });
}

/** The mode of `policy` in which a lab with that daemon lies so. */
export function lyingMode(policy: string, lie: Lie | 'cache-always'): string {
  return parseMode(`${policy}+${poolOf(lie)}`).name;
}

const lies: readonly (Lie | 'cache-always')[] = [
  'drop-all',
  'shift-write',
  'whole-page',
  'flip-read',
  'old-read',
  'nul-tail',
  'old-size',
  'keep-cut',
  'no-data',
  'keep-punched',
  'empty-copy',
  'cache-always',
];

/** Two digits, so that none begins with another. */
function poolOf(lie: Lie | 'cache-always'): string {
  return `thread-pool-size=${10 + lies.indexOf(lie)}`;
}

/** The lab's own virtiofsd with the shim before it, as words of a shell script. */
async function lyingArgv(directory: string, daemon: readonly string[]): Promise<string> {
  const shim = path.join(directory, 'lie.so');
  const source = fileURLToPath(new URL('shims/lie.c', import.meta.url));
  await execa('cc', ['-O2', '-shared', '-fPIC', '-o', shim, source, '-ldl']);
  // The loader itself must not be given the library: it preloads for the program that it loads.
  const [loader = '', ...rest] = daemon;
  return [loader, '--preload', shim, ...rest].map((word) => `'${word}'`).join(' ');
}
