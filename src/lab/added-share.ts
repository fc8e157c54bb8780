import { join } from 'node:path';
import { KnownError } from '../model/error.ts';
import { type Mode, securityModelOf } from '../model/mode.ts';
import { type DaemonStart, processesAt, startByHand, startDaemon, startOf } from '../share/daemon.ts';
import { mountStep } from '../share/toggle/guest-steps.ts';
import { chardevArgs, hasDevice, qmpByHand, withQmp } from '../share/toggle/qmp-device.ts';
import type { TogglePlace, ToggleStep } from '../share/toggle/toggle.ts';
import { insertModulesScript } from './guest/scripts.ts';
import type { LabInfo } from './info.ts';
import { labMark, noteProcess, readJournal } from './journal.ts';
import { daemonArgv } from './vm/daemon-argv.ts';
import { deviceOf, spareCount, spareExport, spareTag } from './vm/qemu-options.ts';
import { type LabShare, shareOf } from './vm/shares.ts';

/** A share that is plugged into a running lab. */
export interface AddedShare {
  readonly share: LabShare;
  /** The command line of its daemon; undefined for 9p. */
  readonly argv: readonly string[] | undefined;
}

/**
 * One more share of a lab that is up, on a port that is free.
 * @throws KnownError `mode-not-in-lab`, `mode-not-added`, `no-spare-port`.
 */
export async function planAdded(lab: LabInfo, mode: Mode): Promise<AddedShare> {
  const qemu = startOf(lab.qemu.qmpSocket);
  const why = whyNot(lab, mode, qemu);
  if (why !== undefined)
    throw new KnownError(
      'mode-not-added',
      `the mode ${mode.name} cannot be added to this lab while it is up: ${why}`,
      `A lab brings it up from the start: vfs-verify lab up --modes ${mode.name}.`,
    );
  const tags = Array.from({ length: spareCount }, (_, index) => spareTag(index));
  const free = await withQmp(lab.qemu.qmpSocket, async (qmp) => {
    for (const tag of tags)
      if ((await hasDevice(qmp, `port-${tag}`)) && !(await hasDevice(qmp, `fs-${tag}`))) return tag;
    return undefined;
  });
  if (free === undefined)
    throw new KnownError(
      'no-spare-port',
      'this lab has no port left for another share',
      'Put back what was added before (vfs-verify mode PATH --restore), or bring up a lab with the modes you want.',
    );
  const sockets = readJournal(lab.directory)?.runDirectory ?? lab.directory;
  const share = shareOf(mode, free, false, { sockets });
  const { socket } = share;
  return { share, argv: socket === undefined ? undefined : argvOf(lab, { ...share, socket }, qemu) };
}

/** What this lab was brought up without, that it cannot be given any more. */
function whyNot(
  { programs, mounts }: LabInfo,
  mode: Mode,
  qemu: DaemonStart | undefined,
): string | undefined {
  const { server, dax } = mode;
  if (securityModelOf(mode) !== undefined)
    return 'QEMU takes no export for 9p while it runs (-fsdev), and its spare one has another security model';
  if (server === '9p' && !qemu?.argv.some((word) => word.startsWith(`local,id=${spareExport},`)))
    return 'QEMU takes no export for 9p while it runs (-fsdev), and was started without a spare one';
  if (server === 'c' && programs['c-virtiofsd'] === undefined) return 'it has no C virtiofsd';
  if (dax !== undefined && !Object.keys(mounts).some((name) => name.includes('+dax=')))
    return 'it has no mode with a DAX window, and so its QEMU was started without what such modes need';
  return undefined;
}

function argvOf(
  { programs, hostDir }: LabInfo,
  share: LabShare & { readonly socket: string },
  qemu: DaemonStart | undefined,
): readonly string[] {
  return daemonArgv(share, {
    virtiofsd: programs.virtiofsd?.argv ?? [],
    cVirtiofsd: programs['c-virtiofsd']?.argv,
    hostDir,
    mapsPastEnd: qemu?.environment.some((each) => each.startsWith('LD_PRELOAD=')) === true,
  });
}

/** Starts its daemon, plugs it, and mounts it in the guest. @param about for whoever has to clean up. */
export function plugSteps(
  place: TogglePlace,
  lab: LabInfo,
  { share, argv }: AddedShare,
  about: unknown,
): readonly ToggleStep[] {
  const { tag, socket, mount } = share;
  const { qmpSocket } = lab.qemu;
  const { driver, ...properties } = deviceOf(share, spareExport);
  const plug = { driver, ...properties };
  const { path: point, type, options } = mount;
  return [
    ...(socket === undefined ? [] : daemonSteps(place, lab, { share, argv }, socket, about)),
    {
      title: `plug the device fs-${tag}`,
      byHand: [{ on: 'host', command: qmpByHand(qmpSocket, 'device_add', plug) }],
      about,
      run: () => withQmp(qmpSocket, async (qmp) => void (await qmp.execute('device_add', plug))),
    },
    {
      title: `make ${point} in the guest`,
      byHand: [{ on: 'guest', command: `mkdir -p ${point}` }],
      async run() {
        const guest = await place.guest();
        await guest.exec(['mkdir', '-p', point]);
        await guest.exec(['sh', '-c', insertModulesScript, 'sh', type]);
      },
    },
    { ...mountStep(place, { point, type, source: tag, options: options.split(',') }, true), away: false },
  ];
}

function daemonSteps(
  place: TogglePlace,
  lab: LabInfo,
  { share, argv = [] }: AddedShare,
  socket: string,
  about: unknown,
): readonly ToggleStep[] {
  const { tag, mode } = share;
  const { qmpSocket } = lab.qemu;
  const environment = Object.entries({ ...process.env, ...markOf(lab) }).map(
    ([name, value]) => `${name}=${value}`,
  );
  const daemon = {
    ...{ argv, environment, directory: '/', groups: [] },
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
  };
  const link = chardevArgs(tag, socket);
  return [
    {
      title: `start a daemon in mode ${mode.name}`,
      byHand: [{ on: 'host', command: startByHand(daemon) }],
      about,
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
  ];
}

function markOf({ directory }: LabInfo): Record<string, string> {
  const id = readJournal(directory)?.id;
  return id === undefined ? {} : labMark(id).env;
}
