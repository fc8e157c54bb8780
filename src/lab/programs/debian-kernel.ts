import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { KnownError } from '../../model/error.ts';
import { requireSpace, sayingDiskFull } from '../disk.ts';
import { type Making, makeOnce } from '../make-once.ts';
import { cacheDirectory } from '../places.ts';
import type { OnProgress } from '../progress.ts';
import { FetchFailed, fetchLimitMs, withDebianSuite } from './debian-packages.ts';

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
  await makeOnce(directory, { what, limitMs: fetchLimitMs, onProgress }, (making) =>
    sayingDiskFull(directory, kernelBytes, what, () => fetchKernel(release, making)),
  );
  return directory;
}

async function fetchKernel(release: string, making: Making): Promise<void> {
  try {
    await withDebianSuite(release, making, async (packages) => {
      const name = await packages.dependencyOf('linux-image-amd64', /^linux-image-/);
      await packages.unpack([name ?? 'linux-image-amd64']);
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
