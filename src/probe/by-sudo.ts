import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { bySudo, requireSudo, startsBySudo } from '../endpoint/sudo.ts';
import { builtProbes, installedDirectory, installedName } from './binaries.ts';
import { serveBy, startProbe } from './install.ts';
import type { ProbeSession } from './session.ts';

/** How a probe is started that does nothing but what takes root. */
export function privilegedCommand(program: string): readonly string[] {
  return [program, 'privileged'];
}

/**
 * Finds out how sudo lets root's deeds be done: by one program that does nothing else, or, where its rules allow
 * anything, by a probe of root's.
 * @param arch the side's, as its own probe says it.
 * @returns what starts it, which throws as `startProbe` does.
 * @throws KnownError `sudo-refused`
 */
export async function probeBySudo(endpoint: Endpoint, arch: string): Promise<() => Promise<ProbeSession>> {
  const root = bySudo(endpoint);
  for (const program of await privilegedPrograms(endpoint, arch)) {
    const command = privilegedCommand(program);
    if (await startsBySudo(endpoint, command)) return () => serveBy(root, command);
  }
  await requireSudo(endpoint);
  return () => startProbe(root);
}

/**
 * The probe of that architecture where it may be already: where only root can write, and, on this machine, where it
 * was built. Another architecture's is never started: sudo takes what it cannot execute for a script.
 */
async function privilegedPrograms(endpoint: Endpoint, arch: string): Promise<readonly string[]> {
  const built = (await builtProbes()).get(arch);
  if (built === undefined) return [];
  return [await installedPath(built), ...(endpoint.kind === 'local' ? [built] : [])];
}

/** Where a built probe is, once root has put it where only root can write. */
export async function installedPath(built: string): Promise<string> {
  return path.join(installedDirectory, installedName(await readFile(built)));
}
