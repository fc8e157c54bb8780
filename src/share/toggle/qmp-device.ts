import { setTimeout as sleep } from 'node:timers/promises';
import type { Qmp } from '../../endpoint/qmp.ts';
import { connectQmp } from '../../endpoint/qmp.ts';
import { KnownError } from '../../model/error.ts';
import { shellWord } from '../../model/shell-word.ts';

/** A file system device of a QEMU, with all that it takes to plug another like it. Plain JSON. */
export interface FsDevice {
  /** Its place in QEMU's tree of objects. */
  readonly path: string;
  /** Undefined for one that was given none. */
  readonly id: string | undefined;
  readonly driver: string;
  readonly chardev: string;
  /** The arguments of device_add, without driver and id. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Where a chardev leads. */
export interface Chardev {
  readonly socket: string;
  /** The daemon on the other end is there. */
  readonly connected: boolean;
}

const pollMs = 20;
/** Native hotplug of PCI Express takes 7 s. */
const unplugLimitMs = 25_000;
/** QEMU lets go of a device's chardev a moment after the device. */
const busyLimitMs = 5000;

/** Opens the machine's line for one piece of work: it serves one client at a time, and others want it too. */
export async function withQmp<T>(socket: string, work: (qmp: Qmp) => Promise<T>): Promise<T> {
  const qmp = await connectQmp(socket, { timeoutMs: 10_000 });
  try {
    return await work(qmp);
  } finally {
    qmp.close();
  }
}

/** One command as somebody would send it by hand. */
export function qmpByHand(socket: string, command: string, args: object): string {
  const lines = [{ execute: 'qmp_capabilities' }, { execute: command, arguments: args }];
  const words = lines.map((line) => shellWord(JSON.stringify(line))).join(' ');
  return `printf '%s\\n' ${words} | socat -t 5 - UNIX-CONNECT:${shellWord(socket)}`;
}

interface QomProperty {
  readonly name: string;
  readonly type: string;
}

const containers = ['/machine/peripheral', '/machine/peripheral-anon'] as const;

async function listed(qmp: Qmp, path: string): Promise<readonly QomProperty[]> {
  return (await qmp.execute('qom-list', { path })) as readonly QomProperty[];
}

function valueAt(qmp: Qmp, path: string, property: string): Promise<unknown> {
  return qmp.execute('qom-get', { path, property });
}

/** The virtiofs device with this tag; undefined where the machine has none (any more). */
export async function findDevice(qmp: Qmp, tag: string): Promise<FsDevice | undefined> {
  for (const container of containers) {
    for (const { name, type } of await listed(qmp, container)) {
      const driver = /^child<(vhost-user-fs-.*)>$/.exec(type)?.[1];
      if (driver === undefined) continue;
      const path = `${container}/${name}`;
      // It may be unplugged just now.
      if ((await valueAt(qmp, path, 'tag').catch(() => undefined)) !== tag) continue;
      const properties = await propertiesOf(qmp, path, driver).catch(() => undefined);
      if (properties === undefined) continue;
      return {
        ...{ path, driver, properties },
        id: container === containers[0] ? name : undefined,
        chardev: String(properties.chardev),
      };
    }
  }
  return undefined;
}

interface DeviceProperty extends QomProperty {
  readonly 'default-value'?: unknown;
}

/** What this device is told beyond its driver's defaults, and the bus and the slot that it is in. */
async function propertiesOf(qmp: Qmp, path: string, driver: string): Promise<Record<string, unknown>> {
  const known = (await qmp.execute('device-list-properties', {
    typename: driver,
  })) as readonly DeviceProperty[];
  const told: Record<string, unknown> = {
    bus: String(await valueAt(qmp, path, 'parent_bus')).replace(/.*\//, ''),
  };
  for (const { name, type, 'default-value': usual } of known) {
    if (/^(child|link)</.test(type) || name === 'busnr') continue;
    const value = await valueAt(qmp, path, name);
    if (name === 'addr') told.addr = slot(Number(value));
    else if (value !== usual && value !== '' && !(usual === undefined && value === -1)) told[name] = value;
  }
  return told;
}

/** QEMU shows slot and function in one number, and wants them written as `02.0`. */
function slot(number: number): string {
  return `${(number >> 3).toString(16).padStart(2, '0')}.${number & 7}`;
}

/**
 * Sees whether a device can be unplugged from where it is: QEMU says so only when it is asked to do it.
 * @throws KnownError `not-hotpluggable`
 */
export async function requireUnpluggable(qmp: Qmp, { path }: FsDevice): Promise<void> {
  const refuse = (why: string) => {
    throw new KnownError(
      'not-hotpluggable',
      `this device cannot be unplugged from the running guest: ${why}`,
      'Give the device a pcie-root-port of its own when the guest is next started, or change its daemon with the guest off.',
    );
  };
  const bus = String(await valueAt(qmp, path, 'parent_bus'));
  const owner = bus.replace(/\/[^/]*$/, '');
  const kind = String(await valueAt(qmp, bus, 'type'));
  const ownerKind = String(await valueAt(qmp, owner, 'type').catch(() => ''));
  if (kind === 'PCIE' && /pcihost|gpex|pxb/.test(ownerKind))
    refuse(`it is directly on the root bus ${bus.replace(/.*\//, '')}`);
  if ((await valueAt(qmp, owner, 'hotplug').catch(() => undefined)) === false)
    refuse(`its port ${owner.replace(/.*\//, '')} has hotplug=off`);
  if ((await valueAt(qmp, path, 'hotpluggable')) === false) refuse('QEMU says that it is not hotpluggable');
}

/** A chardev that is a Unix socket's client; undefined where there is none of that name. */
export async function findChardev(qmp: Qmp, id: string): Promise<Chardev | undefined> {
  const all = (await qmp.execute('query-chardev')) as readonly { label: string; filename: string }[];
  const found = all.find(({ label }) => label === id);
  if (found === undefined) return undefined;
  const socket = /^(?:disconnected:)?unix:(.*?)(?:,server(?:=on)?)?$/.exec(found.filename)?.[1];
  if (socket === undefined || /,server(=on)?$/.test(found.filename))
    throw new KnownError(
      'other-chardev',
      `the chardev ${id} is not the client of a Unix socket: ${found.filename}`,
      'Change this share by --via libvirt or --via hook:COMMAND.',
    );
  return { socket, connected: !found.filename.startsWith('disconnected:') };
}

/**
 * Unplugs the virtiofs device with a tag and waits until QEMU has none.
 * @throws KnownError `unplug-refused` (the guest's own words), `unplug-stuck`.
 */
export function unplug(qmp: Qmp, tag: string, limitMs?: number): Promise<void> {
  return unplugFound(qmp, () => findDevice(qmp, tag), limitMs);
}

/** The same of a device of any kind, by the name that it was given. */
export function unplugNamed(qmp: Qmp, id: string): Promise<void> {
  return unplugFound(qmp, async () => ((await hasDevice(qmp, id)) ? { id, path: id } : undefined));
}

/** Whether the machine has a device of this name. */
export async function hasDevice(qmp: Qmp, id: string): Promise<boolean> {
  return (await listed(qmp, containers[0])).some(({ name }) => name === id);
}

async function unplugFound(
  qmp: Qmp,
  find: () => Promise<Pick<FsDevice, 'id' | 'path'> | undefined>,
  limitMs = unplugLimitMs,
): Promise<void> {
  let refused: string | undefined;
  qmp.onEvent('DEVICE_UNPLUG_GUEST_ERROR', ({ device, path }) => {
    refused = String(device ?? path);
  });
  const deadline = performance.now() + limitMs;
  let asked = false;
  for (;;) {
    const device = await find();
    if (device === undefined) return;
    if (!asked) await qmp.execute('device_del', { id: device.id ?? device.path }).catch(unlessPending);
    asked = true;
    if (refused !== undefined)
      throw new KnownError(
        'unplug-refused',
        `the guest refused to let go of the device ${refused}`,
        'Its kernel log says why (dmesg).',
      );
    if (performance.now() > deadline)
      throw new KnownError(
        'unplug-stuck',
        `the guest did not let go of the device in ${limitMs / 1000} s`,
        'Where its daemon has died, or its kernel is stuck, only a reboot of the guest helps; the host side is then as a newly started machine makes it.',
      );
    await sleep(pollMs);
  }
}

/** Somebody has asked for it before, perhaps we ourselves before we were killed. */
function unlessPending(error: unknown): void {
  if (!(error instanceof KnownError) || !/unplug|not found/i.test(error.message)) throw error;
}

/** Removes a chardev; one that is gone already is fine. */
export async function removeChardev(qmp: Qmp, id: string): Promise<void> {
  const deadline = performance.now() + busyLimitMs;
  for (;;) {
    try {
      await qmp.execute('chardev-remove', { id });
      return;
    } catch (error) {
      if (!(error instanceof KnownError) || error.code !== 'qmp-refused') throw error;
      if (/not found/.test(error.message)) return;
      if (performance.now() > deadline) throw error;
    }
    await sleep(pollMs);
  }
}

/** The arguments of chardev-add for the client of a Unix socket. */
export function chardevArgs(id: string, socket: string): object {
  const addr = { type: 'unix', data: { path: socket } };
  return { id, backend: { type: 'socket', data: { addr, server: false } } };
}

/** The arguments of device_add that plug a device like this one. */
export function deviceArgs({ id, driver, properties }: FsDevice): Readonly<Record<string, unknown>> {
  return { driver, ...(id === undefined ? {} : { id }), ...properties };
}
