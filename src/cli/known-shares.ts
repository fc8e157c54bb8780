import type { Endpoint } from '../endpoint/endpoint.ts';
import { seeingBySudo } from '../endpoint/sudo.ts';
import { labInUse } from '../lab/find.ts';
import type { LabInfo } from '../lab/info.ts';
import { KnownError } from '../model/error.ts';
import { appleModeHow, isAppleMachine } from '../share/apple.ts';
import { machinesOn } from '../share/discover/look.ts';
import type { Machine } from '../share/discover/machines.ts';
import type { Share } from '../share/share.ts';
import { discoverShares, pickShares } from './discover.ts';
import { findGuest } from './find-guest.ts';
import { labShares, mappedShares } from './named-shares.ts';
import { hasSudo, openGuest, openHost } from './open-sides.ts';
import type { SideFlags, Sides } from './sides.ts';

/** Flags that name both sides, and what was seen of the host while the guest was looked for. */
export interface Settled {
  readonly lab: LabInfo | undefined;
  readonly flags: SideFlags;
  readonly machines: readonly Machine[] | undefined;
}

/** Says which guest is meant. Nobody is reached for it but the host. */
export async function settle(flags: SideFlags): Promise<Settled> {
  if (flags.guest !== undefined) return { lab: undefined, flags, machines: undefined };
  if (flags.lab === true) {
    const lab = await labInUse(flags.labName);
    if (lab === undefined) throw new KnownError('no-lab', 'no lab is up', 'Bring one up: vfs-verify lab up.');
    return { lab, flags, machines: undefined };
  }
  const host = await openHost(flags);
  try {
    const machines = await machinesFor(flags, host);
    const found = await findGuest(flags, host, machines);
    return found.lab === undefined
      ? { lab: undefined, flags: { ...flags, guest: found.guest }, machines }
      : { lab: found.lab, flags, machines };
  } finally {
    await host.close();
  }
}

/** The machines of the host, with what its user, or with --sudo root, sees of them. */
export async function machinesFor(flags: SideFlags, host: Endpoint): Promise<readonly Machine[]> {
  return machinesOn(host, hasSudo(flags, 'host') ? await seeingBySudo(host) : host);
}

/** A lab knows its shares, a user may name them; else the running system is asked. */
export async function sharesBetween(
  flags: SideFlags,
  lab: LabInfo | undefined,
  guest: Endpoint,
  host: Endpoint,
  machines: readonly Machine[] | undefined,
): Promise<Pick<Sides, 'shares' | 'mounts'>> {
  const named = namedShares(flags, lab);
  if (named !== undefined) return { shares: await sayingWhose(named, guest) };
  const found = await discoverShares(flags, guest, host, machines ?? (await machinesFor(flags, host)));
  return { ...found, shares: pickShares(found.shares, flags) };
}

/** Where the mode of a share that somebody named is not known, and cannot be, why. */
async function sayingWhose(shares: readonly Share[], guest: Endpoint): Promise<readonly Share[]> {
  if (shares.every(({ mode }) => mode !== undefined) || !(await isAppleMachine(guest))) return shares;
  return shares.map((share) => (share.mode === undefined ? { ...share, modeHow: appleModeHow } : share));
}

/** Undefined where nobody names any. */
function namedShares(flags: SideFlags, lab: LabInfo | undefined): readonly Share[] | undefined {
  if (lab !== undefined) return pickShares(labShares(lab, flags), flags);
  return (flags.map ?? []).length > 0 ? pickShares(mappedShares(flags), flags) : undefined;
}

/**
 * The shares that the flags name, or those of the lab that they mean, or those that the guest is found to have; no
 * probe is started for it.
 * @throws KnownError as `reachSides` does.
 */
export async function knownShares(
  given: SideFlags,
): Promise<Pick<Sides, 'lab' | 'shares' | 'mounts' | 'flags'>> {
  const { lab, flags, machines } = await settle(given);
  const named = namedShares(flags, lab);
  if (named !== undefined) return { lab, shares: named, flags };
  const [guest, host] = await Promise.all([openGuest(flags, lab), openHost(flags)]);
  try {
    return { lab, flags, ...(await sharesBetween(flags, lab, guest, host, machines)) };
  } finally {
    await Promise.all([guest.close(), host.close()]);
  }
}

/** The flags that lead to this very share again, so that nothing is looked for while it is away. */
export function onShare(
  { flags, lab }: Pick<Sides, 'flags' | 'lab'>,
  { guestDir, hostDir }: Share,
): SideFlags {
  return lab === undefined ? { ...flags, map: [`${guestDir}=${hostDir}`], share: [guestDir] } : flags;
}
