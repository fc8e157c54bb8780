import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { KnownError } from '../../model/error.ts';
import { requireSpace, sayingDiskFull } from '../disk.ts';
import { makeOnce } from '../make-once.ts';
import { cacheDirectory } from '../places.ts';
import type { OnProgress } from '../progress.ts';
import { FetchFailed, fetchLimitMs, withDebianSuite } from './debian-packages.ts';
import type { Program } from './programs.ts';
import { versionOf } from './version.ts';

/** The last release of Debian whose QEMU (7.2) still has the virtiofsd written in C. */
const suite = 'bookworm';
/** With the libraries that `ld.so --list` names, each from its own package. */
const packages = [
  'qemu-system-common',
  'libc6',
  'libcap-ng0',
  'libglib2.0-0',
  'libnuma1',
  'libpcre2-8-0',
  'libseccomp2',
];
/** Measured: 12 MB of packages, 45 MB unpacked. */
const treeBytes = 100 * 1024 * 1024;

/**
 * The C virtiofsd of QEMU 7.2, fetched from this machine's Debian mirror and unpacked in the user's cache, once.
 * It is run through the loader of its own release, as the lab's other programs are.
 * @throws KnownError `no-c-virtiofsd` (the words of apt), `disk-full`, `lock-timeout`.
 */
export async function cVirtiofsd(onProgress: OnProgress): Promise<Program> {
  const key = createHash('sha256')
    .update(JSON.stringify([suite, packages]))
    .digest('hex')
    .slice(0, 12);
  const root = join(cacheDirectory(), 'programs', `c-virtiofsd-${key}`);
  const what = 'the C virtiofsd of QEMU 7.2';
  if (!existsSync(root)) {
    requireSpace(root, treeBytes, what);
    onProgress({ text: `fetching ${what} (Debian ${suite}), once` });
    await makeOnce(root, { what, limitMs: fetchLimitMs, onProgress }, (making) =>
      sayingDiskFull(root, treeBytes, what, async () => {
        try {
          await withDebianSuite(suite, making, (debian) => debian.unpack(packages));
        } catch (error) {
          if (!(error instanceof FetchFailed)) throw error;
          throw new KnownError(
            'no-c-virtiofsd',
            `${what} cannot be fetched: ${error.message}`,
            `It is in qemu-system-common of Debian ${suite}. Give a mirror that has that release, a program of your own (--c-virtiofsd), or leave the c: modes out.`,
            { detail: error.detail },
          );
        }
      }),
    );
  }
  const file = join(root, 'usr/lib/qemu/virtiofsd');
  const libraries = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu'].map((each) => join(root, each));
  const argv = [
    join(libraries[0] as string, 'ld-linux-x86-64.so.2'),
    '--library-path',
    libraries.join(':'),
    file,
  ];
  return { argv, version: await versionOf(argv), file };
}
