import { randomBytes } from 'node:crypto';
import { connectSsh } from '../endpoint/ssh.ts';
import type { BenchAbility, BenchOperation } from '../model/bench-verb.ts';
import { KnownError } from '../model/error.ts';
import { startProbe } from '../probe/install.ts';
import type { BenchDone, BenchVerbs } from '../share/bench-verbs.ts';
import { addGuest } from './add-guest.ts';
import { breakDisk, mendDisk } from './disk-faults.ts';
import type { LabInfo } from './info.ts';
import { readJournal } from './journal.ts';
import { diskKindsHere, type LoopDisk } from './loop-disk.ts';
import { cutPower } from './power-cut.ts';
import { endProcesses, isRunning } from './processes.ts';

const endMs = 5000;

/** What can be done to a lab that a run has for itself, in one of its modes. */
export function labVerbs(lab: LabInfo, mode: string): BenchVerbs {
  return {
    can: abilitiesOf(lab, mode),
    carryOut: (op, share, signal) => carryOut(lab, op, share.mode, signal),
  };
}

/** The same for a lab that others work on too: nothing that would disturb them. */
export function harmlessVerbs(lab: LabInfo, mode: string): BenchVerbs {
  const harmless: readonly BenchAbility[] = ['guest.add', 'power.cut'];
  const { can, carryOut: all } = labVerbs(lab, mode);
  return { can: can.filter((each) => harmless.includes(each)), carryOut: all };
}

/** What could be done to a lab that is made on this machine. */
export function abilitiesHere(): readonly BenchAbility[] {
  const kinds = diskKindsHere();
  return [
    'daemon.kill',
    'vm.kill',
    'guest.add',
    ...(kinds.includes('ext4') ? (['power.cut', 'disk.no-space', 'disk.io-error'] as const) : []),
    ...(kinds.includes('btrfs') ? (['disk.quota'] as const) : []),
  ];
}

function abilitiesOf({ daemons, disk }: LabInfo, mode: string): readonly BenchAbility[] {
  return [
    // QEMU serves 9p itself.
    ...(daemons[mode] === undefined ? [] : (['daemon.kill'] as const)),
    'vm.kill',
    'guest.add',
    ...(disk === undefined ? [] : (['power.cut', 'disk.no-space', 'disk.io-error'] as const)),
    ...(disk?.kind === 'btrfs' ? (['disk.quota'] as const) : []),
  ];
}

async function carryOut(
  lab: LabInfo,
  op: BenchOperation,
  mode: string,
  signal: AbortSignal | undefined,
): Promise<BenchDone> {
  switch (op.verb) {
    case 'daemon.kill':
      return { value: { pid: await killed(lab, daemonOf(lab, mode)) } };
    case 'vm.kill':
      return { value: { pid: await killed(lab, lab.qemu.pid) } };
    case 'power.cut': {
      const name = `medium-${randomBytes(4).toString('hex')}`;
      const { share, remove } = await cutPower(lab.directory, diskOf(lab), name);
      return { value: { share }, views: { medium: { on: 'host', root: share } }, undo: remove };
    }
    case 'guest.add':
      return secondGuest(lab, signal);
    case 'disk.fault': {
      const disk = diskOf(lab);
      const { freeBytes } = await breakDisk(disk, op.fault);
      return { value: { fault: op.fault, freeBytes }, undo: () => mendDisk(disk) };
    }
    case 'disk.mend':
      await mendDisk(diskOf(lab));
      return { value: {} };
  }
}

function daemonOf({ daemons }: LabInfo, mode: string): number {
  const pid = daemons[mode]?.pid;
  if (pid !== undefined) return pid;
  throw new KnownError(
    'no-daemon',
    `the mode ${mode} has no daemon of its own`,
    'On 9p the server is QEMU: vm.kill.',
  );
}

function diskOf({ disk, name }: LabInfo): LoopDisk {
  if (disk !== undefined) return disk;
  throw new KnownError(
    'no-disk',
    `the share of the lab "${name}" is on no disk of its own`,
    'vfs-verify lab up --disk ext4 makes one that has a disk.',
  );
}

/** SIGKILL to a process that the lab has written down, and not to a later one of that number. */
async function killed({ directory }: LabInfo, pid: number): Promise<number> {
  const noted = readJournal(directory)?.processes.find((each) => each.pid === pid);
  const left = await endProcesses(() => (noted !== undefined && isRunning(noted) ? [noted] : []), endMs);
  if (left.length === 0) return pid;
  throw new KnownError(
    'lab-stuck',
    `the process ${pid} does not end`,
    'See what it hangs in: ps -o stat,wchan.',
  );
}

async function secondGuest(lab: LabInfo, signal: AbortSignal | undefined): Promise<BenchDone> {
  const { guest, remove } = await addGuest(lab, () => {}, signal);
  try {
    const endpoint = await connectSsh({ ...guest.ssh, strict: true });
    const session = await startProbe(endpoint);
    return {
      value: { mounts: guest.mounts },
      views: { guest2: { on: session, root: guest.mounts } },
      async undo() {
        await session.close();
        await endpoint.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
