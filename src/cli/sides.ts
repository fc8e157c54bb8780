import type { Endpoint } from '../endpoint/endpoint.ts';
import { localEndpoint } from '../endpoint/local.ts';
import { openEndpoint } from '../endpoint/open.ts';
import { connectSsh } from '../endpoint/ssh.ts';
import { labInUse } from '../lab/find.ts';
import type { LabInfo } from '../lab/info.ts';
import { KnownError } from '../model/error.ts';
import { hasWindow, type Mode, parseMode, withDax } from '../model/mode.ts';
import type { SideFacts } from '../model/report.ts';
import { startProbe } from '../probe/install.ts';
import type { ProbeSession } from '../probe/session.ts';
import { parseMap, type Share } from '../share/share.ts';

/** The flags that say where the two sides are (main.ts). */
export interface SideFlags {
  readonly guest?: string;
  readonly host: string;
  readonly map?: readonly string[];
  readonly mode?: string;
  readonly lab?: boolean;
  readonly labName?: string;
  readonly acceptNewHostKey?: boolean;
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
  readonly lab: LabInfo | undefined;
  /** Program versions by name, as far as they are known. */
  readonly versions: Readonly<Record<string, string>>;
  /** Ends both probes and connections; bounded. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Reaches all sides at once and starts a probe on each.
 * @throws KnownError `no-guest`, `no-map`, `no-lab`, and what endpoints and probes throw.
 */
export async function reachSides(flags: SideFlags): Promise<Sides> {
  const { lab, shares } = await knownShares(flags);
  const second = lab?.otherGuests[0];
  const reached = await all([
    () => openGuest(flags, lab),
    () => openHost(flags),
    ...(second === undefined ? [] : [() => connectSsh({ ...second.ssh, strict: true })]),
  ]);
  const [guest, host, guest2] = reached as [ReachedSide, ReachedSide, ReachedSide?];
  const close = async () => {
    await Promise.all(reached.map(closeSide));
  };
  return {
    guest,
    host,
    ...(guest2 === undefined ? {} : { guest2 }),
    shares,
    lab,
    versions: {
      'guest-kernel': guest.session.hello.kernel,
      'host-kernel': host.session.hello.kernel,
      ...Object.fromEntries(
        Object.entries(lab?.programs ?? {}).map(([name, { version }]) => [name, version]),
      ),
    },
    close,
  };
}

/**
 * The shares that the flags name, or those of the lab that they mean; nobody is reached for it.
 * @throws KnownError `no-guest`, `no-map`, `no-lab`.
 */
export async function knownShares(flags: SideFlags): Promise<Pick<Sides, 'lab' | 'shares'>> {
  const lab = flags.guest === undefined ? await labInUse(flags.labName) : undefined;
  if (flags.guest === undefined && lab === undefined) {
    throw new KnownError(
      'no-guest',
      flags.lab === undefined ? 'no guest is named, and no lab is up' : 'no lab is up',
      'Name the guest (--guest ssh://user@host:port --map GUESTDIR=HOSTDIR), or bring a lab up: vfs-verify lab up.',
    );
  }
  return { lab, shares: lab === undefined ? mappedShares(flags) : labShares(lab, flags) };
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

/** Starts all sides at once; when one fails, the others are closed again before the error goes on. */
async function all(openers: readonly (() => Promise<Endpoint>)[]): Promise<ReachedSide[]> {
  const settled = await Promise.allSettled(openers.map(reach));
  const reached = settled.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
  const failed = settled.find((each) => each.status === 'rejected');
  if (failed === undefined) return reached;
  await Promise.all(reached.map(closeSide));
  throw failed.reason;
}

async function reach(open: () => Promise<Endpoint>): Promise<ReachedSide> {
  const endpoint = await open();
  try {
    return { endpoint, session: await startProbe(endpoint) };
  } catch (error) {
    await endpoint.close();
    throw error;
  }
}

async function closeSide({ session, endpoint }: ReachedSide): Promise<void> {
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
  const shares = (flags.map ?? []).map((text) => ({
    ...parseMap(text),
    mode,
    modeHow: mode === undefined ? 'not known' : '--mode',
  }));
  if (shares.length === 0)
    throw new KnownError(
      'no-map',
      'nothing says which directories are one share',
      'Add --map GUESTDIR=HOSTDIR, such as --map /mnt/data=/srv/share.',
    );
  return shares;
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
  return [...own, ...((flags.map ?? []).length > 0 ? mappedShares(flags) : [])];
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
