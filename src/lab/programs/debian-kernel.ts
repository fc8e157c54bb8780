import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { KnownError } from '../../model/error.ts';
import { requireSpace, sayingDiskFull } from '../disk.ts';
import { type Making, makeOnce } from '../make-once.ts';
import { cacheDirectory } from '../places.ts';
import type { OnProgress } from '../progress.ts';
import { FetchFailed, fetchLimitMs, withDebianSuite } from './debian-packages.ts';
import { recipe } from './recipe.ts';

/** Measured for 6.1: a package of 70 MB, 400 MB unpacked. */
const kernelBytes = 600 * 1024 * 1024;

/** Whether `--kernel` names a suite of Debian (`bookworm`, `sid`, `trixie-backports`) and not a file. */
export function isDebianRelease(given: string): boolean {
  return /^[a-z]+(-[a-z]+)*$/.test(given) && !existsSync(resolve(given));
}

/** Short for the newest kernel that is built for the release that the lab's programs are from. */
const shortNames: Readonly<Record<string, string>> = { backports: recipe.backports };

const metaPackage = 'linux-image-amd64';

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
export async function debianKernel(given: string, onProgress: OnProgress): Promise<string> {
  const release = shortNames[given] ?? given;
  const directory = `${debianKernels()}${release}`;
  const what = `the kernel of Debian ${release}`;
  if (existsSync(directory)) return directory;
  requireSpace(directory, kernelBytes, what);
  onProgress({ text: `fetching ${what}, once` });
  await makeOnce(directory, { what, limitMs: fetchLimitMs, onProgress }, (making) =>
    sayingDiskFull(directory, kernelBytes, what, () => fetchKernel(release, making)),
  );
  return directory;
}

async function fetchKernel(release: string, making: Making): Promise<void> {
  try {
    await withDebianSuite(release, making, async (packages) => {
      const [image = metaPackage] = await packages.dependenciesOf(metaPackage, /^linux-image-/);
      // From 7.x on the image and its modules are packages of their own.
      const parts = await packages.dependenciesOf(image, /^linux-(base|binary|modules)-\d/);
      await packages.unpack([image, ...parts]);
    });
  } catch (error) {
    if (!(error instanceof FetchFailed)) throw error;
    throw new KnownError(
      'bad-kernel',
      `--kernel ${release}: ${error.message}`,
      'Name a release of Debian that this machine can fetch, or a kernel that is there (a vmlinuz, a package).',
      { detail: error.detail },
    );
  }
}
