import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const prefix = 'vfs-probe-';

/** Where the built probes are: beside dist/src when this runs from dist, below dist when from src. */
function builtDirectory(): string | undefined {
  return [join(here, '..', '..', 'probe'), join(here, '..', '..', 'dist', 'probe')].find(existsSync);
}

const nativeDirectory = [join(here, 'native'), join(here, '..', '..', '..', 'src', 'probe', 'native')].find(
  existsSync,
);

/** The built probes: architecture (as `uname -m` says it) → file. */
export async function builtProbes(directory = builtDirectory()): Promise<ReadonlyMap<string, string>> {
  if (directory === undefined) return new Map();
  const names = await readdir(directory).catch(() => []);
  return new Map(
    names
      .filter((name) => name.startsWith(prefix))
      .map((name) => [name.slice(prefix.length), join(directory, name)]),
  );
}

/** This machine's architecture, as `uname -m` says it. */
export const localArch =
  process.arch === 'x64' ? 'x86_64' : process.arch === 'arm64' ? 'aarch64' : process.arch;

/**
 * Where a side may have the probe already (an image's builder put it there): a directory that only root can
 * write to, and in it the program by the digest of its bytes, so that another build is never taken for it.
 */
export const installedDirectory = '/usr/libexec/vfs-verify';

/** A program's name in `installedDirectory`. */
export function installedName(program: Uint8Array): string {
  return `${prefix}${createHash('sha256').update(program).digest('hex')}`;
}

/**
 * The probe's source as one file, with its own headers in it, for a machine that is to compile it.
 * Undefined where the package was installed without it.
 */
export async function probeSource(): Promise<string | undefined> {
  if (nativeDirectory === undefined) return undefined;
  const included = new Set<string>();
  const expand = async (name: string): Promise<string> => {
    if (included.has(name)) return '';
    included.add(name);
    const lines = (await readFile(join(nativeDirectory, name), 'utf8')).split('\n');
    const expanded = [];
    for (const line of lines) {
      const header = /^#include "([a-z-]+\.h)"$/.exec(line)?.[1];
      expanded.push(header === undefined ? line : await expand(header));
    }
    return expanded.join('\n');
  };
  return expand('vfs-probe.c');
}
