import path from 'node:path';
import { directoryOfWords, modeOfWords, socketOfWords, tagOfWords } from '../daemon-words.ts';
import { withoutLaunchers } from '../launchers.ts';
import { machineOfWords, type QemuWords, type SharingDevice } from './qemu-words.ts';
import type { ServedShare } from './served-share.ts';
import type { HostSurvey, SurveyedProcess } from './survey.ts';

/** A virtual machine that runs on the host and has shares. */
export interface Machine extends Omit<QemuWords, 'devices'> {
  readonly pid: number;
  readonly shares: readonly MachineShare[];
  /** It is somebody's lab: found by the lab's own state, never guessed. */
  readonly ofLab: boolean;
}

/** The machines of a host that have shares, and who serves each of these. */
export function machinesOf({ processes, sockets }: HostSurvey): readonly Machine[] {
  const own = withoutLaunchers(processes);
  const daemons = daemonsOf(own, sockets);
  return own.flatMap((each) => {
    const found = machineOfWords(each.argv, each.directory);
    if (found === undefined) return [];
    const { devices, ...words } = found;
    const shares = devices.map((device) => shareOf(device, each, daemons));
    return [{ ...words, pid: each.pid, ofLab: each.ofLab, shares }];
  });
}

/** A share of a machine, with how its daemon was started, where that is seen. */
export interface MachineShare extends ServedShare {
  readonly started?: { readonly argv: readonly string[]; readonly uid: number | undefined };
}

/** A virtiofsd, with every address at which it is. */
interface Daemon {
  readonly process: SurveyedProcess;
  readonly addresses: readonly string[];
  readonly hostDir: string;
}

/**
 * The daemons of a host. With its sandbox virtiofsd forks: the child, which does the work, has another root and
 * working directory, so that only its parent's names mean something; they are one daemon.
 */
function daemonsOf(processes: readonly SurveyedProcess[], sockets: HostSurvey['sockets']): readonly Daemon[] {
  const serving = processes.filter(({ argv }) => directoryOfWords(argv) !== undefined);
  const alike = (one: SurveyedProcess, other: SurveyedProcess) => String(one.argv) === String(other.argv);
  return serving.flatMap((worker) => {
    const isParent = serving.some((each) => each.parent === worker.pid && alike(each, worker));
    const directory = directoryOfWords(worker.argv);
    if (isParent || directory === undefined) return [];
    const starter = serving.find((each) => each.pid === worker.parent && alike(each, worker)) ?? worker;
    const absolute = (file: string) =>
      path.isAbsolute(file) || starter.directory === undefined ? file : path.join(starter.directory, file);
    const named = socketOfWords(worker.argv);
    const held = new Set([...worker.sockets, ...starter.sockets]);
    const addresses = [...sockets].filter(([, inodes]) => inodes.some((each) => held.has(each)));
    return [
      {
        process: worker,
        addresses: [
          ...(named === undefined ? [] : [absolute(named)]),
          ...addresses.map(([address]) => address),
        ],
        hostDir: absolute(directory),
      },
    ];
  });
}

function shareOf(
  { type, tag, socket, directory, securityModel }: SharingDevice,
  { pid }: SurveyedProcess,
  daemons: readonly Daemon[],
): MachineShare {
  if (type === '9p')
    return {
      ...{ type, tag, hostDir: directory, vmmPid: pid, server: 'QEMU', mode: undefined },
      modeHow: "not known: 9p's mode is an option of the guest's mount",
      ...(securityModel === undefined ? {} : { securityModel }),
    };
  const [daemon] = daemons.filter(({ addresses }) => socket !== undefined && addresses.includes(socket));
  if (daemon === undefined)
    return {
      ...{ type, tag, hostDir: undefined, vmmPid: pid, mode: undefined },
      modeHow: 'not known: no daemon is seen that serves it',
    };
  const { argv, uid } = daemon.process;
  return {
    ...{ type, tag: tag ?? tagOfWords(argv), hostDir: daemon.hostDir, vmmPid: pid },
    daemonPid: daemon.process.pid,
    started: { argv, uid },
    mode: modeOfWords(argv),
    modeHow: "the daemon's command line",
  };
}
