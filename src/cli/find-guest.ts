import type { Endpoint } from '../endpoint/endpoint.ts';
import { localEndpoint } from '../endpoint/local.ts';
import { parseSshTarget } from '../endpoint/ssh-target.ts';
import { labInUse } from '../lab/find.ts';
import type { LabInfo } from '../lab/info.ts';
import { KnownError } from '../model/error.ts';
import { isOfShare } from '../share/discover/guest-shares.ts';
import type { Machine } from '../share/discover/machines.ts';
import { waysInto } from '../share/discover/ways.ts';
import { type GuestMount, mountsOfGuest } from '../share/guest-mounts.ts';
import { uuidsOfGuest } from '../share/libvirt/guest-uuid.ts';
import type { SideFlags } from './sides.ts';

/** A guest that could be meant, and the flag that picks it. */
interface Candidate {
  readonly flag: string;
  readonly words: string;
  readonly found: FoundGuest;
}

/** Which guest is meant: a lab's, or one that `--guest` would name so. */
export type FoundGuest = { readonly lab: LabInfo } | { readonly lab?: undefined; readonly guest: string };

/**
 * The one guest that can be reached from here where no flag names one: of the lab that is up, of a machine that has
 * shares and a way in, or this machine itself where the host is another one.
 * @param host where the machines are.
 * @throws KnownError `no-guest`, `several-guests`, `several-labs`.
 */
export async function findGuest(
  flags: SideFlags,
  host: Endpoint,
  machines: readonly Machine[],
): Promise<FoundGuest> {
  const isHere = host.kind === 'local';
  const lab = isHere ? await labInUse() : undefined;
  // A lab is known by its own state; one that is not, is somebody else's.
  const { mounts: own, uuids } = await lookHere();
  const foreign = machines.filter(
    ({ ofLab, uuid }) => !ofLab && (uuid === undefined || !uuids.includes(uuid)),
  );
  const ways = await Promise.all(foreign.map((each) => waysInto(each, host)));
  const candidates: Candidate[] = [
    ...(lab === undefined ? [] : [labCandidate(lab)]),
    ...foreign.flatMap((machine, at) => {
      const [way] = ways[at] ?? [];
      return way === undefined ? [] : [machineCandidate(machine, way)];
    }),
    ...(isHere || own.length === 0 ? [] : [ownCandidate(own)]),
  ];
  const [only, ...others] = candidates;
  if (only === undefined) throw noGuest(flags, foreign, isHere ? own : [], host);
  if (others.length === 0) return only.found;
  throw new KnownError(
    'several-guests',
    `no guest is named, and ${candidates.length} could be meant`,
    'Say which: one of the flags above.',
    { detail: columns(candidates.map(({ flag, words }) => [flag, words])) },
  );
}

/**
 * The machine that a `--guest` leads to by a port that QEMU forwards to it on this computer.
 * @param machines of this computer: a port here says nothing of those of another host.
 */
export function machineAt(guest: string, machines: readonly Machine[]): Machine | undefined {
  let target: ReturnType<typeof parseSshTarget>;
  try {
    target = parseSshTarget(guest);
  } catch {
    return undefined;
  }
  const { host, port } = target;
  const address = host === 'localhost' ? '127.0.0.1' : host;
  return machines.find(({ sshForwards }) =>
    sshForwards.some((each) => each.port === port && each.host === address),
  );
}

function labCandidate(lab: LabInfo): Candidate {
  return { flag: `--lab=${lab.name}`, words: `the lab "${lab.name}"`, found: { lab } };
}

function machineCandidate(machine: Machine, way: string): Candidate {
  return {
    flag: `--guest ${way}`,
    words: `${nameOf(machine)}: ${machine.shares.map(({ tag }) => tag ?? 'a share without a tag').join(', ')}`,
    found: { guest: way },
  };
}

function ownCandidate(mounts: readonly GuestMount[]): Candidate {
  const points = mounts.map(({ point }) => point).join(', ');
  return { flag: '--guest local', words: `this machine: ${points}`, found: { guest: 'local' } };
}

function nameOf({ name, pid }: Machine): string {
  return `${name === undefined ? 'a machine' : `the machine "${name}"`} (QEMU, pid ${pid})`;
}

function noGuest(
  flags: SideFlags,
  machines: readonly Machine[],
  own: readonly GuestMount[],
  host: Endpoint,
): KnownError {
  const name = 'Name it: --guest ssh://user@host:port.';
  const [machine, ...others] = machines;
  if (machine !== undefined)
    return new KnownError(
      'no-guest',
      others.length === 0
        ? `no guest is named, and no way into ${nameOf(machine)} is known`
        : `no guest is named, and no way into any of ${machines.length} machines with shares is known`,
      name,
      { detail: machines.map(nameOf).join('\n') },
    );
  const [mount] = own;
  if (mount !== undefined)
    return new KnownError(
      'no-host',
      `this machine has the share ${mount.source} on ${mount.point}: it is a guest, and its host is not named`,
      'Name the host: --host ssh://user@host:port.',
    );
  if (host.kind === 'local' && process.platform !== 'linux')
    return new KnownError(
      'no-guest',
      `no guest is named, and machines are looked for on Linux only (this is ${process.platform})`,
      "Name the guest and the directories that are one share: --guest 'exec:limactl shell default' --map GUESTDIR=HOSTDIR.",
    );
  const where = host.kind === 'local' ? 'here' : `on ${host.name}`;
  const lab = flags.host === 'local' ? ', no lab is up' : '';
  return new KnownError(
    'no-guest',
    `no guest is named${lab}, and no virtual machine with a share runs ${where}`,
    'Name the guest (--guest ssh://user@host:port), or bring a lab up: vfs-verify lab up.',
  );
}

/** This machine, were it a guest: its shares, and who it is. None where it does not say. */
async function lookHere(): Promise<{ mounts: readonly GuestMount[]; uuids: readonly string[] }> {
  const here = localEndpoint();
  try {
    const [mounts, uuids] = await Promise.all([mountsOfGuest(here), uuidsOfGuest(here)]);
    return { mounts: mounts.filter(isOfShare), uuids };
  } catch (error) {
    if (error instanceof KnownError) return { mounts: [], uuids: [] };
    throw error;
  } finally {
    await here.close();
  }
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`).join('\n');
}
