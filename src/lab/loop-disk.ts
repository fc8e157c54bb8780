import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { KnownError } from '../model/error.ts';
import { noteMount } from './journal.ts';

/** File systems that a lab can put its share on. */
export const diskKinds = ['ext4', 'xfs', 'btrfs'] as const;
export type DiskKind = (typeof diskKinds)[number];

/**
 * A disk of the lab's own: a file on a small tmpfs, behind a loop device, with a file system on it.
 *
 * ```
 *  backing (tmpfs)  ⊃  image  →  /dev/loopN  →  mountPoint (ext4)  ⊃  share
 * ```
 * What the image holds is what the medium holds; what the file system has not written yet is not in it. The
 * tmpfs can be filled, so that the device refuses to write.
 */
export interface LoopDisk {
  readonly kind: DiskKind;
  readonly backing: string;
  readonly image: string;
  readonly mountPoint: string;
  /** Its size in bytes. */
  readonly bytes: number;
}

const limitMs = 60_000;
/** Users' PATH often lacks the places of such programs. */
const searchPath = `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;
const packages: Record<DiskKind, string> = { ext4: 'e2fsprogs', xfs: 'xfsprogs', btrfs: 'btrfs-progs' };

/** The file systems that a lab could have its share on here; none without root or loop devices. */
export function diskKindsHere(): readonly DiskKind[] {
  if (process.getuid?.() !== 0 || !existsSync('/dev/loop-control')) return [];
  const known = readFileSync('/proc/filesystems', 'utf8');
  const directories = searchPath.split(':');
  const has = (program: string) => directories.some((each) => existsSync(join(each, program)));
  return diskKinds.filter((kind) => known.includes(`\t${kind}\n`) && has(`mkfs.${kind}`));
}

/** Where a lab's disk shows its share. */
export function shareOn(disk: LoopDisk): string {
  return join(disk.mountPoint, 'share');
}

/** Where a lab in this directory would have its disk. */
export function planDisk(directory: string, kind: DiskKind, mebibytes: number): LoopDisk {
  const backing = join(directory, 'backing');
  return {
    kind,
    backing,
    image: join(backing, 'image'),
    mountPoint: join(directory, 'disk'),
    bytes: mebibytes * 1024 * 1024,
  };
}

/**
 * Makes the disk and mounts it, with a directory for the share. Each mount is in the lab's journal before it is
 * made.
 * @throws KnownError `needs-root`, `program-missing`, `no-disk` (what mkfs or mount said).
 */
export async function makeDisk(directory: string, disk: LoopDisk): Promise<void> {
  requireRoot(`--disk ${disk.kind}`);
  const { kind, backing, image, mountPoint, bytes } = disk;
  for (const each of [backing, mountPoint]) {
    mkdirSync(each, { mode: 0o755 });
    noteMount(directory, each);
  }
  await diskProgram(['mount', '-t', 'tmpfs', '-o', `mode=700,size=${bytes}`, 'vfs-verify', backing], kind);
  writeFileSync(image, '');
  truncateSync(image, bytes);
  const quiet = kind === 'ext4' ? ['-F', '-q', '-m', '0'] : ['-q'];
  await diskProgram([`mkfs.${kind}`, ...quiet, image], kind);
  await diskProgram(['mount', '-o', 'loop', '-t', kind, image, mountPoint], kind);
  const share = shareOn(disk);
  // A quota is a subvolume's.
  if (kind === 'btrfs') await diskProgram(['btrfs', '-q', 'subvolume', 'create', share], kind);
  else mkdirSync(share);
}

/**
 * Runs one of the programs that make and mount file systems.
 * @returns what it said.
 * @throws KnownError `program-missing`, `no-disk`.
 */
export async function diskProgram(argv: readonly string[], kind: DiskKind): Promise<string> {
  const [program = '', ...words] = argv;
  const env = { PATH: searchPath, LC_ALL: 'C' };
  const ended = await execa(program, words, {
    env,
    reject: false,
    stdin: 'ignore',
    timeout: limitMs,
    all: true,
  });
  if (ended.code === 'ENOENT') {
    throw new KnownError(
      'program-missing',
      `${program} is missing: the lab's disk is made with it`,
      `apt-get install ${program === 'mount' || program === 'losetup' ? 'mount util-linux' : packages[kind]}`,
    );
  }
  if (!ended.failed) return ended.stdout;
  const why = ended.timedOut ? `no end within ${limitMs / 1000} s` : `exit status ${ended.exitCode}`;
  throw new KnownError(
    'no-disk',
    `${program} failed (${why}): ${ended.all?.trim().split('\n').at(-1) ?? ''}`,
    `See that this machine has loop devices (losetup -f) and ${kind} (/proc/filesystems), or leave --disk away.`,
    { detail: `${argv.join(' ')}\n${ended.all ?? ''}` },
  );
}

/** @throws KnownError `needs-root`. */
export function requireRoot(what: string): void {
  if (process.getuid?.() === 0) return;
  throw new KnownError(
    'needs-root',
    `${what} needs root on this machine: it mounts file systems`,
    'Run it as root, or leave it away.',
  );
}

/**
 * Takes a file system away that a lab has mounted, and the loop device below it. Nothing happens where none is
 * mounted.
 * @throws KnownError `lab-stuck` where it stays in use.
 */
export async function unmount(mountPoint: string): Promise<void> {
  for (let tries = 1; isMounted(mountPoint); tries += 1) {
    const ended = await execa('umount', [mountPoint], {
      reject: false,
      stdin: 'ignore',
      timeout: limitMs,
      all: true,
    });
    if (!ended.failed) continue;
    if (tries < 20) {
      // Who was killed a moment ago may still be letting go of it.
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    throw new KnownError(
      'lab-stuck',
      `${mountPoint} cannot be unmounted: ${ended.all?.trim() ?? ''}`,
      `End who uses it (fuser -m ${mountPoint} names them), then try again.`,
    );
  }
}

function isMounted(path: string): boolean {
  if (!existsSync('/proc/self/mountinfo')) return false;
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.some((line) => unescaped(line.split(' ')[4] ?? '') === path);
}

/** Spaces and their like are octal in /proc. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
