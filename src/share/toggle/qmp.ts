import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { KnownError } from '../../model/error.ts';
import type { Mode } from '../../model/mode.ts';
import { type DaemonStart, endDaemon, isListening, startByHand, startDaemon, startOf } from '../daemon.ts';
import { modeOfWords, wordsInMode } from '../daemon-words.ts';
import { type GuestMount, mountOf, mountsOfGuest, optionOf, withOption } from '../guest-mounts.ts';
import { usedIndexReader } from '../used-index.ts';
import {
  type MountWish,
  mountStep,
  namespacesOf,
  requireUnused,
  toggledMount,
  unmountStep,
} from './guest-steps.ts';
import {
  type Chardev,
  chardevArgs,
  deviceArgs,
  type FsDevice,
  findChardev,
  findDevice,
  qmpByHand,
  removeChardev,
  requireUnpluggable,
  unplug,
  withQmp,
} from './qmp-device.ts';
import type { ToggleForm, TogglePlace, ToggleStep } from './toggle.ts';

/** A share of a running QEMU, with all that it takes to make it again. */
interface QmpShare {
  readonly socket: string;
  readonly mount: MountWish;
  readonly device: FsDevice;
  readonly chardev: string;
  readonly daemon: DaemonStart;
  /** Where the daemon listens for QEMU. */
  readonly daemonSocket: string;
}

/** What a step leaves behind that is to be cleaned up: a daemon on a socket of its own. */
interface About {
  readonly daemonSocket: string;
}

/** The address of a Unix socket holds 107 bytes. */
const longestSocket = 107;

/**
 * A running QEMU of the user's, by its QMP socket. A mode belongs to a daemon, and QEMU takes a new daemon only
 * with a new device: the new daemon is started beside the old one, then the guest's mount is taken away, the
 * device unplugged and plugged again with the same properties, and mounted with the same options.
 */
export const qmpToggle: ToggleForm = {
  name: 'qmp',
  usage: ['qmp:SOCKET', 'a running QEMU, by its QMP socket: a new daemon, unplugging and plugging'],
  async look(place) {
    const [own] = await lookAt(place);
    const dax = optionOf(own.mount, 'dax');
    const mode = modeOfWords(own.daemon.argv);
    const name = mode === undefined || dax === undefined ? mode?.name : `${mode.name}+dax=${dax}`;
    return { mode: name, how: "the daemon's command line", own };
  },
  async steps(place, mode, original) {
    const share = original.own as QmpShare;
    const [now, mounted] = await lookAt(place);
    await requireUnused(place, now.mount.point);
    const namespaces = await namespacesOf(place);
    const daemonSocket = freshSocket(share.daemonSocket);
    const argv = wordsInMode(share.daemon.argv, { ...mode, dax: undefined }, daemonSocket);
    const target = { ...share, daemon: { ...share.daemon, argv }, daemonSocket, mount: mountIn(share, mode) };
    return {
      steps: [
        startStep(place, target, mode.name),
        unmountStep(place, mounted, namespaces),
        unplugStep(now),
        removeChardevStep(now),
        ...putThere(place, target),
      ],
    };
  },
  async stepsBack(place, original, begun) {
    const share = original.own as QmpShare;
    const { socket, mount, device: was, chardev, daemonSocket } = share;
    const [device, link] = await withQmp(socket, async (qmp) => [
      await findDevice(qmp, was.properties.tag as string),
      await findChardev(qmp, chardev),
    ]);
    const mounted = mountOf(mount.point, await mountsOfGuest(await place.guest()));
    const isMounted = mounted?.point === mount.point && mounted.source === mount.source;
    const plugged = device !== undefined && link?.connected === true && link.socket === daemonSocket;
    const asItWas = isMounted && String(mounted.options) === String(mount.options);
    const strays = [...new Set((begun as readonly About[]).map((each) => each.daemonSocket))].filter(
      (each) => each !== daemonSocket,
    );
    const cleanUp = strays.filter(isThere).map(endStep);
    if (plugged && asItWas) return { steps: cleanUp };
    if (plugged)
      return {
        steps: [...(isMounted ? [unmountStep(place, mounted)] : []), mountStep(place, mount), ...cleanUp],
      };
    if (device !== undefined && link?.connected === false) throw daemonGone(share);
    // A daemon serves one connection: while QEMU has the old one, another cannot have its socket.
    const start = startStep(place, share, original.mode ?? 'as it was', true);
    const sameSocket = link?.socket === daemonSocket;
    return {
      steps: [
        ...(sameSocket ? [] : [start]),
        ...(isMounted ? [unmountStep(place, mounted)] : []),
        ...(device === undefined ? [] : [unplugStep(share)]),
        ...(link === undefined ? [] : [removeChardevStep(share)]),
        ...(sameSocket ? [start] : []),
        ...putThere(place, share),
        ...cleanUp,
      ],
    };
  },
};

function mountIn({ mount }: QmpShare, { dax }: Mode): MountWish {
  return { ...mount, options: withOption(mount.options, 'dax', dax) };
}

/**
 * The share as it is, with all that stands in the way of changing it found out.
 * @throws KnownError `no-socket`, `remote-host`, `use-remount`, `no-device`, `other-machine`, `not-hotpluggable`,
 * `daemon-gone`, `daemon-unknown`.
 */
async function lookAt(place: TogglePlace): Promise<[QmpShare, GuestMount]> {
  const socket = socketOf(place);
  const mount = await toggledMount(place);
  if (mount.type === '9p')
    throw new KnownError(
      'use-remount',
      `${mount.point} is 9p: its mode is an option of the mount, and QEMU is not asked`,
      'Use --via remount.',
    );
  const found = await withQmp(socket, async (qmp) => {
    const device = await findDevice(qmp, mount.source);
    if (device === undefined)
      throw new KnownError(
        'no-device',
        `the QEMU at ${socket} has no vhost-user-fs device with the tag ${mount.source}`,
        'Name the QMP socket of the machine that is this guest.',
      );
    const chardev = await findChardev(qmp, device.chardev);
    if (chardev === undefined || !chardev.connected) throw daemonGone({ device, mount });
    await requireSameMachine(place, mount, () => usedIndexReader(qmp, mount.source));
    await requireUnpluggable(qmp, device);
    return { device, chardev };
  });
  const { point, type, source, options } = mount;
  const own: QmpShare = {
    ...{ socket, device: found.device, chardev: found.device.chardev },
    mount: { point, type, source, options },
    daemon: daemonOf(found.chardev),
    daemonSocket: found.chardev.socket,
  };
  return [own, mount];
}

function socketOf({ argument, host }: TogglePlace): string {
  if (argument === undefined || argument === '')
    throw new KnownError(
      'no-socket',
      '--via qmp needs the QMP socket of the machine',
      'Write --via qmp:SOCKET; QEMU has one when it is started with -qmp unix:SOCKET,server=on,wait=off.',
    );
  if (host.kind !== 'local')
    throw new KnownError(
      'remote-host',
      '--via qmp works on the machine where QEMU runs',
      'Run vfs-verify there, with --host local.',
    );
  return path.resolve(argument);
}

function daemonOf({ socket }: Chardev): DaemonStart {
  const daemon = startOf(socket);
  const known = daemon?.argv.some((word) => word === socket || word.endsWith(`=${socket}`)) === true;
  if (daemon !== undefined && known) return daemon;
  const seen =
    daemon === undefined
      ? 'no process is seen'
      : `the command line does not name it: ${daemon.argv.join(' ')}`;
  throw new KnownError(
    'daemon-unknown',
    `how the daemon at ${socket} was started is not known, so it could not be put back (${seen})`,
    'Run vfs-verify as root, or start the daemon with --socket-path and an absolute path; or use --via libvirt or --via hook:COMMAND.',
  );
}

function daemonGone({ device, mount }: Pick<QmpShare, 'device' | 'mount'>): KnownError {
  return new KnownError(
    'daemon-gone',
    `the daemon of ${mount.point} is gone (chardev ${device.chardev}): QEMU does not connect to another one, and neither unmounting nor unplugging would ever end`,
    'Only a reboot of the guest helps. Other shares of the guest go on working.',
  );
}

/** Two machines may have the same tag: a request of this guest must be counted by this QEMU. */
async function requireSameMachine(
  { guest, share }: TogglePlace,
  { point }: MountWish,
  reader: () => Promise<() => Promise<number[]>>,
): Promise<void> {
  let completed: (() => Promise<number[]>) | undefined;
  try {
    completed = await reader();
  } catch (error) {
    // QEMU older than 7.2 does not count for others.
    if (error instanceof KnownError && error.code === 'qmp-refused') return;
    throw error;
  }
  const before = await completed();
  await (await guest()).exec(['df', point], { timeoutMs: 10_000 });
  if (String(await completed()) !== String(before)) return;
  throw new KnownError(
    'other-machine',
    `what the guest asks of ${share.guestDir} does not reach this QEMU: another machine has the same tag`,
    'Name the QMP socket of the machine that is this guest.',
  );
}

/** Beside the old one, where QEMU may connect to it. */
function freshSocket(old: string): string {
  const name = `vv-${randomBytes(3).toString('hex')}.sock`;
  const beside = path.join(path.dirname(old), name);
  return beside.length <= longestSocket ? beside : path.join('/tmp', name);
}

function isThere(socket: string): boolean {
  return existsSync(socket) || isListening(socket);
}

function startStep(place: TogglePlace, share: QmpShare, mode: string, back = false): ToggleStep {
  const { daemon, daemonSocket } = share;
  return {
    title: `start the daemon ${back ? 'as it was' : `in mode ${mode}`}`,
    byHand: [{ on: 'host', command: startByHand(daemon) }],
    about: { daemonSocket } satisfies About,
    run: () =>
      startDaemon(place.host, daemon, {
        socket: daemonSocket,
        logFile: path.join(place.directory, `daemon-${path.basename(daemonSocket)}.log`),
      }),
  };
}

function endStep(socket: string): ToggleStep {
  return {
    title: `end the other daemon (${path.basename(socket)})`,
    byHand: [
      { on: 'host', command: `fuser -k ${socket} || true` },
      { on: 'host', command: `rm -f ${socket} ${socket}.pid` },
    ],
    run: () => endDaemon(socket),
  };
}

function unplugStep({ socket, device }: QmpShare): ToggleStep {
  const args = { id: device.id ?? device.path };
  return {
    title: `unplug the device ${device.id ?? device.path}`,
    byHand: [{ on: 'host', command: qmpByHand(socket, 'device_del', args) }],
    away: true,
    run: () => withQmp(socket, (qmp) => unplug(qmp, device.properties.tag as string)),
  };
}

function removeChardevStep({ socket, chardev }: QmpShare): ToggleStep {
  return {
    title: `remove the chardev ${chardev}`,
    byHand: [{ on: 'host', command: qmpByHand(socket, 'chardev-remove', { id: chardev }) }],
    away: true,
    run: () => withQmp(socket, (qmp) => removeChardev(qmp, chardev)),
  };
}

function putThere(place: TogglePlace, share: QmpShare): readonly ToggleStep[] {
  const { socket, chardev, daemonSocket, device, mount } = share;
  const link = chardevArgs(chardev, daemonSocket);
  const plug = deviceArgs(device);
  return [
    {
      title: `add the chardev ${chardev}`,
      byHand: [{ on: 'host', command: qmpByHand(socket, 'chardev-add', link) }],
      away: true,
      run: () => withQmp(socket, async (qmp) => void (await qmp.execute('chardev-add', { ...link }))),
    },
    {
      title: `plug the device ${device.id ?? device.driver}`,
      byHand: [{ on: 'host', command: qmpByHand(socket, 'device_add', plug) }],
      away: true,
      run: () => withQmp(socket, async (qmp) => void (await qmp.execute('device_add', plug))),
    },
    mountStep(place, mount, true),
  ];
}
