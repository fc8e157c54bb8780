// Compiles the probe: one static program for each architecture, dist/probe/vfs-probe-ARCH. Work that is up to
// date is not done again. The libraries for the architecture that is not this machine's are unpacked into a
// cache of our own; the machine's dpkg is told of no new architecture.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isEntry, main, run, TaskError } from './child.mjs';
import { readFlags } from './flags.mjs';
import { root } from './lock.mjs';

const sources = join(root, 'src', 'probe', 'native');
const flags = [
  '-std=gnu11',
  '-O2',
  '-static',
  '-pthread',
  '-s',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-D_FORTIFY_SOURCE=2',
  '-fstack-protector-strong',
  '-ffunction-sections',
  '-fdata-sections',
  '-Wl,--gc-sections',
];
const nativeArchitecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
const debianArchitectures = { x86_64: 'amd64', aarch64: 'arm64' };
/** How long an index or a package may take to arrive. */
const aptMinutes = 5;

/** @typedef {keyof typeof debianArchitectures} Architecture */

/** @param {Architecture} arch */
function stampOf(arch) {
  const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
  const hash = createHash('sha256').update(`${arch}\0${version}\0${flags.join('\0')}\0`);
  for (const name of readdirSync(sources).sort()) {
    const bytes = readFileSync(join(sources, name));
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return { stamp: hash.digest('hex'), version };
}

function cacheDirectory() {
  const cache = process.env.XDG_CACHE_HOME?.startsWith('/')
    ? process.env.XDG_CACHE_HOME
    : join(homedir(), '.cache');
  return join(cache, 'vfs-verify', 'probe-libraries');
}

/**
 * Removes what builds that were killed have left; a running one's name ends in its pid.
 * @param {string} directory
 */
function removeAbandoned(directory) {
  for (const name of readdirSync(directory)) {
    const pid = /\.part-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) {
      rmSync(join(directory, name), { recursive: true, force: true });
    }
  }
}

/** @param {readonly string[]} argv @param {string} cwd */
async function mustRun(argv, cwd) {
  const ended = await run(['timeout', `${aptMinutes}m`, ...argv], { cwd });
  if (ended.status !== 0) {
    throw new TaskError(`${argv[0]} ended with ${ended.status}:\n${ended.output.slice(-1500)}`);
  }
}

/**
 * The tree with libcrypto and xxHash for an architecture that is not this machine's, made once.
 * @param {Architecture} arch
 */
async function foreignLibraries(arch) {
  const debian = debianArchitectures[arch];
  const system = existsSync('/etc/os-release') ? readFileSync('/etc/os-release') : '';
  const key = createHash('sha256').update(system).digest('hex').slice(0, 12);
  const cache = cacheDirectory();
  const tree = join(cache, `${arch}-${key}`);
  if (existsSync(tree)) return tree;
  mkdirSync(cache, { recursive: true });
  removeAbandoned(cache);
  const part = mkdtempSync(join(cache, `${arch}.part-${process.pid}-`));
  try {
    const fresh = join(part, 'tree');
    for (const name of ['lists/partial', 'archives/partial', 'tree']) {
      mkdirSync(join(part, name), { recursive: true });
    }
    writeFileSync(join(part, 'status'), '');
    // The machine's own sources and keys, everything else in our own folder.
    const apt = [
      'apt-get',
      '-qq',
      ...['-o', `APT::Architecture=${debian}`, '-o', `APT::Architectures::=${debian}`],
      ...['-o', `Dir::State=${part}`, '-o', `Dir::State::status=${join(part, 'status')}`],
      ...['-o', `Dir::State::lists=${join(part, 'lists')}`, '-o', `Dir::Cache=${part}`],
      ...['-o', 'Dir::Cache::pkgcache=', '-o', 'Dir::Cache::srcpkgcache='],
      ...['-o', 'Acquire::Languages=none'],
      // The unprivileged user that apt would fetch as may not enter this folder.
      ...['-o', 'APT::Sandbox::User='],
    ];
    // A source that has no such architecture fails here and does not matter: the download tells.
    const updated = await run(['timeout', `${aptMinutes}m`, ...apt, 'update'], { cwd: part });
    try {
      await mustRun([...apt, 'download', `libssl-dev:${debian}`, `libxxhash-dev:${debian}`], part);
    } catch (error) {
      if (error instanceof TaskError) error.message += updated.output.slice(-1500);
      throw error;
    }
    for (const name of readdirSync(part).filter((each) => each.endsWith('.deb'))) {
      await mustRun(['dpkg-deb', '-x', name, fresh], part);
    }
    try {
      renameSync(fresh, tree);
    } catch (error) {
      // Another checkout was faster, with the same packages.
      if (!existsSync(tree)) throw error;
    }
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return tree;
}

/** @param {Architecture} arch @returns {Promise<string[]>} compiler and the options that are this architecture's own */
async function compilerFor(arch) {
  if (arch === nativeArchitecture) return ['gcc'];
  const tree = await foreignLibraries(arch);
  return [
    `${arch}-linux-gnu-gcc`,
    `-I${join(tree, 'usr/include')}`,
    `-I${join(tree, `usr/include/${arch}-linux-gnu`)}`,
    `-L${join(tree, `usr/lib/${arch}-linux-gnu`)}`,
  ];
}

/** @param {Architecture} arch @param {string} output @param {string} version */
async function compile(arch, output, version) {
  const [compiler = '', ...options] = await compilerFor(arch);
  const define = `-DVFS_PROBE_VERSION="${version}"`;
  const argv = [compiler, ...flags, ...options, define, '-o', output, 'vfs-probe.c', '-lcrypto', '-lm'];
  const ended = await run(argv, { cwd: sources });
  if (ended.status === 127) {
    throw new TaskError(
      `${compiler} is not installed. "npm run setup" installs it, or: apt-get install ` +
        (arch === nativeArchitecture
          ? 'gcc libc6-dev libssl-dev libxxhash-dev'
          : `gcc-${arch}-linux-gnu libc6-dev-${debianArchitectures[arch]}-cross`),
    );
  }
  if (ended.status !== 0)
    throw new TaskError(`${compiler} could not compile the probe:\n${ended.output.slice(-4000)}`);
}

/**
 * Builds the probe for one architecture, unless it is there already and up to date.
 * @param {{ arch: string, outDir: string }} what
 * @returns {Promise<string | undefined>} the program's path; undefined where this machine cannot build it
 *   (an architecture that is not its own: a warning says why)
 */
export async function buildProbe({ arch, outDir }) {
  if (arch !== 'x86_64' && arch !== 'aarch64') throw new TaskError(`The probe is not built for ${arch}.`);
  const output = join(outDir, `vfs-probe-${arch}`);
  const stampFile = join(outDir, `.stamp-${arch}`);
  const { stamp, version } = stampOf(arch);
  if (existsSync(output) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return output;
  mkdirSync(outDir, { recursive: true });
  removeAbandoned(outDir);
  const part = mkdtempSync(join(outDir, `${arch}.part-${process.pid}-`));
  try {
    await compile(arch, join(part, 'probe'), version);
    rmSync(stampFile, { force: true });
    renameSync(join(part, 'probe'), output);
    writeFileSync(join(part, 'stamp'), stamp);
    renameSync(join(part, 'stamp'), stampFile);
  } catch (error) {
    if (arch === nativeArchitecture || !(error instanceof TaskError)) throw error;
    console.error(
      `warning: no probe for ${arch} guests was built; everything else works.\n${error.message.trimEnd()}`,
    );
    return undefined;
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  return output;
}

if (isEntry(import.meta.url)) {
  await main(async () => {
    const usage = 'node tasks/build-probe.mjs [--arch x86_64|aarch64]...';
    const { values } = readFlags(usage, { options: { arch: { type: 'string', multiple: true } } });
    for (const arch of values.arch ?? [nativeArchitecture]) {
      const path = await buildProbe({ arch, outDir: join(root, 'dist', 'probe') });
      if (path !== undefined) console.log(path);
    }
  });
}
