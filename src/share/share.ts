import path from 'node:path';
import { KnownError } from '../model/error.ts';
import type { Mode } from '../model/mode.ts';
import { type GuestMount, mountOf } from './guest-mounts.ts';
import { isInside } from './inside.ts';

/** One directory seen from both sides. */
export interface Share {
  readonly guestDir: string;
  readonly hostDir: string;
  /** Undefined where nobody said and nothing shows it. */
  readonly mode: Mode | undefined;
  /** How the mode is known, in words. */
  readonly modeHow: string;
  readonly type?: 'virtiofs' | '9p';
  readonly tag?: string;
  /** Who serves it, with its version: `virtiofsd 1.13.2`. */
  readonly server?: string;
  /** The process on the host that does the daemon's work, where it can be seen. */
  readonly daemonPid?: number;
  /** QEMU's process on the host, and the socket of its monitor. */
  readonly vmmPid?: number;
  readonly qmpSocket?: string;
  /** The same directory where other views see it: another mount of the guest, or another guest's mount. */
  readonly elsewhere?: Readonly<Partial<Record<'guest-other-tag' | 'guest-without-dax' | 'guest2', string>>>;
}

/**
 * Reads `--map GUESTDIR=HOSTDIR`. The first "=" that is followed by "/" parts the two, so that a guest
 * directory may hold a "=".
 * @throws KnownError `bad-map`
 */
export function parseMap(text: string): { readonly guestDir: string; readonly hostDir: string } {
  const at = text.indexOf('=/');
  const [guestDir, hostDir] = at < 0 ? ['', ''] : [text.slice(0, at), text.slice(at + 1)];
  if (!guestDir.startsWith('/') || hostDir === '') {
    throw new KnownError(
      'bad-map',
      `--map "${text}" does not name two directories`,
      'Write --map GUESTDIR=HOSTDIR with absolute paths, such as --map /mnt/data=/srv/share.',
    );
  }
  return { guestDir: plainDirectory(guestDir), hostDir: plainDirectory(hostDir) };
}

function plainDirectory(text: string): string {
  return path.posix.normalize(text).replace(/(.)\/$/, '$1');
}

/** A path of a share, as both sides call it. */
export interface LocatedPath {
  readonly share: Share;
  readonly guestPath: string;
  readonly hostPath: string;
}

/**
 * Finds the share that a guest path lies in: the one with the longest directory, since shares may be nested.
 * @param guestPath absolute and canonical.
 * @param mounts everything that the guest has mounted, where that is known: another file system may be mounted
 * inside a share.
 * @throws KnownError `outside-share`
 */
export function locatePath(
  guestPath: string,
  shares: readonly Share[],
  mounts: readonly GuestMount[] = [],
): LocatedPath {
  const inside = shares
    .filter(({ guestDir }) => isInside(guestPath, guestDir))
    .sort((a, b) => b.guestDir.length - a.guestDir.length);
  const share = inside[0];
  const mount = holdingMount(guestPath, mounts);
  if (share === undefined || (mount !== undefined && mount.point !== share.guestDir)) {
    const known = shares.map(({ guestDir }) => guestDir).join(', ');
    const lies =
      mount === undefined ? '' : `: it lies on ${mount.type} (${mount.source}), mounted on ${mount.point}`;
    throw new KnownError(
      'outside-share',
      `${guestPath} is in no share that is known here${lies}`,
      known === ''
        ? 'Say which directories are one: --map GUESTDIR=HOSTDIR.'
        : `Known in the guest: ${known}. Name a path below one of them, or say which directories are one: --map GUESTDIR=HOSTDIR.`,
    );
  }
  return {
    share,
    guestPath,
    hostPath: path.posix.join(share.hostDir, path.posix.relative(share.guestDir, guestPath)),
  };
}

/**
 * The mount that a path belongs to. What a daemon announces as a mount of its own (virtiofsd --announce-submounts)
 * has no device, so that the kernel says `none`: it is part of the share around it.
 */
function holdingMount(guestPath: string, mounts: readonly GuestMount[]): GuestMount | undefined {
  const mount = mountOf(guestPath, mounts);
  const isAnnounced = mount?.type === 'virtiofs' && mount.source === 'none' && mount.point !== '/';
  return isAnnounced ? holdingMount(path.posix.dirname(mount.point), mounts) : mount;
}
