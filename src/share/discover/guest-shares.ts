import type { Endpoint } from '../../endpoint/endpoint.ts';
import { KnownError } from '../../model/error.ts';
import { shellWord } from '../../model/shell-word.ts';
import { type GuestMount, mountsOfGuest } from '../guest-mounts.ts';
import { uuidsOfGuest } from '../libvirt/guest-uuid.ts';
import type { Share } from '../share.ts';
import type { Machine } from './machines.ts';
import { hostDirectoryAt, type PlacedShare, shareAt } from './served-share.ts';

/** What is known of a guest's shares. */
export interface GuestShares {
  readonly shares: readonly Share[];
  /** Everything that the guest has mounted: a share may have other file systems on it. */
  readonly mounts: readonly GuestMount[];
  /** Mounts of shares of which nothing on the host says where they are. */
  readonly unplaced: readonly GuestMount[];
}

const statMs = 10_000;

/**
 * Finds for each share that a guest has mounted which directory of the host it is. Which machine the guest is, is
 * told by where it was found, else by its UUID; else a mount is placed by its tag and by the directory's inode,
 * which is the same on both sides.
 * @param at `pid`: the machine that the guest is, where that is known already.
 * @throws KnownError `several-shares`, and as the endpoints do.
 */
export async function sharesOfGuest(
  guest: Endpoint,
  host: Endpoint,
  machines: readonly Machine[],
  at: { readonly pid?: number } = {},
): Promise<GuestShares> {
  const [mounts, uuids] = await Promise.all([mountsOfGuest(guest), uuidsOfGuest(guest)]);
  const { own, sure } = machinesOfGuest(machines, uuids, at.pid);
  const shares: Share[] = [];
  const unplaced: GuestMount[] = [];
  for (const mount of mounts.filter((each) => isOfShare(each) && !each.isHidden)) {
    const placed = placedShares(mount, own);
    const isPlain = sure && directoriesOf(mount, placed).length === 1;
    const [first, ...others] = isPlain ? placed : await sameDirectory(mount, placed, guest, host);
    if (first === undefined) unplaced.push(mount);
    else shares.push(shareAt(mount, oneOf(mount, [first, ...others])));
  }
  return { shares: withOtherTags(shares), mounts, unplaced };
}

/** A mount that a host serves: 9p over other transports is somebody else's. */
export function isOfShare({ type, options }: GuestMount): boolean {
  return type === 'virtiofs' || (type === '9p' && options.includes('trans=virtio'));
}

/** The machines that the guest may be; `sure`: it is this one. A machine that has another UUID is another one. */
function machinesOfGuest(
  machines: readonly Machine[],
  uuids: readonly string[],
  pid: number | undefined,
): { readonly own: readonly Machine[]; readonly sure: boolean } {
  const byPid = machines.filter((each) => each.pid === pid);
  if (byPid.length > 0) return { own: byPid, sure: true };
  const byUuid = machines.filter(({ uuid }) => uuid !== undefined && uuids.includes(uuid));
  if (byUuid.length > 0) return { own: byUuid, sure: true };
  return { own: machines.filter(({ uuid }) => uuid === undefined || uuids.length === 0), sure: false };
}

function placedShares({ source, type }: GuestMount, machines: readonly Machine[]): readonly PlacedShare[] {
  return machines.flatMap(({ shares }) =>
    shares.flatMap((share) =>
      share.tag === source && share.type === type && share.hostDir !== undefined
        ? [{ ...share, hostDir: share.hostDir }]
        : [],
    ),
  );
}

function directoriesOf(mount: GuestMount, placed: readonly PlacedShare[]): readonly string[] {
  return [...new Set(placed.map((each) => hostDirectoryAt(mount, each)))];
}

/** Those whose directory has the inode that the guest sees; all where one of the sides does not say. */
async function sameDirectory(
  mount: GuestMount,
  placed: readonly PlacedShare[],
  guest: Endpoint,
  host: Endpoint,
): Promise<readonly PlacedShare[]> {
  if (placed.length === 0) return placed;
  const [seen, ...inodes] = await Promise.all([
    inodeOf(guest, mount.point),
    ...placed.map((each) => inodeOf(host, hostDirectoryAt(mount, each))),
  ]);
  return placed.filter((_, at) => seen === undefined || inodes[at] === undefined || inodes[at] === seen);
}

/** Undefined where it cannot be told: no right to look, a dead daemon. */
async function inodeOf(side: Endpoint, directory: string): Promise<string | undefined> {
  try {
    const { status, stdout } = await side.exec(['stat', '-c', '%i', directory], { timeoutMs: statMs });
    return status === 0 ? stdout.trim() : undefined;
  } catch (error) {
    if (error instanceof KnownError) return undefined;
    throw error;
  }
}

/**
 * Of several that could be meant: what they agree in.
 * @throws KnownError `several-shares` where they are different directories.
 */
function oneOf(mount: GuestMount, placed: readonly [PlacedShare, ...PlacedShare[]]): PlacedShare {
  const [first, ...others] = placed;
  if (others.length === 0) return first;
  const directories = directoriesOf(mount, placed);
  if (directories.length > 1)
    throw new KnownError(
      'several-shares',
      `${mount.point} in the guest (tag ${mount.source}) may be any of ${directories.length} directories of the host`,
      'Say which: one of the flags above.',
      { detail: directories.map((each) => `--map ${shellWord(`${mount.point}=${each}`)}`).join('\n') },
    );
  const { daemonPid: _, vmmPid: __, server, ...alike } = first;
  const sameServer = others.every((each) => each.server === server);
  const sameMode = others.every(({ mode }) => mode?.name === first.mode?.name);
  return {
    ...alike,
    ...(server === undefined || !sameServer ? {} : { server }),
    ...(sameMode
      ? {}
      : {
          mode: undefined,
          modeHow: `not known: ${placed.length} machines have this directory under this tag`,
        }),
  };
}

/** The same directory under another tag has caches of its own. */
function withOtherTags(shares: readonly Share[]): readonly Share[] {
  return shares.map((share) => {
    const other = shares.find(({ hostDir, tag }) => hostDir === share.hostDir && tag !== share.tag);
    return other === undefined ? share : { ...share, elsewhere: { 'guest-other-tag': other.guestDir } };
  });
}
