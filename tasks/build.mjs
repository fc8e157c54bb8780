// Compiles src and checks to dist, copies what the compiler leaves out, and builds the C programs. Work that is
// up to date is not done again. dist changes file by file, each in one rename, so that a program that runs
// from it meanwhile always finds whole files.
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { buildBackend } from './build-backend.mjs';
import { buildProbe } from './build-probe.mjs';
import { isEntry, main, run, TaskError } from './child.mjs';
import { readFlags } from './flags.mjs';
import { root, withLock } from './lock.mjs';

const dist = join(root, 'dist');
const stampFile = join(dist, '.stamp');
/** Compiled to folders of the same names below dist. */
const sourceFolders = ['src', 'checks'];
const settings = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json', 'tasks/build.mjs'];

/** @param {string} path */
function isAsset(path) {
  return /^src\/(report|config)\/[a-z]+\.schema\.json$/.test(path) || /^checks\/.*\.md$/.test(path);
}

/**
 * Files below a folder, as paths relative to `base`, sorted.
 * @param {string} base
 * @param {string} folder
 */
function filesBelow(base, folder) {
  if (!existsSync(join(base, folder))) return [];
  return readdirSync(join(base, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(base.length + 1))
    .sort();
}

function sourceFiles() {
  const files = sourceFolders.flatMap((folder) => filesBelow(root, folder));
  return files.filter((path) => /\.tsx?$/.test(path) || isAsset(path));
}

/** Changes when anything does that dist is made from. */
function stampOf() {
  const hash = createHash('sha256');
  for (const path of [...settings, ...sourceFiles()]) {
    const bytes = readFileSync(join(root, path));
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}

/** @param {string} stamp */
function isBuilt(stamp) {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp;
}

/**
 * Makes the compiled folders of dist equal to those of `fresh`.
 * @param {string} fresh
 */
function moveIntoPlace(fresh) {
  const made = new Set(sourceFolders.flatMap((folder) => filesBelow(fresh, folder)));
  for (const path of made) {
    const target = join(dist, path);
    if (existsSync(target) && readFileSync(target).equals(readFileSync(join(fresh, path)))) continue;
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(fresh, path), target);
  }
  for (const path of sourceFolders.flatMap((folder) => filesBelow(dist, folder))) {
    if (!made.has(path)) rmSync(join(dist, path), { force: true });
  }
}

/** vfs-verify(1), from the help of the program that has just been compiled. */
async function writeManual() {
  const { manual } = await import(join(dist, 'src', 'cli', 'manual', 'describe.js'));
  mkdirSync(join(dist, 'man'), { recursive: true });
  writeFileSync(join(dist, 'man', 'vfs-verify.1'), manual());
}

/** Brings the compiled TypeScript in dist up to date, and the manual with it. */
export async function compile() {
  if (isBuilt(stampOf())) return;
  await withLock('compile', async () => {
    const stamp = stampOf();
    if (isBuilt(stamp)) return;
    const fresh = join(dist, '.fresh');
    rmSync(fresh, { recursive: true, force: true });
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const ended = await run([process.execPath, compiler, '-p', 'tsconfig.build.json', '--outDir', fresh], {
      cwd: root,
    });
    if (ended.status !== 0) throw new TaskError(`tsc -p tsconfig.build.json failed:\n${ended.output}`);
    for (const path of sourceFiles().filter(isAsset)) cpSync(join(root, path), join(fresh, path));
    moveIntoPlace(fresh);
    await writeManual();
    rmSync(fresh, { recursive: true, force: true });
    writeFileSync(stampFile, stamp);
  });
}

/**
 * Brings the probes in dist up to date.
 * @param {readonly string[]} architectures
 */
export async function buildProbes(architectures) {
  await withLock('probe', async () => {
    for (const arch of architectures) await buildProbe({ arch, outDir: join(dist, 'probe') });
  });
}

/** Brings the lab's own backend in dist up to date. */
async function buildLabBackend() {
  // A lab's guest is an x86_64 one.
  if (nativeArchitecture !== 'x86_64') return;
  await withLock('backend', () => buildBackend({ outDir: join(dist, 'lab') }));
}

/** The probe's architectures that can be built on this kind of machine, its own first. */
export const nativeArchitecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
const everyArchitecture = nativeArchitecture === 'x86_64' ? ['x86_64', 'aarch64'] : [nativeArchitecture];

/**
 * Brings dist up to date.
 * @param {{ architectures?: readonly string[] }} [what]
 */
export async function build(what = {}) {
  // The compilers are one core each.
  const programs = (async () => {
    await buildProbes(what.architectures ?? everyArchitecture);
    await buildLabBackend();
  })();
  const ended = await Promise.allSettled([compile(), programs]);
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
}

if (isEntry(import.meta.url)) {
  await main(async () => {
    const usage =
      'npm run build -- [--arch x86_64|aarch64]...   (of the probe; without it: all that can be built here)';
    const { values } = readFlags(usage, { options: { arch: { type: 'string', multiple: true } } });
    await build(values.arch === undefined ? {} : { architectures: values.arch });
  });
}
