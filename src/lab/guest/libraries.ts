import { readFileSync } from 'node:fs';
import { execa } from 'execa';
import { treeProgram } from '../programs/tree.ts';
import type { CpioEntry } from './cpio.ts';

/**
 * Programs of the tree with every library that they need, at the places that they have in the tree (where
 * the guest's loader looks for them).
 * @param except paths that the guest has already.
 */
export async function programsWithLibraries(
  root: string,
  programs: readonly string[],
  except: readonly CpioEntry[] = [],
): Promise<CpioEntry[]> {
  const paths = new Set(programs);
  for (const program of programs) {
    const [loader = '', ...words] = treeProgram(root, program);
    const { stdout } = await execa(loader, ['--list', ...words], { timeout: 10_000 });
    for (const line of stdout.split('\n')) {
      // `libz.so.1 => /tree/usr/lib/…/libz.so.1 (0x…)`, and the loader itself without an arrow.
      const path = /(?:=> |^\s*)(\/\S+) \(0x/.exec(line)?.[1];
      if (path?.startsWith(`${root}/`)) paths.add(path.slice(root.length + 1));
    }
  }
  paths.add('usr/lib64/ld-linux-x86-64.so.2');
  const there = new Set(except.map(({ path }) => path));
  return [...paths]
    .filter((path) => !there.has(path))
    .map((path) => ({ path, file: readFileSync(`${root}/${path}`), mode: 0o755 }));
}
