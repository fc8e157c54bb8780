import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { LabInfo } from '../../src/lab/info.ts';
import { upLab } from './cli.ts';

/** How the shim in shims/lie.c can make a daemon lie. */
export type Lie = 'drop-write' | 'flip-read';

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
  const shim = path.join(directory, 'lie.so');
  await execa('cc', [
    '-O2',
    '-shared',
    '-fPIC',
    '-o',
    shim,
    fileURLToPath(new URL('shims/lie.c', import.meta.url)),
    '-ldl',
  ]);
  const argv = honest.programs.virtiofsd?.argv ?? [];
  // The loader itself must not be given the library: it preloads for the program that it loads.
  const [loader = '', ...rest] = argv;
  const quoted = [loader, '--preload', shim, ...rest].map((word) => `'${word}'`).join(' ');
  const script = path.join(directory, `virtiofsd-${lie}`);
  await writeFile(script, `#!/bin/sh\nLIE=${lie} exec ${quoted} "$@"\n`, { mode: 0o755 });
  return upLab(name, '--virtiofsd', script, ...flags);
}
