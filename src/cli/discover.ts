import type { Endpoint } from '../endpoint/endpoint.ts';
import { KnownError } from '../model/error.ts';
import { type Mode, parseMode } from '../model/mode.ts';
import { shellWord } from '../model/shell-word.ts';
import { boundShares } from '../share/discover/bound-shares.ts';
import { type GuestShares, sharesOfGuest } from '../share/discover/guest-shares.ts';
import type { Machine } from '../share/discover/machines.ts';
import type { Share } from '../share/share.ts';
import { machineAt } from './find-guest.ts';
import type { SideFlags } from './sides.ts';

/**
 * The shares that a guest has mounted, from the running system alone: which directory of the host each is, who
 * serves it, in which mode. A mode that the user declared stands for all of them.
 * @throws KnownError `no-share`, `no-daemon`, `several-shares`, and as the endpoints do.
 */
export async function discoverShares(
  flags: SideFlags,
  guest: Endpoint,
  host: Endpoint,
  machines: readonly Machine[],
): Promise<GuestShares> {
  const machine =
    flags.guest === undefined || host.kind !== 'local' ? undefined : machineAt(flags.guest, machines);
  const found = await sharesOfGuest(guest, host, machines, machine === undefined ? {} : { pid: machine.pid });
  // A guest has none of a virtual machine's where it is a container.
  const shares = found.shares.length > 0 ? found.shares : await boundShares(found.mounts, guest, host);
  if (shares.length === 0) throw await noShares(found, guest, host);
  const declared = flags.mode === undefined ? undefined : parseMode(flags.mode);
  return { ...found, shares: declared === undefined ? shares : shares.map(inMode(declared)) };
}

/**
 * Those that `--share` picks.
 * @throws KnownError `no-share`
 */
export function pickShares(
  shares: readonly Share[],
  { share: names }: Pick<SideFlags, 'share'>,
): readonly Share[] {
  if (names === undefined) return shares;
  const absent = names.find((each) => !shares.some(({ guestDir }) => guestDir === each));
  if (absent === undefined) return shares.filter(({ guestDir }) => names.includes(guestDir));
  throw new KnownError(
    'no-share',
    `--share ${absent}: no share is mounted there`,
    `Known: ${shares.map(({ guestDir }) => guestDir).join(', ')}.`,
  );
}

function inMode(mode: Mode) {
  return (share: Share): Share => ({ ...share, mode, modeHow: '--mode' });
}

async function noShares({ unplaced }: GuestShares, guest: Endpoint, host: Endpoint): Promise<KnownError> {
  const [mount] = unplaced;
  if (mount === undefined)
    return new KnownError(
      'no-share',
      `${guest.name} has no share mounted (virtiofs, 9p over virtio, or a directory of this very kernel)`,
      'Mount it there (mount -t virtiofs TAG DIR), or say which directories are one: --map GUESTDIR=HOSTDIR.',
    );
  const map = `--map ${shellWord(`${mount.point}=${(await isThere(mount.point, host)) ? mount.point : 'HOSTDIR'}`)}`;
  return new KnownError(
    'no-daemon',
    `${guest.name} has the share ${mount.source} on ${mount.point}, and nothing that is seen on ${host.name} serves it`,
    `Say which directory it is: ${map}. Root sees more of other users' daemons; --host names another host.`,
  );
}

/** Lima, Colima and podman machine mount a directory of the host under its own name. */
async function isThere(directory: string, host: Endpoint): Promise<boolean> {
  return (await host.exec(['test', '-d', directory])).status === 0;
}
