import path from 'node:path';
import type { Endpoint } from '../../endpoint/endpoint.ts';
import { type GuestMount, mountOf, mountsOfGuest } from '../guest-mounts.ts';
import { isInside } from '../inside.ts';
import { boundMode, isOneKernel } from '../one-superblock.ts';
import type { Share } from '../share.ts';

/** Where a container's runtime mounts what the container needs, and nobody his own data. */
const ofRuntime = ['/dev', '/proc', '/run', '/sys'];
const statMs = 10_000;

/**
 * The directories of the host that a container has mounted: where both are one kernel, a mount of the guest is the
 * directory of the host that has the same device and inode. The container's own root is none of them, nor is what
 * its runtime mounts for it, or what is mounted as the host has it.
 * @throws KnownError as the endpoints do, and `no-proc`.
 */
export async function boundShares(
  mounts: readonly GuestMount[],
  guest: Endpoint,
  host: Endpoint,
): Promise<readonly Share[]> {
  if ((guest.kind === 'local' && host.kind === 'local') || !(await isOneKernel(guest, host))) return [];
  const own = await mountsOfGuest(host);
  const shares = await Promise.all(
    mounts.filter((mount) => isBound(mount, own)).map((mount) => shareOf(mount, own, guest, host)),
  );
  return shares.flatMap((share) => share ?? []);
}

function isBound(mount: GuestMount, own: readonly GuestMount[]): boolean {
  if (mount.isHidden || mount.point === '/') return false;
  if (ofRuntime.some((each) => isInside(mount.point, each))) return false;
  return !own.some(
    ({ device, root, point }) => device === mount.device && root === mount.root && point === mount.point,
  );
}

async function shareOf(
  mount: GuestMount,
  own: readonly GuestMount[],
  guest: Endpoint,
  host: Endpoint,
): Promise<Share | undefined> {
  const places = own.flatMap((each) => {
    if (each.isHidden || each.device !== mount.device || !isInside(mount.root, each.root)) return [];
    const place = path.posix.join(each.point, path.posix.relative(each.root, mount.root));
    // On the host another file system may be mounted above the directory.
    return mountOf(place, own) === each ? [place] : [];
  });
  const [seen, ...found] = await Promise.all([
    directoryAt(guest, mount.point),
    ...places.map((each) => directoryAt(host, each)),
  ]);
  const hostDir = places.find((_, at) => seen !== undefined && found[at] === seen);
  if (hostDir === undefined) return undefined;
  return { guestDir: mount.point, hostDir, ...boundMode };
}

/** Device and inode of a directory; undefined for anything else, and where it cannot be told. */
async function directoryAt(side: Endpoint, file: string): Promise<string | undefined> {
  const { status, stdout } = await side.exec(['stat', '-c', '%F %d %i', file], { timeoutMs: statMs });
  return status === 0 && stdout.startsWith('directory ') ? stdout.trim() : undefined;
}
