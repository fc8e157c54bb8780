import type { Endpoint } from '../../endpoint/endpoint.ts';
import { KnownError } from '../../model/error.ts';
import type { Mode } from '../../model/mode.ts';
import { allCommandLines, processesAt, unixSockets } from '../daemon.ts';
import { type DaemonKind, kindOfDaemon, programOfWords, serverOfKind } from '../daemon-kind.ts';
import { directoryOfWords, modeOfWords } from '../daemon-words.ts';
import { type ServedShare, shareAt } from '../discover/served-share.ts';
import { mountsOfGuest } from '../guest-mounts.ts';
import type { Share } from '../share.ts';
import { type Domain, type DomainShare, parseDomain } from './domain.ts';
import { uuidsOfGuest } from './guest-uuid.ts';
import { modeOfDescription } from './modes.ts';
import { type Libvirt, liveXml, runningDomains, virsh } from './virsh.ts';

/** A directory that a running domain's guest may have mounted. Its hostDir is unknown where libvirt did not start the daemon. */
export interface DomainShareFound extends ServedShare {
  readonly domain: string;
  /** Of the machine: what its guest has in /sys/class/dmi/id/product_uuid. */
  readonly uuid: string;
  readonly tag: string;
}

/** The process behind a share of a running domain, and what serves there. */
export interface ServedBy {
  readonly pid: number | undefined;
  readonly kind: DaemonKind | undefined;
  readonly mode: Mode | undefined;
  /** How the mode is known, in words. */
  readonly how: string;
}

/**
 * Every share of every running domain.
 * @throws KnownError as `virsh` does.
 */
export async function sharesOfDomains(libvirt: Libvirt): Promise<readonly DomainShareFound[]> {
  const found: DomainShareFound[] = [];
  for (const name of await runningDomains(libvirt)) {
    const domain = await domainIfThere(libvirt, name);
    for (const share of domain?.shares ?? []) {
      if (domain === undefined) continue;
      const served = share.type === '9p' ? undefined : await servedBy(libvirt, domain, share);
      found.push({
        ...{ domain: domain.name, uuid: domain.uuid, tag: share.tag, type: share.type },
        hostDir: share.hostDir,
        ...(served?.pid === undefined ? {} : { daemonPid: served.pid }),
        ...(served === undefined ? { server: 'QEMU' } : serverOfKind(served.kind)),
        mode: served?.mode,
        modeHow: served?.how ?? "not known: 9p's mode is an option of the guest's mount",
      });
    }
  }
  return found;
}

/**
 * What a guest has mounted, as shares of the domain that it is: "this guest path is that host path, served by this
 * process in this mode". Empty where no running domain is this guest, or the guest does not say who it is.
 * @throws KnownError as `virsh` and the guest's endpoint do.
 */
export async function sharesWithGuest(libvirt: Libvirt, guest: Endpoint): Promise<readonly Share[]> {
  const [uuids, mounts] = await Promise.all([uuidsOfGuest(guest), mountsOfGuest(guest)]);
  if (uuids.length === 0) return [];
  const own = (await sharesOfDomains(libvirt)).filter(({ uuid }) => uuids.includes(uuid.toLowerCase()));
  return mounts.flatMap((mount) => {
    const found = own.find(({ tag, type }) => tag === mount.source && type === mount.type);
    return found?.hostDir === undefined ? [] : [shareAt(mount, { ...found, hostDir: found.hostDir })];
  });
}

/** One that has ended since the list was made is left out. */
async function domainIfThere(libvirt: Libvirt, name: string): Promise<Domain | undefined> {
  try {
    return parseDomain(await liveXml(libvirt, name));
  } catch (error) {
    if (error instanceof KnownError && error.code === 'libvirt-refused') return undefined;
    throw error;
  }
}

/**
 * The addresses of a domain's guest, where libvirt knows any: what its own network leased, else what the guest's
 * agent says, else the ARP table.
 */
export async function addressesOf(libvirt: Libvirt, domain: string): Promise<readonly string[]> {
  for (const source of ['lease', 'agent', 'arp']) {
    const text = await virsh(libvirt, ['domifaddr', domain, '--source', source]).catch(unlessRefused);
    const found = addressesIn(text ?? '');
    if (found.length > 0) return found;
  }
  return [];
}

function unlessRefused(error: unknown): undefined {
  if (error instanceof KnownError && error.code === 'libvirt-refused') return undefined;
  throw error;
}

/** Reads the table of `virsh domifaddr`, without addresses that lead nowhere from here. */
export function addressesIn(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const [, address] = /\s(?:ipv4|ipv6)\s+(\S+?)\/\d+\s*$/.exec(line) ?? [];
    return address === undefined || /^(127\.|::1$|fe80:)/.test(address) ? [] : [address];
  });
}

/**
 * What serves a share of a running domain. The daemon's own command line comes before the domain's description:
 * what libvirt starts may be a script that adds to it.
 */
export async function servedBy(libvirt: Libvirt, domain: Domain, share: DomainShare): Promise<ServedBy> {
  const process = libvirt.host.kind === 'local' ? processOf(domain, share) : undefined;
  const program =
    process === undefined ? (share.binary === undefined ? [] : [share.binary]) : programOfWords(process.argv);
  const kind = await kindOfDaemon(libvirt.host, program);
  if (process !== undefined && kind !== undefined)
    return {
      ...{ pid: process.pid, kind },
      mode: modeOfWords(process.argv, kind.server),
      how: "the command line of the domain's daemon",
    };
  if (share.externalSocket !== undefined)
    return { pid: undefined, kind, mode: undefined, how: 'not known: libvirt did not start the daemon' };
  const mode = kind === undefined ? undefined : modeOfDescription(share, kind.server);
  const how =
    kind === undefined ? 'not known: which virtiofsd serves it is not seen' : "the domain's description";
  return { pid: process?.pid, kind, mode, how };
}

/**
 * A domain's daemon has a socket in the domain's own directory, which is named after the domain's number, and its
 * description has the daemon's directory. Two libvirts of one machine may have the same number.
 */
function processOf(
  { id }: Domain,
  { alias, hostDir, externalSocket }: DomainShare,
): { readonly pid: number; readonly argv: readonly string[] } | undefined {
  const addresses = socketAddresses().filter((each) =>
    externalSocket === undefined
      ? id !== undefined && alias !== undefined && isDomainSocket(each, id, alias)
      : each === externalSocket,
  );
  const pids = new Set(addresses.flatMap(processesAt));
  const serving = allCommandLines().filter(({ pid, argv }) => {
    const directory = directoryOfWords(argv);
    return pids.has(pid) && directory !== undefined && (hostDir === undefined || directory === hostDir);
  });
  const [first] = serving;
  return new Set(serving.map(({ argv }) => argv.join('\0'))).size === 1 ? first : undefined;
}

function isDomainSocket(address: string, id: string, alias: string): boolean {
  const [file, directory = ''] = address.split('/').reverse();
  return directory.startsWith(`domain-${id}-`) && file === `${alias}-fs.sock`;
}

function socketAddresses(): readonly string[] {
  return [...new Set(unixSockets().flatMap((line) => /\s(\/\S.*)$/.exec(line)?.[1] ?? []))];
}
