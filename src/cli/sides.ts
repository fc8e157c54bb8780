import type { Endpoint } from '../endpoint/endpoint.ts';
import { connectSsh } from '../endpoint/ssh.ts';
import type { LabInfo } from '../lab/info.ts';
import type { SideFacts } from '../model/report.ts';
import { probeBySudo } from '../probe/by-sudo.ts';
import { startProbe } from '../probe/install.ts';
import { withPrivileges } from '../probe/privileged.ts';
import type { ProbeSession } from '../probe/session.ts';
import type { GuestMount } from '../share/guest-mounts.ts';
import type { Share } from '../share/share.ts';
import { settle, sharesBetween } from './known-shares.ts';
import { withLocalMode } from './local-mode.ts';
import { hasSudo, openGuest, openHost } from './open-sides.ts';

/** For output that is still on its way into a pipe. */
const lastWordsMs = 3000;

/** The flags that say where the two sides are (program.ts). */
export interface SideFlags {
  readonly guest?: string;
  readonly host: string;
  readonly map?: readonly string[];
  /** Of the shares that are found, those mounted there in the guest. */
  readonly share?: readonly string[];
  readonly mode?: string;
  /** The mode of a share by its directory in the guest, where the file of settings says it. */
  readonly modeOf?: Readonly<Record<string, string>>;
  readonly lab?: boolean;
  readonly labName?: string;
  readonly acceptNewHostKey?: boolean;
  /** `host`, `guest` or `both`. */
  readonly sudo?: string;
}

/** One side, reached. */
export interface ReachedSide {
  readonly endpoint: Endpoint;
  readonly session: ProbeSession;
}

/** Both sides, reached, and a second guest where there is one, and the shares that are known between them. */
export interface Sides {
  readonly guest: ReachedSide;
  readonly host: ReachedSide;
  /** Another guest of the same shares, where a lab has one. */
  readonly guest2?: ReachedSide;
  readonly shares: readonly Share[];
  /** What the guest has mounted, where the shares were found by it. */
  readonly mounts?: readonly GuestMount[];
  readonly lab: LabInfo | undefined;
  /** The flags, with the guest that was found where they name none. */
  readonly flags: SideFlags;
  /** Program versions by name, as far as they are known. */
  readonly versions: Readonly<Record<string, string>>;
  /** Ends both probes and connections; bounded. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Reaches all sides at once and starts a probe on each. Where no flag names a guest or a share, the running system
 * is asked.
 * @throws KnownError `no-guest`, `several-guests`, `no-lab`, as `discoverShares` does, and what endpoints and
 * probes throw.
 */
export async function reachSides(given: SideFlags): Promise<Sides> {
  const { lab, flags, machines } = await settle(given);
  const second = lab?.otherGuests[0];
  const reached = await all([
    () => reachGuest(flags, lab),
    () => reachHost(flags),
    ...(second === undefined ? [] : [() => reach(() => connectSsh({ ...second.ssh, strict: true }), false)]),
  ]);
  const [guest, host, guest2] = reached as [ReachedSide, ReachedSide, ReachedSide?];
  const close = async () => {
    await Promise.all(reached.map(closeSide));
  };
  try {
    const found = await sharesBetween(flags, lab, guest.endpoint, host.endpoint, machines);
    const shares = await Promise.all(found.shares.map((share) => withLocalMode(share, guest, host)));
    return {
      guest,
      host,
      ...(guest2 === undefined ? {} : { guest2 }),
      ...found,
      shares,
      lab,
      flags,
      versions: {
        'guest-kernel': guest.session.hello.kernel,
        'host-kernel': host.session.hello.kernel,
        ...(lab === undefined ? versionOf(found.shares) : versionsIn(lab)),
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function versionsIn({ programs }: LabInfo): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(programs).map(([name, { version }]) => [name, version]));
}

/** That of the daemons, where they are all the same. */
function versionOf(shares: readonly Share[]): Readonly<Record<string, string>> {
  const servers = [...new Set(shares.flatMap(({ mode, server }) => (mode?.server === 'rust' ? server : [])))];
  const [only = '', ...others] = servers;
  const version = /^virtiofsd (\S+)$/.exec(only)?.[1];
  return version === undefined || others.length > 0 ? {} : { virtiofsd: version };
}

/** Connects to the guest and starts a probe there. */
export async function reachGuest(flags: SideFlags, lab: LabInfo | undefined): Promise<ReachedSide> {
  return reach(() => openGuest(flags, lab), hasSudo(flags, 'guest'));
}

/** Connects to the host and starts a probe there. */
export async function reachHost(flags: SideFlags): Promise<ReachedSide> {
  return reach(() => openHost(flags), hasSudo(flags, 'host'));
}

/** Starts all sides at once; when one fails, the others are closed again before the error goes on. */
async function all(openers: readonly (() => Promise<ReachedSide>)[]): Promise<ReachedSide[]> {
  const settled = await Promise.allSettled(openers.map((open) => open()));
  const reached = settled.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
  const failed = settled.find((each) => each.status === 'rejected');
  if (failed === undefined) return reached;
  await Promise.all(reached.map(closeSide));
  throw failed.reason;
}

async function reach(open: () => Promise<Endpoint>, sudo: boolean): Promise<ReachedSide> {
  const endpoint = await open();
  try {
    const session = await startProbe(endpoint);
    if (!sudo || session.hello.uid === 0) return { endpoint, session };
    const asRoot = await probeBySudo(endpoint, session.hello.arch).catch(async (error: unknown) => {
      await session.close();
      throw error;
    });
    return { endpoint, session: withPrivileges(session, asRoot) };
  } catch (error) {
    await endpoint.close();
    throw error;
  }
}

/** Ends the probe and the connection. */
export async function closeSide({ session, endpoint }: ReachedSide): Promise<void> {
  const { leftBehind } = await session.close();
  await endpoint.close();
  if (leftBehind.some(({ pid }) => pid === process.pid)) endBeforeLong();
}

/**
 * A call that hangs in the kernel, in this very process (plain node in place of the probe), keeps it from ending:
 * process.exit() waits for it too. Everything is said and closed by then.
 */
function endBeforeLong(): void {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), lastWordsMs).unref();
}

/** Facts of a side for the report's environment. */
export function sideFacts({ endpoint, session }: ReachedSide): SideFacts {
  const { kernel, arch, uid, pageSize } = session.hello;
  return { name: endpoint.name, kernel, arch, uid, pageSize };
}
