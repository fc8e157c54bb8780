import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { KnownError } from '../../model/error.ts';
import { requireSpace, sayingDiskFull } from '../disk.ts';
import { type Making, makeOnce } from '../make-once.ts';
import { cacheDirectory } from '../places.ts';
import type { OnProgress } from '../progress.ts';
import { debianMirror } from './apt-sources.ts';

const limitMs = 300_000;
/** Measured for 6.1: a package of 70 MB, 400 MB unpacked. */
const kernelBytes = 600 * 1024 * 1024;

/** Whether `--kernel` names a release of Debian (`bookworm`) and not a file. */
export function isDebianRelease(given: string): boolean {
  return /^[a-z]+$/.test(given) && !existsSync(resolve(given));
}

/** With what every path of a kernel begins that was fetched. */
export function debianKernels(): string {
  return join(cacheDirectory(), 'kernels', 'debian-');
}

/**
 * The kernel package of a release of Debian, fetched from this machine's mirror and unpacked in the user's
 * cache, once.
 * @returns the directory that it is in.
 * @throws KnownError `bad-kernel` (the words of apt), `disk-full`, `lock-timeout`, `program-missing`.
 */
export async function debianKernel(release: string, onProgress: OnProgress): Promise<string> {
  const directory = `${debianKernels()}${release}`;
  const what = `the kernel of Debian ${release}`;
  if (existsSync(directory)) return directory;
  requireSpace(directory, kernelBytes, what);
  onProgress({ text: `fetching ${what}, once` });
  await makeOnce(directory, { what, limitMs, onProgress }, (making) =>
    sayingDiskFull(directory, kernelBytes, what, () => fetchKernel(release, making)),
  );
  return directory;
}

async function fetchKernel(release: string, { directory, env }: Making): Promise<void> {
  const apt = join(directory, 'apt');
  for (const each of ['lists/partial', 'archives/partial']) mkdirSync(join(apt, each), { recursive: true });
  const mirror = debianMirror();
  const signedBy = mirror.signedBy === undefined ? [] : [`signed-by=${mirror.signedBy}`];
  const options = [...signedBy, ...(mirror.trusted ? ['trusted=yes'] : [])].join(' ');
  writeFileSync(
    join(apt, 'sources.list'),
    `deb ${options === '' ? '' : `[${options}] `}${mirror.uri} ${release} main\n`,
  );
  writeFileSync(join(apt, 'status'), '');
  // The machine's own keys and proxies, everything else of our own: its lists know nothing of this.
  const settings = [
    'APT::Architecture=amd64',
    'APT::Architectures=amd64',
    'APT::Sandbox::User=root',
    `Dir::State=${apt}`,
    `Dir::State::status=${join(apt, 'status')}`,
    `Dir::Cache=${apt}`,
    `Dir::Etc::SourceList=${join(apt, 'sources.list')}`,
    'Dir::Etc::SourceParts=/dev/null',
    'Acquire::Languages=none',
  ].flatMap((each) => ['-o', each]);
  const run = async (program: string, ...words: string[]): Promise<string> => {
    const how = {
      env: { ...env, LC_ALL: 'C' },
      cwd: apt,
      reject: false,
      timeout: limitMs,
      all: true,
    } as const;
    const ended = await execa(program, words, { ...how, stdin: 'ignore' });
    if (!ended.failed) return ended.stdout;
    throw new KnownError(
      'bad-kernel',
      `--kernel ${release}: ${program} failed: ${ended.all?.trim().split('\n').at(-1) ?? ended.code}`,
      'Name a release of Debian that this machine can fetch, or a kernel that is there (a vmlinuz, a package).',
      { detail: ended.all ?? '' },
    );
  };
  await run('apt-get', ...settings, '-q', 'update');
  const depends = await run('apt-cache', ...settings, 'depends', '--important', 'linux-image-amd64');
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1] ?? 'linux-image-amd64';
  await run('apt-get', ...settings, '-q', 'download', name);
  const deb = readdirSync(apt).find((each) => each.endsWith('.deb')) ?? '';
  await run('dpkg-deb', '--extract', join(apt, deb), directory);
  rmSync(apt, { recursive: true });
}
