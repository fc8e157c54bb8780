import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Mode } from '../model/mode.ts';
import { endDaemon, processesAt } from '../share/daemon.ts';
import { mountOf, mountsOfGuest } from '../share/guest-mounts.ts';
import { unmountStep } from '../share/toggle/guest-steps.ts';
import { hasDevice, qmpByHand, removeChardev, unplugNamed, withQmp } from '../share/toggle/qmp-device.ts';
import type { ToggleForm, TogglePlace, ToggleStep } from '../share/toggle/toggle.ts';
import { type AddedShare, planAdded, plugSteps } from './added-share.ts';
import type { LabInfo } from './info.ts';
import { noteEnded } from './journal.ts';
import { infoFile } from './status.ts';

/** What there is to take away again of a share that was plugged into a running lab. Plain JSON. */
interface Added {
  readonly mode: string;
  readonly tag: string;
  /** Its daemon's; absent for 9p. */
  readonly socket?: string;
  readonly point: string;
}

/**
 * A lab has a mount for each mode, so another mode of a share is another mount of the same directory. A mode that
 * is not up is added: one more device, with a daemon but for 9p, plugged into the running guest, and taken away
 * again to put it back.
 */
export function labToggle(lab: LabInfo): ToggleForm {
  return {
    name: 'lab',
    usage: ['lab', 'another mount of the lab, or one more device and daemon for a mode that is not up'],
    async look({ share: { mode, modeHow, guestDir } }) {
      return { mode: mode?.name, how: modeHow, own: { guestDir } };
    },
    async steps(place, mode) {
      const there = readInfo(lab).mounts[mode.name];
      if (there !== undefined) return { steps: [], guestDir: there };
      const added = await planAdded(lab, mode);
      return { steps: addSteps(place, lab, mode, added), guestDir: added.share.mount.path };
    },
    async stepsBack(place, original, begun) {
      const { guestDir } = original.own as { guestDir: string };
      const all = [...new Map((begun as readonly Added[]).map((each) => [each.tag, each])).values()];
      const steps: ToggleStep[] = [];
      for (const each of all) steps.push(...(await removeSteps(place, lab, each)));
      return { steps, guestDir };
    },
  };
}

function addSteps(
  place: TogglePlace,
  lab: LabInfo,
  { name }: Mode,
  added: AddedShare,
): readonly ToggleStep[] {
  const { tag, socket, mount } = added.share;
  const about: Added = { mode: name, tag, point: mount.path, ...(socket === undefined ? {} : { socket }) };
  const daemonNow = () =>
    socket === undefined
      ? {}
      : { [name]: { pid: processesAt(socket)[0] ?? 0, tag, socket, argv: added.argv ?? [] } };
  return [
    ...plugSteps(place, lab, added, about),
    {
      title: `write down that the lab has the mode ${name}`,
      byHand: [],
      run: async () =>
        changeInfo(lab, (info) => ({
          ...info,
          mounts: { ...info.mounts, [name]: mount.path },
          tags: { ...info.tags, [name]: tag },
          daemons: { ...info.daemons, ...daemonNow() },
        })),
    },
  ];
}

/** From whatever is there of it. */
async function removeSteps(place: TogglePlace, lab: LabInfo, added: Added): Promise<readonly ToggleStep[]> {
  const { mode, tag, socket, point } = added;
  const { qmpSocket } = lab.qemu;
  const device = `fs-${tag}`;
  const mounted = mountOf(point, await mountsOfGuest(await place.guest()));
  const isMounted = mounted?.point === point && mounted.source === tag;
  const isPlugged = await withQmp(qmpSocket, (qmp) => hasDevice(qmp, device));
  return [
    {
      title: `write down that the lab does not have the mode ${mode}`,
      byHand: [],
      run: async () =>
        changeInfo(lab, (info) => ({
          ...info,
          mounts: without(info.mounts, mode),
          tags: without(info.tags, mode),
          daemons: without(info.daemons, mode),
        })),
    },
    ...(isMounted ? [{ ...unmountStep(place, mounted), away: false }] : []),
    ...(isPlugged
      ? [
          {
            title: `unplug the device ${device}`,
            byHand: [{ on: 'host', command: qmpByHand(qmpSocket, 'device_del', { id: device }) } as const],
            run: () => withQmp(qmpSocket, (qmp) => unplugNamed(qmp, device)),
          },
        ]
      : []),
    ...(socket === undefined ? [] : endSteps(lab, { mode, tag, socket })),
  ];
}

function endSteps(
  lab: LabInfo,
  { mode, tag, socket }: { readonly mode: string; readonly tag: string; readonly socket: string },
): readonly ToggleStep[] {
  const { qmpSocket } = lab.qemu;
  return [
    {
      title: `remove the chardev ${tag}`,
      byHand: [{ on: 'host', command: qmpByHand(qmpSocket, 'chardev-remove', { id: tag }) }],
      run: () => withQmp(qmpSocket, (qmp) => removeChardev(qmp, tag)),
    },
    {
      title: `end the daemon in mode ${mode}`,
      byHand: [{ on: 'host', command: `fuser -k ${socket}` }],
      async run() {
        await endDaemon(socket);
        noteEnded(lab.directory, mode);
      },
    },
  ];
}

function readInfo({ directory }: LabInfo): LabInfo {
  return JSON.parse(readFileSync(infoFile(directory), 'utf8')) as LabInfo;
}

/** Written whole, as it was when the lab came up. */
function changeInfo(lab: LabInfo, change: (info: LabInfo) => LabInfo): void {
  const file = infoFile(lab.directory);
  writeFileSync(`${file}.fresh`, `${JSON.stringify(change(readInfo(lab)), null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.fresh`, file);
}

function without<T>(record: Readonly<Record<string, T>>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([each]) => each !== name));
}
