import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { KnownError } from '../../model/error.ts';
import { requireSpace, sayingDiskFull } from '../disk.ts';
import { type Making, makeOnce } from '../make-once.ts';
import { cacheDirectory } from '../places.ts';
import { type OnProgress, timed } from '../progress.ts';
import { debianMirror } from './apt-sources.ts';
import { recipe, recipeKey, treeBytes } from './recipe.ts';
import { versionOf } from './version.ts';

/** Programs of a newer Debian, unpacked: none of them is installed, and none can run without its loader. */
export interface ProgramTree {
  readonly root: string;
  readonly versions: { readonly qemu: string; readonly virtiofsd: string; readonly kernel: string };
}

const limitMs = 600_000;
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * The tree of programs in the user's cache, made if it is not there.
 * @throws KnownError `lab-unsupported`, `program-missing`, `disk-full`, `tree-failed`, `lock-timeout`.
 */
export async function programTree(onProgress: OnProgress, signal?: AbortSignal): Promise<ProgramTree> {
  const home = join(cacheDirectory(), 'programs', recipeKey);
  if (!existsSync(home)) await makeTree(home, onProgress, signal);
  const versions = JSON.parse(readFileSync(join(home, 'versions.json'), 'utf8'));
  return { root: join(home, 'tree'), versions };
}

async function makeTree(
  home: string,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (process.arch !== 'x64') {
    throw new KnownError(
      'lab-unsupported',
      `the lab's programs are for Linux on x86_64; this is ${process.arch}`,
      'Use vfs-verify with a guest of your own: --guest and --map.',
    );
  }
  await requireProgram('mmdebstrap');
  if (!existsSync(keyring)) {
    throw new KnownError(
      'program-missing',
      `the keys of the Debian archive are missing (${keyring})`,
      'apt-get install debian-archive-keyring',
    );
  }
  const what = "the lab's programs";
  requireSpace(home, treeBytes, what);
  await timed(onProgress, `made ${what} (${home})`, () =>
    makeOnce(home, { what, limitMs, onProgress }, (making) => {
      onProgress({ text: `making ${what}, once: QEMU, virtiofsd, a kernel and a few more from Debian` });
      return sayingDiskFull(home, treeBytes, what, () => fill(making, onProgress, signal));
    }),
  );
}

async function fill(
  { directory, env, endPrograms }: Making,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<void> {
  const root = join(directory, 'tree');
  const preferences = join(directory, 'preferences');
  const pinned = recipe.fromBackports.map((name) => `src:${name}`).join(' ');
  writeFileSync(preferences, `Package: ${pinned}\nPin: release n=${recipe.backports}\nPin-Priority: 700\n`);
  const mirror = debianMirror();
  const options = [
    ...(mirror.signedBy === undefined ? [] : [`signed-by=${mirror.signedBy}`]),
    ...(mirror.trusted ? ['trusted=yes'] : []),
  ];
  const sources = [recipe.suite, recipe.backports].map(
    (suite) => `deb ${options.length === 0 ? '' : `[${options.join(' ')}] `}${mirror.uri} ${suite} main`,
  );
  const argv = [
    '--variant=extract',
    // Nothing is run in the tree, so neither root nor a chroot is needed.
    '--mode=chrootless',
    `--architectures=${recipe.architecture}`,
    '--aptopt=APT::Install-Recommends "false"',
    `--aptopt=Dir::Etc::Preferences "${preferences}"`,
    `--include=${recipe.packages.join(',')}`,
    recipe.suite,
    root,
    ...sources,
  ];
  const making = execa('mmdebstrap', argv, {
    env: { ...env, LC_ALL: 'C' },
    stdin: 'ignore',
    all: true,
    buffer: false,
    reject: false,
    timeout: limitMs,
  });
  const stop = () => void endPrograms();
  signal?.addEventListener('abort', stop);
  // Its last words are the reason when it fails.
  const words: string[] = [];
  for await (const line of making.iterable({ from: 'all' })) {
    words.push(line);
    if (words.length > 40) words.shift();
    const step = /^I: (running apt-get update|downloading packages|extracting archives|cleaning)/.exec(line);
    if (step !== null) onProgress({ text: `  ${step[1]} …` });
  }
  const ended = await making;
  signal?.removeEventListener('abort', stop);
  signal?.throwIfAborted();
  if (ended.failed) {
    throw new KnownError(
      'tree-failed',
      `mmdebstrap could not make the lab's programs from ${mirror.uri} (${ended.timedOut ? `no end within ${limitMs / 1000} s` : `exit status ${ended.exitCode}`})`,
      `Check that this machine can fetch packages (apt-get update) and that its Debian keys know ${recipe.suite} (apt-get install debian-archive-keyring).`,
      { detail: words.join('\n') },
    );
  }
  rmSync(preferences);
  const versions = {
    qemu: await versionOf(treeProgram(root, 'usr/bin/qemu-system-x86_64')),
    virtiofsd: await versionOf(treeProgram(root, 'usr/libexec/virtiofsd')),
    kernel: readdirSync(join(root, 'usr/lib/modules')).sort().at(-1) ?? 'unknown',
  };
  writeFileSync(join(directory, 'versions.json'), `${JSON.stringify(versions)}\n`);
}

/** The argv of a program of the tree: through the tree's own loader, since the host's C library may be older. */
export function treeProgram(root: string, program: string): string[] {
  return [
    join(root, 'usr/lib64/ld-linux-x86-64.so.2'),
    '--library-path',
    libraryPath(root),
    join(root, program),
  ];
}

/** Where the tree's programs find their libraries. */
function libraryPath(root: string): string {
  return ['', 'pulseaudio', 'ceph'].map((part) => join(root, 'usr/lib/x86_64-linux-gnu', part)).join(':');
}

async function requireProgram(name: string): Promise<void> {
  const asked = await execa(name, ['--version'], { reject: false, stdin: 'ignore', timeout: 10_000 });
  if (asked.code === 'ENOENT') {
    throw new KnownError(
      'program-missing',
      `${name} is missing: the lab's programs are made with it`,
      `apt-get install ${name}`,
    );
  }
}
