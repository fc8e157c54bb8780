import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { requireSpace, sayingDiskFull } from '../disk.ts';
import { makeOnce } from '../make-once.ts';
import { cacheDirectory } from '../places.ts';
import { debianKernels } from '../programs/debian-kernel.ts';
import type { Programs } from '../programs/programs.ts';
import { recipeKey } from '../programs/recipe.ts';
import { type OnProgress, timed } from '../progress.ts';
import { type CpioEntry, cpioArchive } from './cpio.ts';
import { directKernel, unpackers } from './direct-kernel.ts';
import { programsWithLibraries } from './libraries.ts';
import { type KernelModule, modulesWithDependencies } from './modules.ts';
import { initScript, inittab, modulesDirectory, modulesFile, standInScript } from './scripts.ts';

/** What every lab of one set of programs boots. */
export interface GuestImage {
  readonly kernel: string;
  /** Complete but for what is one lab's own: see `personalArchive`. */
  readonly initramfs: string;
  /** A disk that is a cpio archive: programs that are too large to be in memory at every boot. */
  readonly programsDisk: string;
}

/** Inserted at boot, where the kernel has them as modules. */
const bootModules = ['virtio_pci', 'virtio_net', 'fuse', 'virtiofs'];
/** Inserted only where a mount of this type is asked for, to spare every other boot the time. */
const typeModules = { '9p': ['9pnet_virtio', '9p'] };
/** Inserted at the first use of a program of the second disk. */
const diskModule = 'virtio_blk';
/**
 * Coreutils' hashes, since busybox's have half their speed; and a shell that finds them, since busybox's
 * prefers its own applets to anything in PATH.
 */
const bootPrograms = ['usr/sbin/dropbear', 'usr/bin/dash', 'usr/bin/md5sum', 'usr/bin/sha256sum'];
const diskPrograms = ['usr/bin/fio'];

const imageBytes = 160 * 1024 * 1024;

/**
 * The guest's image in the user's cache, made if it is not there.
 * @throws KnownError `bad-kernel`, `disk-full`, `lock-timeout`.
 */
export async function guestImage(programs: Programs, onProgress: OnProgress): Promise<GuestImage> {
  const key = createHash('sha256')
    .update(JSON.stringify([recipeKey, programs.tree.versions, programs.kernel.key, programs.kernel.modules]))
    .update(JSON.stringify([bootModules, typeModules, diskModule, bootPrograms, diskPrograms]))
    .update(JSON.stringify(unpackers.map(({ program }) => program)))
    .update(JSON.stringify([initScript, inittab, standInScript, accounts]))
    .digest('hex')
    .slice(0, 16);
  const directory = join(cacheDirectory(), 'images', key);
  if (!existsSync(directory)) {
    const what = "the guest's image";
    requireSpace(directory, imageBytes, what);
    await timed(onProgress, `made ${what}`, () =>
      makeOnce(directory, { what, limitMs: 120_000, onProgress }, (making) =>
        sayingDiskFull(directory, imageBytes, what, () => fill(making.directory, programs)),
      ),
    );
  }
  const direct = join(directory, 'vmlinux');
  return {
    kernel: existsSync(direct) ? direct : programs.kernel.image,
    initramfs: join(directory, 'initramfs.cpio'),
    programsDisk: join(directory, 'programs.cpio'),
  };
}

async function fill(directory: string, programs: Programs): Promise<void> {
  const { kernel } = programs;
  const { root } = programs.tree;
  const boot = await bootEntries(programs);
  writeFileSync(join(directory, 'initramfs.cpio'), cpioArchive(boot));
  const large = await programsWithLibraries(
    root,
    diskPrograms,
    boot.filter((each) => !isStandIn(each)),
  );
  writeFileSync(join(directory, 'programs.cpio'), cpioArchive(large));
  // A kernel of the user's own is booted as it is.
  if (![root, debianKernels()].some((ours) => kernel.image.startsWith(ours))) return;
  const direct = await directKernel(root, readFileSync(kernel.image));
  if (direct !== undefined) writeFileSync(join(directory, 'vmlinux'), direct);
}

function isStandIn(entry: CpioEntry): boolean {
  return diskPrograms.includes(entry.path);
}

async function bootEntries({ tree, kernel }: Programs): Promise<CpioEntry[]> {
  const { root } = tree;
  const busybox = join(root, 'usr/bin/busybox');
  // Busybox is static: it runs without the tree's loader.
  const applets = (await execa(busybox, ['--list'], { timeout: 10_000 })).stdout.split('\n');
  const programs = await programsWithLibraries(root, bootPrograms);
  // Not `busybox` itself: a link to itself would replace it.
  const others = [...bootPrograms, ...diskPrograms].map((path) => path.replace(/.*\//, ''));
  const own = new Set(['busybox', 'sh', ...others]);
  const inserted = await modulesAtBoot(root, kernel.modules);
  const modules = (await modulesOf(root, kernel.modules, [diskModule])).filter(
    ({ name }) => !inserted.some((each) => each.name === name),
  );
  return [
    { path: 'init', file: initScript, mode: 0o755 },
    ...['bin', 'sbin', 'lib', 'lib64'].map((path) => ({ path, link: `usr/${path}` })),
    ...['dev', 'proc', 'sys', 'run', 'mnt', 'usr/lib'].map((path) => ({ path, directory: true as const })),
    { path: 'tmp', directory: true, mode: 0o1777 },
    { path: 'root', directory: true, mode: 0o700 },
    { path: 'home/user', directory: true, mode: 0o700, owner: 1000 },
    { path: 'dev/console', device: { major: 5, minor: 1 } },
    { path: 'usr/bin/busybox', file: readFileSync(busybox), mode: 0o755 },
    { path: 'usr/bin/sh', link: 'dash' },
    ...applets
      .filter((name) => name !== '' && !own.has(name))
      .map((name) => ({ path: `usr/bin/${name}`, link: 'busybox' })),
    { path: 'usr/sbin/init', link: '../bin/busybox' },
    ...programs,
    ...diskPrograms.map((path) => ({ path, file: standInScript, mode: 0o755 })),
    { path: modulesFile, file: inserted.map(({ name, type }) => `${name} ${type}\n`).join('') },
    ...[...inserted, ...modules].map(({ name, bytes }) => ({
      path: `${modulesDirectory}/${name}.ko`,
      file: bytes,
    })),
    ...accounts,
  ];
}

/** With the type of the mounts that each is for; "" where every boot needs it. */
async function modulesAtBoot(
  root: string,
  directory: string | undefined,
): Promise<(KernelModule & { readonly type: string })[]> {
  const always = await modulesOf(root, directory, bootModules);
  const found = new Map(always.map((each) => [each.name, { ...each, type: '' }]));
  for (const [type, wanted] of Object.entries(typeModules)) {
    for (const each of await modulesOf(root, directory, wanted)) {
      if (!found.has(each.name)) found.set(each.name, { ...each, type });
    }
  }
  return [...found.values()];
}

async function modulesOf(
  root: string,
  directory: string | undefined,
  wanted: readonly string[],
): Promise<KernelModule[]> {
  return directory === undefined ? [] : modulesWithDependencies(root, directory, wanted);
}

/** A second account, that may do nothing, is for trials of what happens without root. */
const accounts: readonly CpioEntry[] = [
  { path: 'etc/inittab', file: inittab },
  {
    path: 'etc/passwd',
    file: 'root:*:0:0:root:/root:/bin/sh\nuser:*:1000:1000:user:/home/user:/bin/sh\n',
  },
  { path: 'etc/group', file: 'root:*:0:\nuser:*:1000:\n' },
  { path: 'etc/shells', file: '/bin/sh\n' },
  { path: 'etc/hosts', file: '127.0.0.1 localhost\n' },
];
