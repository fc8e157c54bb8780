import { abilities } from '../ground/abilities.ts';
import { clockFact, clockOffset } from '../ground/clocks.ts';
import { lookAtSide, type SeenSide } from '../ground/look-at-side.ts';
import { type SeenShare, shareFacts } from '../ground/share-facts.ts';
import { sideFacts } from '../ground/side-facts.ts';
import type { LabInfo } from '../lab/info.ts';
import { KnownError } from '../model/error.ts';
import type { Ground, GroundFact, GroundPlace } from '../model/ground.ts';
import type { Machine } from '../share/discover/machines.ts';
import type { Share } from '../share/share.ts';
import { machinesFor, settle, sharesBetween } from './known-shares.ts';
import { withLocalMode } from './local-mode.ts';
import { lookAtShare } from './look-at-share.ts';
import { hasSudo } from './open-sides.ts';
import { ownLeftovers } from './own-leftovers.ts';
import { closeSide, type ReachedSide, reachGuest, reachHost, type SideFlags } from './sides.ts';
import { packageVersion } from './version.ts';

/** Something that was looked for, or the error that kept us from it. */
type Found<T> = { readonly value: T } | { readonly error: KnownError };

/** Everything that can be seen of the sides that the flags name, and of the shares between them. Changes nothing. */
export async function groundOf(flags: SideFlags): Promise<Ground> {
  const [host, settled] = await Promise.all([found(reachHost(flags)), found(settle(flags))]);
  const guest =
    'error' in settled ? settled : await found(reachGuest(settled.value.flags, settled.value.lab));
  try {
    return await lookAround(flags, { host, settled, guest });
  } finally {
    await Promise.all([host, guest].flatMap((each) => ('value' in each ? [closeSide(each.value)] : [])));
  }
}

interface Looked {
  readonly host: Found<ReachedSide>;
  readonly guest: Found<ReachedSide>;
  readonly settled: Found<Awaited<ReturnType<typeof settle>>>;
}

async function lookAround(flags: SideFlags, { host, guest, settled }: Looked): Promise<Ground> {
  const { lab, flags: meant } = 'value' in settled ? settled.value : { lab: undefined, flags };
  const [seenHost, seenGuest] = await Promise.all([
    seen('host', flags.host, host, hasSudo(flags, 'host')),
    seen('guest', guestFlag(meant, lab), guest, hasSudo(flags, 'guest')),
  ]);
  const shares =
    'value' in host && 'value' in guest ? await sharesSeen(meant, lab, host.value, guest.value) : [];
  const clock =
    'value' in host && 'value' in guest
      ? [clockFact(await clockOffset(guest.value.session, host.value.session))]
      : [];
  const places: GroundPlace[] = [
    {
      ...{ where: 'host', name: 'value' in host ? host.value.endpoint.name : flags.host },
      facts: [...factsOf(seenHost, host), ...(await ownLeftovers())],
    },
    {
      ...{
        where: 'guest',
        name: 'value' in guest ? guest.value.endpoint.name : (meant.guest ?? 'not known'),
      },
      facts: [...factsOf(seenGuest, guest), ...clock],
    },
    ...('error' in shares
      ? [{ where: 'share' as const, name: 'not known', facts: [unreached('place', shares.error)] }]
      : shares.map((each) => ({
          ...{ where: 'share' as const, name: `${each.guestDir} = ${each.hostDir}` },
          facts: shareFacts(each),
        }))),
  ];
  return {
    schema: 'vfs-verify/doctor/1',
    tool: { name: 'vfs-verify', version: packageVersion() },
    abilities: abilities(seenHost, seenGuest, 'error' in shares ? [] : shares),
    places,
  };
}

function guestFlag({ guest }: SideFlags, lab: LabInfo | undefined): string {
  return guest ?? (lab === undefined ? '' : `ssh://root@${lab.ssh.host}:${lab.ssh.port}`);
}

async function seen(
  where: 'host' | 'guest',
  flag: string,
  side: Found<ReachedSide>,
  bySudo: boolean,
): Promise<SeenSide | undefined> {
  if ('error' in side) return undefined;
  const { endpoint, session } = side.value;
  return {
    ...{ where, flag, bySsh: endpoint.kind === 'ssh', bySudo, hello: session.hello },
    ground: await lookAtSide(endpoint),
  };
}

function factsOf(side: SeenSide | undefined, found: Found<ReachedSide>): readonly GroundFact[] {
  if ('error' in found) return [unreached('reached', found.error)];
  return side === undefined ? [] : sideFacts(side);
}

function unreached(about: string, { message, cure, detail }: KnownError): GroundFact {
  return { about, state: 'missing', said: [message, ...(detail?.split('\n') ?? [])].join('; '), cure };
}

async function sharesSeen(
  flags: SideFlags,
  lab: LabInfo | undefined,
  host: ReachedSide,
  guest: ReachedSide,
): Promise<readonly SeenShare[] | { readonly error: KnownError }> {
  const machines = await machinesFor(flags, host.endpoint);
  const known = await found(sharesBetween(flags, lab, guest.endpoint, host.endpoint, machines));
  if ('error' in known) return known;
  const { shares, mounts } = known.value;
  return Promise.all(
    shares.map(async (each) =>
      lookAtShare(await withLocalMode(each, guest, host), {
        ...{ host, guest, lab },
        machine: machineOf(each, machines),
        mounts: mounts ?? [],
      }),
    ),
  );
}

function machineOf({ vmmPid }: Share, machines: readonly Machine[]): Machine | undefined {
  return machines.find(({ pid }) => pid === vmmPid);
}

async function found<T>(promise: Promise<T>): Promise<Found<T>> {
  try {
    return { value: await promise };
  } catch (error) {
    if (error instanceof KnownError) return { error };
    throw error;
  }
}
