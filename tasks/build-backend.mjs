// Compiles the lab's own backend: dist/lab/vfs-lab-backend, static, for this machine alone, since a lab runs
// where it is; and the library that QEMU is given with it. Work that is up to date is not done again.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isEntry, main, run, TaskError } from './child.mjs';
import { root } from './lock.mjs';

const sources = join(root, 'src', 'lab', 'backend');
const flags = ['-std=gnu11', '-D_GNU_SOURCE', '-O2', '-s', '-Wall', '-Wextra', '-Werror'];
const programFlags = [...flags, '-static', '-D_FORTIFY_SOURCE=2', '-fstack-protector-strong'];
const libraryFlags = [...flags, '-shared', '-fPIC'];
const library = ['qemu/past-end.c', 'qemu/other-daemons.c'];

/** @param {readonly string[]} words @param {string} output */
async function compile(words, output) {
  const part = `${output}.part-${process.pid}`;
  try {
    const ended = await run(['gcc', ...words, '-o', part], { cwd: sources });
    if (ended.status === 127) {
      throw new TaskError(
        'gcc is not installed. "npm run setup" installs it, or: apt-get install gcc libc6-dev',
      );
    }
    if (ended.status !== 0) {
      throw new TaskError(`gcc could not compile the lab's backend:\n${ended.output.slice(-4000)}`);
    }
    renameSync(part, output);
  } finally {
    rmSync(part, { force: true });
  }
}

/**
 * Builds the backend, unless it is there already and up to date.
 * @param {{ outDir: string }} what
 * @returns {Promise<string>} the program's path
 */
export async function buildBackend({ outDir }) {
  const output = join(outDir, 'vfs-lab-backend');
  const stampFile = join(outDir, '.stamp-backend');
  const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
  const names = readdirSync(sources).filter((name) => /\.[ch]$/.test(name));
  const hash = createHash('sha256').update([version, ...programFlags, ...libraryFlags].join('\0'));
  for (const name of [...names.sort(), ...library]) {
    hash.update(`\0${name}\0`).update(readFileSync(join(sources, name)));
  }
  const stamp = hash.digest('hex');
  if (existsSync(output) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return output;
  mkdirSync(outDir, { recursive: true });
  rmSync(stampFile, { force: true });
  const define = `-DVFS_BACKEND_VERSION="${version}"`;
  await compile([...programFlags, define, ...names.filter((name) => name.endsWith('.c'))], output);
  await compile([...libraryFlags, ...library], join(outDir, 'qemu-past-end.so'));
  writeFileSync(stampFile, stamp);
  return output;
}

if (isEntry(import.meta.url)) {
  await main(async () => console.log(await buildBackend({ outDir: join(root, 'dist', 'lab') })));
}
