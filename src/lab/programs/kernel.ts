import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { KnownError } from '../../model/error.ts';
import { makeOnce } from '../make-once.ts';
import { cacheDirectory } from '../places.ts';
import type { OnProgress } from '../progress.ts';
import { debianKernel, isDebianRelease } from './debian-kernel.ts';

/** A guest's kernel. */
export interface Kernel {
  readonly image: string;
  readonly version: string;
  /** `…/lib/modules/VERSION`; undefined for a kernel without modules. */
  readonly modules: string | undefined;
  /** Changes when the kernel or where its modules are does: cached images are named after it. */
  readonly key: string;
}

/**
 * The kernel that the user named: an image (bzImage or ELF), a Debian package, a directory that holds
 * one of them unpacked (`boot/vmlinuz-*`, `lib/modules`) or a kernel build (`arch/x86/boot/bzImage`), or a
 * release of Debian, whose kernel is fetched.
 * @throws KnownError `bad-kernel`.
 */
export async function namedKernel(given: string, onProgress: OnProgress): Promise<Kernel> {
  if (isDebianRelease(given)) return kernelIn(await debianKernel(given, onProgress), given);
  const path = resolve(given);
  if (!existsSync(path)) {
    throw badKernel(given, 'there is no such file');
  }
  if (statSync(path).isDirectory()) return kernelIn(path, given);
  if (path.endsWith('.deb')) return kernelIn(await unpacked(path, onProgress), given);
  return kernelOf(path, given);
}

/** The kernel of an unpacked tree. */
export function kernelIn(root: string, given = root): Kernel {
  // Newer packages keep the image with its modules.
  const modules = ['lib/modules', 'usr/lib/modules'].flatMap((folder) =>
    namesIn(join(root, folder)).map((version) => join(folder, version)),
  );
  const images = [...modules, 'boot', '', 'arch/x86/boot'].flatMap((folder) =>
    namesIn(join(root, folder))
      .filter((name) => /^(vmlinuz|bzImage)/.test(name))
      .map((name) => join(root, folder, name)),
  );
  const image = images.at(-1);
  if (image === undefined)
    throw badKernel(given, 'no boot/vmlinuz-*, vmlinuz or arch/x86/boot/bzImage in it');
  return kernelOf(image, given);
}

function namesIn(directory: string): string[] {
  return existsSync(directory) && statSync(directory).isDirectory() ? readdirSync(directory).sort() : [];
}

function kernelOf(image: string, given: string): Kernel {
  const bytes = readFileSync(image);
  const version = kernelVersion(bytes);
  if (version === undefined) throw badKernel(given, 'it is neither a bzImage nor an ELF image of Linux');
  const parents = [dirname(image), join(dirname(image), '..'), '/'];
  const candidates = parents.flatMap((parent) =>
    ['lib/modules', 'usr/lib/modules'].map((folder) => join(parent, folder, version)),
  );
  const modules = [...(basename(dirname(image)) === version ? [dirname(image)] : []), ...candidates].find(
    (directory) => existsSync(directory),
  );
  const hash = createHash('sha256')
    .update(bytes)
    .update(`\0${modules ?? ''}`);
  if (modules !== undefined) hash.update(`\0${statSync(modules).mtimeMs}`);
  return { image, version, modules, key: hash.digest('hex').slice(0, 16) };
}

/** The version that a kernel image says it is; undefined for anything that is no kernel image. */
export function kernelVersion(bytes: Buffer): string | undefined {
  // Documentation/arch/x86/boot.rst: a magic word, and where the version string is.
  if (bytes.length > 0x210 && bytes.toString('latin1', 0x202, 0x206) === 'HdrS') {
    const at = bytes.readUInt16LE(0x20e) + 0x200;
    return bytes.toString('latin1', at, at + 200).split(/[\s\0]/)[0];
  }
  if (bytes.toString('latin1', 0, 4) === '\x7fELF') {
    const at = bytes.indexOf('Linux version ');
    return at < 0 ? undefined : bytes.toString('latin1', at + 14, at + 214).split(/[\s\0]/)[0];
  }
  return undefined;
}

async function unpacked(deb: string, onProgress: OnProgress): Promise<string> {
  const what = `the kernel of ${basename(deb)}`;
  const key = createHash('sha256').update(readFileSync(deb)).digest('hex').slice(0, 16);
  const directory = join(cacheDirectory(), 'kernels', key);
  await makeOnce(directory, { what, limitMs: 120_000, onProgress }, async (making) => {
    const options = { env: making.env, reject: false, timeout: 120_000, all: true } as const;
    const ended = await execa('dpkg-deb', ['--extract', deb, making.directory], options);
    if (ended.failed) throw badKernel(deb, `dpkg-deb could not unpack it: ${ended.all?.slice(-500) ?? ''}`);
  });
  return directory;
}

function badKernel(given: string, why: string): KnownError {
  return new KnownError(
    'bad-kernel',
    `--kernel ${given}: ${why}`,
    "Give a vmlinuz, a linux-image package, or a directory with boot/vmlinuz-VERSION and lib/modules/VERSION, or a suite of Debian (bookworm, backports, sid); leave --kernel away to use the lab's own.",
  );
}
