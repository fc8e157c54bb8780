import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KnownError } from '../../model/error.ts';
import type { Mode } from '../../model/mode.ts';
import { shellWord } from '../../model/shell-word.ts';
import { type GuestMount, mountsOfGuest } from '../guest-mounts.ts';
import { type Domain, type DomainShare, parseDomain } from '../libvirt/domain.ts';
import { uuidsOfGuest } from '../libvirt/guest-uuid.ts';
import { type Daemon, describedIn } from '../libvirt/modes.ts';
import { type ServedBy, servedBy } from '../libvirt/shares.ts';
import {
  define,
  definitionOf,
  type Libvirt,
  liveXml,
  reaches,
  runningDomains,
  stateOf,
  virsh,
  virshByHand,
} from '../libvirt/virsh.ts';
import { type MountWish, mountStep, toggledMount } from './guest-steps.ts';
import type { ToggleForm, TogglePlace, ToggleStep } from './toggle.ts';

/** A share of a domain, with all that it takes to have the domain as it was. */
interface LibvirtShare {
  readonly uri: string | undefined;
  readonly domain: string;
  readonly tag: string;
  readonly daemon: Daemon;
  /** What the domain is started from. */
  readonly definition: string;
  /** What the share's daemon was told when the domain was started. */
  readonly told: string;
  /** The share's mount in the guest first, then those of the guest's other shares. */
  readonly mounts: readonly MountWish[];
}

/** What a step leaves behind: the guest was asked to end, in the run of the domain that has this number. */
interface About {
  readonly off: string;
}

/** From libvirt's request to switch off, which a guest may ignore, to that of the guest's own. */
const politeMs = 2000;
const offLimitMs = 120_000;
/** How long a guest that was asked to end by a toggle that did not go on may take to do so. */
const goesOffMs = 20_000;
const upLimitMs = 180_000;

/**
 * A domain of libvirt's. It can change a running domain's share only by taking it away and plugging it again,
 * which has crashed libvirt (9.0): so the domain is defined anew and started again, which the user must agree to.
 */
export const libvirtToggle: ToggleForm = {
  name: 'libvirt',
  usage: ['libvirt[:[URI#]DOMAIN]', 'a libvirt domain: defined anew and started again, with --restart-guest'],
  async look(place) {
    const mount = await toggledMount(place);
    const { libvirt, domain, share } = await findShare(place, mount);
    const definition = await requireRestartable(libvirt, domain, share);
    const { kind, mode, how } = await servedBy(libvirt, domain, share);
    const daemon = kind?.server ?? declaredDaemon(place);
    const others = (await mountsOfGuest(await place.guest())).filter(
      ({ type, root, point }) =>
        (type === 'virtiofs' || type === '9p') && root === '/' && point !== mount.point,
    );
    const own: LibvirtShare = {
      uri: libvirt.uri,
      domain: domain.name,
      tag: share.tag,
      daemon,
      definition,
      told: toldOf(share),
      mounts: [mount, ...others].map(({ point, type, source, options }) => ({
        point,
        type,
        source,
        options,
      })),
    };
    return { mode: mode?.name, how, own };
  },
  async steps(place, mode, original) {
    const own = original.own as LibvirtShare;
    const libvirt = libvirtOf(place, own);
    const { share } = shareIn(parseDomain(own.definition), own.tag);
    const { id } = parseDomain(await liveXml(libvirt, own.domain));
    const wanted = describedIn(own.definition, share, mode, own.daemon);
    const changed = changedLines(own.definition, wanted);
    const file = path.join(place.directory, 'domain-changed.xml');
    const steps = [
      defineStep(libvirt, own.domain, wanted, file, `in mode ${mode.name}`),
      ...restartSteps(place, libvirt, own, id),
      provenStep(libvirt, own, mode),
    ];
    if (!place.restartGuest) throw needsConsent(own.domain, steps, changed);
    return { steps };
  },
  async stepsBack(place, original, begun) {
    const own = original.own as LibvirtShare;
    const libvirt = libvirtOf(place, own);
    const steps: ToggleStep[] = [];
    if ((await definitionOf(libvirt, own.domain)) !== own.definition) {
      const file = path.join(place.directory, 'domain-original.xml');
      // Written now: the commands that are printed when something fails name it.
      write(file, own.definition);
      steps.push(defineStep(libvirt, own.domain, own.definition, file, 'as it was'));
    }
    const asked = (begun as readonly About[]).map(({ off }) => off);
    if (await staysOn(libvirt, own.domain, asked)) {
      const live = parseDomain(await liveXml(libvirt, own.domain));
      if (toldOf(shareIn(live, own.tag).share) === own.told)
        return { steps: [...steps, ...(await missingMounts(place, own))] };
      const restart = restartSteps(place, libvirt, own, live.id);
      if (!place.restartGuest) throw needsConsent(own.domain, [...steps, ...restart], []);
      return { steps: [...steps, ...restart, backStep(libvirt, own, original.mode)] };
    }
    return {
      steps: [
        ...steps,
        ...restartSteps(place, libvirt, own, undefined),
        backStep(libvirt, own, original.mode),
      ],
    };
  },
};

/**
 * Whether a domain runs and goes on: one whose guest was asked to end, in the run with this number, may still do
 * so, and is waited for.
 */
async function staysOn(libvirt: Libvirt, domain: string, asked: readonly string[]): Promise<boolean> {
  if ((await stateOf(libvirt, domain)) !== 'running') return false;
  const { id } = parseDomain(await liveXml(libvirt, domain));
  return id === undefined || !asked.includes(id) || !(await reaches(libvirt, domain, 'shut off', goesOffMs));
}

/**
 * Reads `DOMAIN`, `URI#DOMAIN` or `URI#`: a URI has "://", and in a domain's name a "#" is allowed.
 */
export function parseLibvirt(argument: string | undefined): {
  readonly uri: string | undefined;
  readonly domain: string | undefined;
} {
  const text = argument ?? '';
  const [uri, domain] = text.includes('://') ? split(text) : [undefined, text];
  return { uri, domain: domain === '' ? undefined : domain };
}

function split(text: string): [string, string] {
  const at = text.indexOf('#');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** Where a share of a running domain is, in libvirt's words. */
interface FoundShare {
  readonly libvirt: Libvirt;
  readonly domain: Domain;
  readonly share: DomainShare;
}

/**
 * The domain that this guest is, and the device of its mount. Tags are common words: a domain is taken only when
 * its machine is this guest, or when the guest does not tell and the user named the domain.
 * @throws KnownError `use-remount`, `no-domain`, `other-machine`, `several-domains`.
 */
async function findShare(place: TogglePlace, mount: GuestMount): Promise<FoundShare> {
  if (mount.type === '9p')
    throw new KnownError(
      'use-remount',
      `${mount.point} is 9p: its mode is an option of the guest's mount, and libvirt is not asked`,
      'Use --via remount.',
    );
  const { uri, domain: named } = parseLibvirt(place.argument);
  const libvirt = { host: place.host, uri };
  const names = named === undefined ? await runningDomains(libvirt) : [named];
  const uuids = await uuidsOfGuest(await place.guest());
  const withTag: FoundShare[] = [];
  for (const name of names) {
    const domain = parseDomain(await liveXml(libvirt, name));
    const share = domain.shares.find(({ tag, type }) => tag === mount.source && type === 'virtiofs');
    if (share !== undefined) withTag.push({ libvirt, domain, share });
  }
  const same = withTag.filter(({ domain }) => uuids.includes(domain.uuid.toLowerCase()));
  const found = uuids.length === 0 ? withTag : same;
  const [one] = found;
  if (one !== undefined && found.length === 1) return one;
  const where = uri ?? 'the libvirt of this host';
  if (withTag.length === 0)
    throw new KnownError(
      'no-domain',
      `${named === undefined ? `no running domain of ${where}` : `the domain ${named}`} has a virtiofs device with the tag ${mount.source}`,
      `Name the libvirt and the domain that is this guest: --via libvirt:URI#DOMAIN (${virshByHand(libvirt, ['list'])} shows them).`,
    );
  const list = withTag.map(({ domain }) => domain.name).join(', ');
  if (uuids.length > 0)
    throw new KnownError(
      'other-machine',
      `the guest that is reached is another machine than ${list}: its UUID is ${uuids[0]}`,
      'Name the domain that is this guest, or the guest that is this domain (--guest).',
    );
  throw new KnownError(
    'several-domains',
    `several domains have a virtiofs device with the tag ${mount.source}: ${list}`,
    'Name the one that is this guest: --via libvirt:DOMAIN.',
  );
}

/**
 * The domain's definition, if a restart changes nothing but what is asked for.
 * @throws KnownError `transient-domain`, `restarts-itself`, `pending-changes`.
 */
async function requireRestartable(libvirt: Libvirt, domain: Domain, live: DomainShare): Promise<string> {
  const { name, onPoweroff } = domain;
  if (!/^Persistent:\s+yes$/m.test(await virsh(libvirt, ['dominfo', name])))
    throw new KnownError(
      'transient-domain',
      `the domain ${name} has no definition: it is gone when it is switched off`,
      `Define it first (${virshByHand(libvirt, ['define', 'FILE'])}), or change the mode where it is created.`,
    );
  if (onPoweroff !== 'destroy')
    throw new KnownError(
      'restarts-itself',
      `the domain ${name} does not end when its guest switches off (<on_poweroff>${onPoweroff}</on_poweroff>), and what does not end is not started from a new definition`,
      `Set <on_poweroff>destroy</on_poweroff> for the time being: ${virshByHand(libvirt, ['edit', name])}`,
    );
  const definition = await definitionOf(libvirt, name);
  const { share } = shareIn(parseDomain(definition), live.tag);
  const isSame = share.cache === live.cache && (share.binary === undefined || share.binary === live.binary);
  if (isSame && share.hostDir === live.hostDir) return definition;
  throw new KnownError(
    'pending-changes',
    `the definition of ${name} has another share ${live.tag} than the domain that runs: it would not come back as it is`,
    'Restart the domain first, so that it runs as it is defined.',
  );
}

function shareIn(domain: Domain, tag: string): { readonly share: DomainShare } {
  const share = domain.shares.find((each) => each.tag === tag && each.type === 'virtiofs');
  if (share !== undefined) return { share };
  throw new KnownError(
    'no-device',
    `the definition of ${domain.name} has no virtiofs device with the tag ${tag}`,
    `Somebody has changed it meanwhile: see virsh dumpxml --inactive ${shellWord(domain.name)}`,
  );
}

function declaredDaemon({ share }: TogglePlace): Daemon {
  const server = share.mode?.server;
  if (server === 'rust' || server === 'c') return server;
  throw new KnownError(
    'daemon-unknown',
    `which virtiofsd serves ${share.guestDir} is not seen, and their modes have other names`,
    'Run vfs-verify as root where the domain runs, or say the mode in force: --mode auto, --mode c:auto.',
  );
}

/** What libvirt tells a share's daemon, as far as a toggle changes it. */
function toldOf({ binary, cache, externalSocket }: DomainShare): string {
  return JSON.stringify([binary ?? null, cache ?? null, externalSocket ?? null]);
}

function libvirtOf({ host }: TogglePlace, { uri }: LibvirtShare): Libvirt {
  return { host, uri };
}

/** For people: lines that differ, with + and -. */
function changedLines(before: string, after: string): readonly string[] {
  const [old, fresh] = [before, after].map((text) => text.split('\n')) as [string[], string[]];
  let from = 0;
  while (from < old.length && old[from] === fresh[from]) from += 1;
  let tail = 0;
  while (tail < old.length - from && tail < fresh.length - from && old.at(-1 - tail) === fresh.at(-1 - tail))
    tail += 1;
  return [
    ...old.slice(from, old.length - tail).map((line) => `- ${line.trim()}`),
    ...fresh.slice(from, fresh.length - tail).map((line) => `+ ${line.trim()}`),
  ];
}

function needsConsent(domain: string, steps: readonly ToggleStep[], changed: readonly string[]): KnownError {
  const titles = steps.map(({ title }, index) => `${index + 1}. ${title}`);
  return new KnownError(
    'needs-restart',
    `libvirt gives a share another daemon only when the domain is started: ${domain} would be restarted, and everything that runs in it ended`,
    'If that may be, add --restart-guest. Nothing was changed.',
    { detail: ['What would be done:', ...titles, ...changed].join('\n') },
  );
}

function write(file: string, xml: string): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  // It may hold passwords of consoles.
  writeFileSync(file, xml, { mode: 0o600 });
}

function defineStep(libvirt: Libvirt, domain: string, xml: string, file: string, how: string): ToggleStep {
  return {
    title: `define the domain ${domain} ${how}`,
    byHand: [{ on: 'host', command: virshByHand(libvirt, ['define', file]) }],
    async run() {
      write(file, xml);
      await define(libvirt, xml);
    },
  };
}

/** @param id the domain's number as it runs now. */
function restartSteps(
  place: TogglePlace,
  libvirt: Libvirt,
  own: LibvirtShare,
  id: string | undefined,
): readonly ToggleStep[] {
  const { domain, mounts } = own;
  return [
    {
      title: `switch the domain ${domain} off`,
      byHand: [{ on: 'host', command: virshByHand(libvirt, ['shutdown', domain]) }],
      ...(id === undefined ? {} : { about: { off: id } satisfies About }),
      away: true,
      run: () => switchOff(place, libvirt, domain),
    },
    {
      title: `start the domain ${domain}`,
      byHand: [{ on: 'host', command: virshByHand(libvirt, ['start', domain]) }],
      away: true,
      async run() {
        if ((await stateOf(libvirt, domain)) !== 'running') await virsh(libvirt, ['start', domain]);
      },
    },
    {
      title: `wait for the guest of ${domain}`,
      byHand: [],
      away: true,
      run: () => waitForGuest(place, libvirt, domain),
    },
    ...mounts.map((wish) => remountStep(place, wish)),
  ];
}

/** The guest is asked to end in good order: by libvirt, and, when it does not listen, by its own command. */
async function switchOff(place: TogglePlace, libvirt: Libvirt, domain: string): Promise<void> {
  const off = (limitMs: number) => reaches(libvirt, domain, 'shut off', limitMs);
  const state = await stateOf(libvirt, domain);
  if (state === 'shut off') return;
  if (state === 'running') await virsh(libvirt, ['shutdown', domain]);
  const deadline = performance.now() + offLimitMs;
  while (performance.now() < deadline) {
    if (await off(politeMs)) return;
    // One that is still booting is not reached yet, and one that is ending not any more.
    await place
      .guest('again')
      .then((guest) => guest.exec(['poweroff'], { timeoutMs: 10_000 }))
      .catch(unlessUnreached);
  }
  if (place.force) {
    await virsh(libvirt, ['destroy', domain]);
    if (await off(politeMs)) return;
  }
  throw new KnownError(
    'guest-stays',
    `the guest did not switch itself off within ${offLimitMs / 1000} s`,
    `It was asked to and may still do so (then: ${virshByHand(libvirt, ['start', domain])}). See what it waits for (${virshByHand(libvirt, ['console', domain])}); with --force its power is cut in the end: what it had not written to its disks is lost.`,
  );
}

function unlessUnreached(error: unknown): undefined {
  if (error instanceof KnownError) return undefined;
  throw error;
}

/** What a guest that is still booting may answer. */
const notYet = ['unreachable', 'connection-lost', 'command-timeout', 'command-not-started', 'auth'];

async function waitForGuest(place: TogglePlace, libvirt: Libvirt, domain: string): Promise<void> {
  const deadline = performance.now() + upLimitMs;
  for (;;) {
    try {
      const { status } = await (await place.guest('again')).exec(['true'], { timeoutMs: 20_000 });
      if (status === 0) return;
    } catch (error) {
      if (!(error instanceof KnownError) || !notYet.includes(error.code)) throw error;
      if (performance.now() > deadline) throw notBack(libvirt, domain, error.message);
    }
    if ((await stateOf(libvirt, domain)) !== 'running') throw notBack(libvirt, domain, 'it has ended');
    await sleep(500);
  }
}

function notBack(libvirt: Libvirt, domain: string, why: string): KnownError {
  return new KnownError(
    'guest-not-back',
    `the guest of ${domain} did not come back within ${upLimitMs / 1000} s: ${why}`,
    `See its console (${virshByHand(libvirt, ['console', domain])}) and whether it has another address now (${virshByHand(libvirt, ['domifaddr', domain])}).`,
  );
}

/** A directory that was made by hand may be gone with the boot, and the guest may have mounted it by itself. */
function remountStep(place: TogglePlace, wish: MountWish): ToggleStep {
  const step = mountStep(place, wish, true);
  return {
    ...step,
    byHand: [{ on: 'guest', command: `mkdir -p ${shellWord(wish.point)}` }, ...step.byHand],
    async run() {
      await (await place.guest()).exec(['mkdir', '-p', wish.point], { timeoutMs: 20_000 });
      await step.run();
    },
  };
}

async function missingMounts(place: TogglePlace, { mounts }: LibvirtShare): Promise<readonly ToggleStep[]> {
  const there = await mountsOfGuest(await place.guest());
  return mounts
    .filter((wish) => !there.some(({ point, source }) => point === wish.point && source === wish.source))
    .map((wish) => remountStep(place, wish));
}

/** Somebody's start of the domain may have been on its way when the old definition was put back. */
function backStep(
  libvirt: Libvirt,
  { domain: name, tag, told }: LibvirtShare,
  was: string | undefined,
): ToggleStep {
  return {
    title: `see that ${name} runs as it did`,
    byHand: [],
    async run() {
      const domain = parseDomain(await liveXml(libvirt, name));
      const { share } = shareIn(domain, tag);
      if (toldOf(share) !== told)
        throw new KnownError(
          'mode-not-served',
          `the domain ${name} was started from another definition meanwhile`,
          'Bring the share back once more: --restore --restart-guest.',
        );
      requireMode(await servedBy(libvirt, domain, share), was);
    },
  };
}

/** A program that libvirt starts may do as it likes with the words that it gets. */
function provenStep(libvirt: Libvirt, { domain: name, tag }: LibvirtShare, wanted: Mode): ToggleStep {
  return {
    title: `see that the daemon of ${tag} serves ${wanted.name}`,
    byHand: [],
    async run() {
      const domain = parseDomain(await liveXml(libvirt, name));
      requireMode(await servedBy(libvirt, domain, shareIn(domain, tag).share), wanted.name);
    },
  };
}

/** @throws KnownError `mode-not-served` */
function requireMode({ mode, how }: ServedBy, wanted: string | undefined): void {
  if (mode === undefined || wanted === undefined || mode.name === wanted) return;
  throw new KnownError(
    'mode-not-served',
    `${how} says ${mode.name}, although the domain's description says ${wanted}`,
    'The program in <binary path> adds words of its own: change it, or leave it out of the definition.',
  );
}
