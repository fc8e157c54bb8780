import { isLinux } from '../ground/look-at-side.ts';
import type { SeenShare } from '../ground/share-facts.ts';
import type { LabInfo } from '../lab/info.ts';
import type { CountersResult, Operation, Stat, StatfsResult } from '../model/operation.ts';
import { staleWorkplaces } from '../run/workplace.ts';
import type { Machine } from '../share/discover/machines.ts';
import { type GuestMount, mountOf } from '../share/guest-mounts.ts';
import type { Share } from '../share/share.ts';
import type { ReachedSide } from './sides.ts';

const limit = { limitMs: 10_000, limitName: 'the limit of a look' } as const;

/** Looks at one share from both sides: names, attributes and counters, and not one byte of a file. */
export async function lookAtShare(
  share: Share,
  at: {
    readonly host: ReachedSide;
    readonly guest: ReachedSide;
    readonly machine: Machine | undefined;
    readonly lab: LabInfo | undefined;
    readonly mounts: readonly GuestMount[];
  },
): Promise<SeenShare> {
  const { host, guest, machine, lab, mounts } = at;
  const { guestDir, hostDir, type, tag, server, mode, modeHow } = share;
  const pid = type === '9p' ? share.vmmPid : share.daemonPid;
  const root = { do: 'stat', path: '.' } as const;
  const [inGuest, onHost, space, names, counters, writable] = await Promise.all([
    ask<Stat>(guest, guestDir, root),
    ask<Stat>(host, hostDir, root),
    ask<StatfsResult>(host, hostDir, { do: 'statfs', path: '.' }),
    ask<{ readonly names: readonly string[] }>(host, hostDir, { do: 'list', path: '.' }),
    pid === undefined ? undefined : ask<CountersResult>(host, '/', { do: 'counters', processes: [pid] }),
    isWritable(host, hostDir),
  ]);
  const refused = counters?.processes[0]?.error;
  const mount = mountOf(guestDir, mounts);
  return {
    ...{ guestDir, hostDir, type, tag, server, mode, modeHow },
    daemon: pid === undefined ? undefined : { pid, ...(refused === undefined ? {} : { refused }) },
    hostIsLinux: isLinux(host.session.hello),
    inodes: { guest: inGuest?.ino, host: onHost?.ino },
    readOnly: !writable || mount?.options.includes('ro') === true,
    freeBytes: space === undefined ? undefined : space.available * space.blockSize,
    memoryShared: machine?.memoryShared,
    via: await viaOf(machine, lab, host),
    leftDirectories: staleWorkplaces(names?.names ?? []),
  };
}

/** The ways of `mode --set` that are open to this user. */
async function viaOf(
  machine: Machine | undefined,
  lab: LabInfo | undefined,
  host: ReachedSide,
): Promise<string | undefined> {
  if (lab !== undefined) return 'lab';
  const qmp = machine?.qmpSocket;
  if (qmp !== undefined && (await isWritable(host, qmp))) return `qmp:${qmp}`;
  return machine?.ofLibvirt === true && machine.name !== undefined ? `libvirt:${machine.name}` : undefined;
}

/** Undefined for whatever kept it from an answer: that is said as "not told". */
async function ask<T>({ session }: ReachedSide, root: string, op: Operation): Promise<T | undefined> {
  const outcome = await session.request(`doctor ${root} ${op.do}`, op, { root, ...limit });
  return outcome.kind === 'value' ? (outcome.value as T) : undefined;
}

/** By access(2), as the user that checks would run as. */
async function isWritable({ endpoint }: ReachedSide, file: string): Promise<boolean> {
  const { status } = await endpoint.exec(['test', '-w', file]);
  return status === 0;
}
