import { localEndpoint } from '../endpoint/local.ts';
import { KnownError } from '../model/error.ts';
import { reportSchemaId } from '../model/report.ts';
import { builtProbes } from '../probe/binaries.ts';
import { packageVersion } from './version.ts';

const askMs = 10_000;

/** `vfs-verify --version`: of the program, of the probe as it says itself, and of the report's schema. */
export async function printVersions(): Promise<void> {
  const lines = [
    `vfs-verify  ${packageVersion()}`,
    `probe       ${await probeInWords()}`,
    `report      ${reportSchemaId}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** `0.1.0 (x86_64, protocol 1); also for aarch64`: one for another machine cannot be asked here. */
async function probeInWords(): Promise<string> {
  const said: string[] = [];
  const others: string[] = [];
  for (const [arch, file] of await builtProbes()) {
    const words = await versionOf(file);
    if (words === undefined) others.push(arch);
    else said.push(words);
  }
  const forOthers = others.length === 0 ? [] : [`also for ${others.sort().join(', ')}`];
  return said.length + others.length === 0 ? 'not built' : [...said, ...forOthers].join('; ');
}

/** What a built probe says of itself; undefined for one that this machine cannot run. */
async function versionOf(file: string): Promise<string | undefined> {
  try {
    const { status, stdout } = await localEndpoint().exec([file, '--version'], { timeoutMs: askMs });
    return status === 0 ? stdout.trim().replace(/^vfs-probe /, '') : undefined;
  } catch (error) {
    if (error instanceof KnownError) return undefined;
    throw error;
  }
}
