import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KnownError } from '../model/error.ts';
import type { Mode } from '../model/mode.ts';
import { endDaemon, processesAt, startByHand, startDaemon } from '../share/daemon.ts';
import { mountOf, mountsOfGuest } from '../share/guest-mounts.ts';
import { mountStep, unmountStep } from '../share/toggle/guest-steps.ts';
import {
  chardevArgs,
  findDevice,
  qmpByHand,
  removeChardev,
  unplug,
  withQmp,
} from '../share/toggle/qmp-device.ts';
import type { ToggleForm, TogglePlace, ToggleStep } from '../share/toggle/toggle.ts';
import type { LabInfo } from './info.ts';
import { labMark, noteEnded, noteProcess, readJournal } from './journal.ts';
import { infoFile } from './status.ts';
import { spareCount, spareTag } from './vm/qemu-options.ts';
import { cVirtiofsdOptions, virtiofsdOptions } from './vm/shares.ts';

/** A share that was plugged into a running lab. */
interface Added {
  readonly mode: string;
  readonly tag: string;
  readonly socket: string;
  readonly point: string;
}

/**
 * A lab has a mount for each mode, so another mode of a share is another mount of the same directory. A mode that
 * is not up is added: one more daemon, plugged into the running guest, and taken away again to put it back.
 */
export function labToggle(lab: LabInfo): ToggleForm {
  return {
    name: 'lab',
    usage: ['lab', 'another mount of the lab, or one more daemon for a mode that is not up'],
    async look({ share: { mode, modeHow, guestDir } }) {
      return { mode: mode?.name, how: modeHow, own: { guestDir } };
    },
    async steps(place, mode) {
      const there = readInfo(lab).mounts[mode.name];
      if (there !== undefined) return { steps: [], guestDir: there };
      const added = await planAdded(lab, mode);
      return { steps: addSteps(place, lab, mode, added), guestDir: added.point };
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

function programOf({ programs }: LabInfo, { server }: Mode): readonly string[] | undefined {
  return programs[server === 'c' ? 'c-virtiofsd' : 'virtiofsd']?.argv;
}

/** @throws KnownError `mode-not-added`, `no-spare-port`. */
async function planAdded(lab: LabInfo, mode: Mode): Promise<Added> {
  if (mode.server === '9p' || mode.dax !== undefined || programOf(lab, mode) === undefined)
    throw new KnownError(
      'mode-not-added',
      `the mode ${mode.name} cannot be added to a lab that is up`,
      `A lab brings it up from the start: vfs-verify lab up --modes ${mode.name}.`,
    );
  const free = await withQmp(lab.qemu.qmpSocket, async (qmp) => {
    const there = (await qmp.execute('qom-list', { path: '/machine/peripheral' })) as { name: string }[];
    const has = (name: string) => there.some((each) => each.name === name);
    const tags = Array.from({ length: spareCount }, (_, index) => spareTag(index));
    return tags.find((tag) => has(`port-${tag}`) && !has(`fs-${tag}`));
  });
  if (free === undefined)
    throw new KnownError(
      'no-spare-port',
      'this lab has no port left for another share',
      'Put back what was added before (vfs-verify mode PATH --restore), or bring up a lab with the modes you want.',
    );
  const directory = readJournal(lab.directory)?.runDirectory ?? lab.directory;
  return { mode: mode.name, tag: free, socket: join(directory, `${free}.sock`), point: `/mnt/${mode.name}` };
}

function addSteps(place: TogglePlace, lab: LabInfo, mode: Mode, added: Added): readonly ToggleStep[] {
  const { tag, socket, point } = added;
  const { qmpSocket } = lab.qemu;
  const optionsOf = mode.server === 'c' ? cVirtiofsdOptions : virtiofsdOptions;
  const argv = [...(programOf(lab, mode) ?? []), ...optionsOf(mode, socket, lab.hostDir)];
  const environment = Object.entries({ ...process.env, ...markOf(lab) }).map(
    ([name, value]) => `${name}=${value}`,
  );
  const daemon = {
    ...{ argv, environment, directory: '/', groups: [] },
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
  };
  const link = chardevArgs(tag, socket);
  const plug = { driver: 'vhost-user-fs-pci', id: `fs-${tag}`, bus: `port-${tag}`, chardev: tag, tag };
  const mount = { point, type: 'virtiofs', source: tag, options: ['rw'] };
  return [
    {
      title: `start a daemon in mode ${mode.name}`,
      byHand: [{ on: 'host', command: startByHand(daemon) }],
      about: added,
      async run() {
        const logFile = join(lab.directory, `virtiofsd-${mode.name}.log`);
        await startDaemon(place.host, daemon, { socket, logFile });
        for (const pid of processesAt(socket)) noteProcess(lab.directory, mode.name, pid);
      },
    },
    {
      title: `add the chardev ${tag}`,
      byHand: [{ on: 'host', command: qmpByHand(qmpSocket, 'chardev-add', link) }],
      run: () => withQmp(qmpSocket, async (qmp) => void (await qmp.execute('chardev-add', { ...link }))),
    },
    {
      title: `plug the device fs-${tag}`,
      byHand: [{ on: 'host', command: qmpByHand(qmpSocket, 'device_add', plug) }],
      run: () => withQmp(qmpSocket, async (qmp) => void (await qmp.execute('device_add', plug))),
    },
    {
      title: `make ${point} in the guest`,
      byHand: [{ on: 'guest', command: `mkdir -p ${point}` }],
      run: async () => void (await (await place.guest()).exec(['mkdir', '-p', point])),
    },
    { ...mountStep(place, mount, true), away: false },
    {
      title: `write down that the lab has the mode ${mode.name}`,
      byHand: [],
      run: async () =>
        changeInfo(lab, (info) => ({
          ...info,
          mounts: { ...info.mounts, [mode.name]: point },
          tags: { ...info.tags, [mode.name]: tag },
          daemons: {
            ...info.daemons,
            [mode.name]: { pid: processesAt(socket)[0] ?? 0, tag, socket, argv },
          },
        })),
    },
  ];
}

/** From whatever is there of it. */
async function removeSteps(place: TogglePlace, lab: LabInfo, added: Added): Promise<readonly ToggleStep[]> {
  const { mode, tag, socket, point } = added;
  const { qmpSocket } = lab.qemu;
  const mounted = mountOf(point, await mountsOfGuest(await place.guest()));
  const isMounted = mounted?.point === point && mounted.source === tag;
  const isPlugged = await withQmp(qmpSocket, async (qmp) => (await findDevice(qmp, tag)) !== undefined);
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
            title: `unplug the device fs-${tag}`,
            byHand: [
              { on: 'host', command: qmpByHand(qmpSocket, 'device_del', { id: `fs-${tag}` }) } as const,
            ],
            run: () => withQmp(qmpSocket, (qmp) => unplug(qmp, tag)),
          },
        ]
      : []),
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

function markOf({ directory }: LabInfo): Record<string, string> {
  const id = readJournal(directory)?.id;
  return id === undefined ? {} : labMark(id).env;
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
