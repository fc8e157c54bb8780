import type { Endpoint } from '../endpoint/endpoint.ts';
import { localEndpoint } from '../endpoint/local.ts';
import { openEndpoint } from '../endpoint/open.ts';
import { connectSsh } from '../endpoint/ssh.ts';
import { bySudo, requireSudo } from '../endpoint/sudo.ts';
import { labInUse } from '../lab/find.ts';
import type { LabInfo } from '../lab/info.ts';
import { KnownError } from '../model/error.ts';
import { hasWindow, type Mode, parseMode, withDax } from '../model/mode.ts';
import type { SideFacts } from '../model/report.ts';
import { startProbe } from '../probe/install.ts';
import { withPrivileges } from '../probe/privileged.ts';
import type { ProbeSession } from '../probe/session.ts';
import { machinesOn } from '../share/discover/look.ts';
import type { Machine } from '../share/discover/machines.ts';
import type { GuestMount } from '../share/guest-mounts.ts';
import { parseMap, type Share } from '../share/share.ts';
import { discoverShares } from './discover.ts';
import { findGuest } from './find-guest.ts';

/** The flags that say where the two sides are (main.ts). */
export interface SideFlags {
  readonly guest?: string;
  readonly host: string;
  readonly map?: readonly string[];
  readonly mode?: string;
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
    return {
      guest,
      host,
      ...(guest2 === undefined ? {} : { guest2 }),
      ...found,
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
export function machinesFor(flags: SideFlags, host: Endpoint): Promise<readonly Machine[]> {
  return machinesOn(host, hasSudo(flags, 'host') ? bySudo(host) : host);
}

/** A lab knows its shares, a user may name them; else the running system is asked. */
export async function sharesBetween(
  flags: SideFlags,
  lab: LabInfo | undefined,
  guest: Endpoint,
  host: Endpoint,
  machines: readonly Machine[] | undefined,
): Promise<Pick<Sides, 'shares' | 'mounts'>> {
  if (lab !== undefined) return { shares: labShares(lab, flags) };
  if ((flags.map ?? []).length > 0) return { shares: mappedShares(flags) };
  return discoverShares(flags, guest, host, machines ?? (await machinesFor(flags, host)));
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
  if (lab !== undefined) return { lab, shares: labShares(lab, flags), flags };
  if ((flags.map ?? []).length > 0) return { lab, shares: mappedShares(flags), flags };
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
  return lab === undefined ? { ...flags, map: [`${guestDir}=${hostDir}`] } : flags;
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

/** Connects to the guest. */
export async function openGuest(flags: SideFlags, lab: LabInfo | undefined): Promise<Endpoint> {
  return lab === undefined
    ? openEndpoint(flags.guest ?? '', options(flags))
    : connectSsh({ ...lab.ssh, strict: true });
}

/** Connects to the host. */
export async function openHost(flags: SideFlags): Promise<Endpoint> {
  return flags.host === 'local' ? localEndpoint() : openEndpoint(flags.host, options(flags));
}

function options(flags: SideFlags): { acceptNewHostKey?: boolean } {
  return flags.acceptNewHostKey === undefined ? {} : { acceptNewHostKey: flags.acceptNewHostKey };
}

/** Connects to the guest and starts a probe there. */
export function reachGuest(flags: SideFlags, lab: LabInfo | undefined): Promise<ReachedSide> {
  return reach(() => openGuest(flags, lab), hasSudo(flags, 'guest'));
}

/** Connects to the host and starts a probe there. */
export function reachHost(flags: SideFlags): Promise<ReachedSide> {
  return reach(() => openHost(flags), hasSudo(flags, 'host'));
}

/** @throws KnownError `bad-flag` */
function hasSudo({ sudo }: SideFlags, side: 'host' | 'guest'): boolean {
  if (sudo === undefined || sudo === 'both' || sudo === side) return sudo !== undefined;
  if (sudo === 'host' || sudo === 'guest') return false;
  throw new KnownError('bad-flag', `--sudo ${sudo} is not known`, 'Use host, guest or both.');
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
    if (sudo) await requireSudo(endpoint);
    const session = await startProbe(endpoint);
    const asRoot = () => startProbe(bySudo(endpoint));
    return { endpoint, session: sudo && session.hello.uid !== 0 ? withPrivileges(session, asRoot) : session };
  } catch (error) {
    await endpoint.close();
    throw error;
  }
}

export async function closeSide({ session, endpoint }: ReachedSide): Promise<void> {
  await session.close();
  await endpoint.close();
}

/** Facts of a side for the report's environment. */
export function sideFacts({ endpoint, session }: ReachedSide): SideFacts {
  const { kernel, arch, uid, pageSize } = session.hello;
  return { name: endpoint.name, kernel, arch, uid, pageSize };
}

function declaredMode(flags: SideFlags): Mode | undefined {
  return flags.mode === undefined ? undefined : parseMode(flags.mode);
}

function mappedShares(flags: SideFlags): Share[] {
  const mode = declaredMode(flags);
  return (flags.map ?? []).map((text) => ({
    ...parseMap(text),
    mode,
    modeHow: mode === undefined ? 'not known' : '--mode',
  }));
}

function labShares(lab: LabInfo, flags: SideFlags): Share[] {
  const own = Object.entries(lab.mounts).map(([name, guestDir]): Share => {
    const mode = parseMode(name);
    const daemon = lab.daemons[name];
    return {
      guestDir,
      hostDir: lab.hostDir,
      mode,
      modeHow: mode.server === '9p' ? "the lab's own mount" : "the lab's own daemon",
      type: mode.server === '9p' ? '9p' : 'virtiofs',
      ...(lab.tags[name] === undefined ? {} : { tag: lab.tags[name] }),
      ...(daemon === undefined ? {} : { daemonPid: daemon.pid }),
      vmmPid: lab.qemu.pid,
      qmpSocket: lab.qemu.qmpSocket,
      elsewhere: elsewhereIn(lab, mode),
      ...serverOf(mode, lab),
    };
  });
  return [...own, ...mappedShares(flags)];
}

/** Under another tag in the same mode, or in another mode: two tags are two caches all the same. */
function elsewhereIn(lab: LabInfo, mode: Mode): NonNullable<Share['elsewhere']> {
  const others = Object.entries(lab.mounts).filter(([name]) => name !== mode.name);
  const like =
    (hasWindow(mode) ? others.find(([name]) => hasWindow(parseMode(name))) : undefined) ??
    others.find(([name]) => parseMode(name).server === mode.server) ??
    others[0];
  const otherTag = lab.otherTags[mode.name] ?? like?.[1];
  const control = hasWindow(mode) ? lab.mounts[withDax(mode, 'never').name] : undefined;
  const guest2 = lab.otherGuests[0]?.mounts[mode.name];
  return {
    ...(otherTag === undefined ? {} : { 'guest-other-tag': otherTag }),
    ...(control === undefined ? {} : { 'guest-without-dax': control }),
    ...(guest2 === undefined ? {} : { guest2 }),
  };
}

function serverOf(mode: Mode, { programs }: LabInfo): { server?: string } {
  const [name, program] =
    mode.server === '9p'
      ? ['QEMU', programs.qemu]
      : mode.server === 'c'
        ? ['virtiofsd in C', programs['c-virtiofsd']]
        : mode.dax === undefined
          ? ['virtiofsd', programs.virtiofsd]
          : ["the lab's own backend", programs['lab-backend']];
  return program === undefined ? {} : { server: `${name} ${program.version}` };
}
