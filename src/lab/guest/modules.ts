import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { KnownError } from '../../model/error.ts';
import { treeProgram } from '../programs/tree.ts';

/** A module's name and its bytes, unpacked. */
export interface KernelModule {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * Modules with all that they depend on, in the order in which they are to be inserted. What the kernel has
 * built in is left out; so is what is not there at all, since a kernel of the user's own may be built
 * without modules. `modules.dep` is not used: it is made when a kernel is installed, which ours is not.
 * @param directory `…/lib/modules/VERSION`
 */
export async function modulesWithDependencies(
  treeRoot: string,
  directory: string,
  wanted: readonly string[],
): Promise<KernelModule[]> {
  const files = moduleFiles(directory);
  const builtIn = builtInModules(directory);
  const found = new Map<string, KernelModule>();
  const visiting = new Set<string>();
  const add = async (name: string): Promise<void> => {
    const file = files.get(name);
    if (builtIn.has(name) || found.has(name) || visiting.has(name) || file === undefined) return;
    visiting.add(name);
    const bytes = await moduleBytes(treeRoot, file);
    for (const dependency of moduleDependencies(bytes)) await add(dependency);
    found.set(name, { name, bytes });
  };
  for (const name of wanted) await add(name);
  return [...found.values()];
}

/** What a module says that it depends on, in its .modinfo section. */
export function moduleDependencies(bytes: Buffer): string[] {
  const at = bytes.indexOf('\0depends=');
  if (at < 0) return [];
  const from = at + '\0depends='.length;
  const names = bytes.toString('latin1', from, bytes.indexOf(0, from));
  return names.split(',').flatMap((name) => (name === '' ? [] : [moduleName(name)]));
}

/** Dashes and underscores are the same in a module's name. */
function moduleName(name: string): string {
  return basename(name)
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');
}

function moduleFiles(directory: string): Map<string, string> {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const modules = paths.filter((path) => /\.ko(\.(xz|zst|gz))?$/.test(path));
  return new Map(modules.map((path) => [moduleName(path), join(directory, path)]));
}

function builtInModules(directory: string): Set<string> {
  const file = join(directory, 'modules.builtin');
  return new Set(existsSync(file) ? readFileSync(file, 'utf8').split('\n').map(moduleName) : []);
}

async function moduleBytes(treeRoot: string, file: string): Promise<Buffer> {
  if (file.endsWith('.ko')) return readFileSync(file);
  const unpacker = { '.xz': 'usr/bin/xz', '.zst': 'usr/bin/zstd', '.gz': 'usr/bin/gzip' };
  const program = Object.entries(unpacker).find(([end]) => file.endsWith(end))?.[1] ?? '';
  return unpack(treeRoot, program, readFileSync(file), basename(file));
}

/**
 * What one of the tree's programs (xz, zstd) makes of these bytes.
 * @throws KnownError `bad-kernel`.
 */
export async function unpack(root: string, program: string, bytes: Buffer, what: string): Promise<Buffer> {
  const [loader = '', ...words] = treeProgram(root, program);
  const ended = await execa(loader, [...words, '-dc'], {
    input: bytes,
    encoding: 'buffer',
    maxBuffer: 512 * 1024 * 1024,
    timeout: 30_000,
    reject: false,
  });
  if (ended.failed) {
    throw new KnownError('bad-kernel', `${what} cannot be unpacked`, 'Check that the file is whole.', {
      detail: Buffer.from(ended.stderr ?? []).toString('utf8'),
    });
  }
  return Buffer.from(ended.stdout);
}
