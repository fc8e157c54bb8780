import { securityModelOf } from '../../model/mode.ts';
import type { LabShare } from './shares.ts';

/** One virtual machine, in the terms of its builder. */
export interface VmPlan {
  readonly accelerator: 'tcg' | 'kvm';
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly kernel: string;
  readonly initrd: string;
  readonly programsDisk: string;
  readonly consoleLog: string;
  readonly qmpSocket: string;
  /** The guest's port 22 on this machine's loopback address. */
  readonly sshPort: number;
  readonly shares: readonly LabShare[];
  /** What 9p shares; daemons are told themselves. */
  readonly hostDir: string;
  /** Whether 9p modes may be plugged in later: a QEMU of the user's own may be built without 9p. Default: no. */
  readonly hasSpareExport?: boolean;
  /** 9p's: `passthrough` gives files the guest's owners, which takes root; `none` goes without. */
  readonly securityModel: 'passthrough' | 'none';
}

/**
 * `panic=-1` with `-no-reboot` makes a panic end QEMU at once. The rest spares an emulated boot what shows
 * nothing about shares: self-tests, a timer check that waits, security modules, mitigations, memory that is cleared
 * before the kernel uses it, accounts of who waited how long.
 */
const kernelOptions = [
  'console=ttyS0',
  'panic=-1',
  'quiet',
  'no_timer_check',
  'cryptomgr.notests',
  'lsm=',
  'audit=0',
  'mitigations=off',
  'init_on_alloc=0',
  'psi=0',
  // Each worker of the probe would clear 2 MiB for its first few bytes of heap.
  'transparent_hugepage=never',
];

/**
 * What costs under emulation is left out: string instructions that say they are fast and are emulated byte by
 * byte, and a fifth level of page tables. A matrix takes a fifth less of the processor so.
 */
const emulatedCpu = 'max,la57=off,erms=off,fsrm=off';

/** Options that every machine of the lab has, that of the trial boot too. */
export function machineOptions(accelerator: 'tcg' | 'kvm'): string[] {
  const speed = accelerator === 'kvm' ? ['kvm'] : ['tcg,thread=multi'];
  return [
    '-nodefaults',
    '-no-user-config',
    ...['-display', 'none', '-vga', 'none'],
    '-no-reboot',
    // q35 for the sake of a DAX window and of hotplug behind its root ports.
    ...['-machine', 'q35,graphics=off,smm=off,vmport=off'],
    ...['-accel', ...speed],
    ...['-cpu', accelerator === 'kvm' ? 'host' : emulatedCpu],
  ];
}

/** The words after QEMU's name. */
export function qemuOptions(plan: VmPlan): string[] {
  return [
    ...machineOptions(plan.accelerator),
    ...['-smp', String(plan.cpus)],
    ...['-m', `${plan.memoryMiB}M`],
    // The daemons read and write the guest's memory themselves, so it must be shared.
    ...['-object', `memory-backend-memfd,id=mem,size=${plan.memoryMiB}M,share=on`],
    ...['-numa', 'node,memdev=mem'],
    ...['-kernel', plan.kernel],
    ...['-initrd', plan.initrd],
    ...['-append', kernelOptions.join(' ')],
    ...['-chardev', `file,id=console,path=${escaped(plan.consoleLog)}`],
    ...['-serial', 'chardev:console'],
    ...['-qmp', `unix:${escaped(plan.qmpSocket)},server=on,wait=off`],
    // No way out of the guest but the one that is forwarded in.
    ...['-netdev', `user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${plan.sshPort}-10.0.2.15:22`],
    ...['-device', 'virtio-net-pci,netdev=net,romfile='],
    ...['-drive', `id=programs,if=none,format=raw,read-only=on,file=${escaped(plan.programsDisk)}`],
    ...['-device', 'virtio-blk-pci,drive=programs'],
    ...plan.shares.flatMap((share, index) => shareOptions(plan, share, index)),
    ...sparePorts(plan.shares.length),
    ...(plan.hasSpareExport === true ? exportOptions(plan, spareExport, plan.securityModel) : []),
  ];
}

/**
 * The only device of QEMU's (11.1) that gives a guest shared memory of its backend's: any vhost-user device,
 * here a file system (26) with its two queues and the 40 bytes of its configuration, which the backend tells.
 */
export const windowDevice = 'vhost-user-test-device-pci';
const windowSettings = { 'virtio-id': 26, num_vqs: 2, vq_size: 256, config_size: 40 };

/**
 * The device of a share, as device_add takes it, behind the root port of its own: one directly on pcie.0 cannot be
 * unplugged.
 * @param fsdev what 9p exports, by its name.
 */
export function deviceOf({ tag, socket, mode }: LabShare, fsdev = tag): ShareDevice {
  const place = { id: `fs-${tag}`, bus: `port-${tag}` };
  if (socket === undefined) return { driver: 'virtio-9p-pci', ...place, fsdev, mount_tag: tag };
  if (mode.dax === undefined) return { driver: 'vhost-user-fs-pci', ...place, chardev: tag, tag };
  return { driver: windowDevice, ...windowSettings, ...place, chardev: tag };
}

/** The arguments of device_add. */
export type ShareDevice = Readonly<Record<string, string | number>> & { readonly driver: string };

function deviceWords({ driver, ...properties }: ShareDevice): string[] {
  return ['-device', [driver, ...Object.entries(properties).map((each) => each.join('='))].join(',')];
}

function shareOptions(plan: VmPlan, share: LabShare, index: number): string[] {
  const { tag, socket, mode } = share;
  return [
    ...(socket === undefined
      ? exportOptions(plan, tag, securityModelOf(mode) ?? plan.securityModel)
      : ['-chardev', `socket,id=${tag},path=${escaped(socket)}`]),
    ...rootPort(`port-${tag}`, index + 1, plan.shares.length > mostPorts),
    ...deviceWords(deviceOf(share)),
  ];
}

/** What 9p exports; devices name it. QEMU takes none while it runs. */
function exportOptions({ hostDir }: VmPlan, id: string, securityModel: string): string[] {
  return ['-fsdev', `local,id=${id},path=${escaped(hostDir)},security_model=${securityModel}`];
}

/** The name of the export of 9p modes that are plugged in later. */
export const spareExport = 'spare';

/** @param isMany eight share a place on pcie.0. */
function rootPort(id: string, number: number, isMany: boolean, more = ''): string[] {
  const place = `0x${(firstPlace + Math.floor((number - 1) / 8)).toString(16)}.${(number - 1) % 8}`;
  const where = isMany ? `,addr=${place},multifunction=on` : '';
  return ['-device', `pcie-root-port,id=${id},bus=pcie.0,chassis=${number},slot=${number}${where}${more}`];
}

/** Ports without a device: shares are plugged there while the guest runs (toggle.ts). */
export const spareCount = 3;
/** pcie.0 has 32 places, of which the machine's own devices, the network and a disk take some. */
const mostPorts = 26;
/** Behind what QEMU places itself: the network and the disk. */
const firstPlace = 8;

/** The tag of the share on a spare port, whose name is `port-TAG`. */
export function spareTag(index: number): string {
  return `x${index}`;
}

function sparePorts(taken: number): string[] {
  const count = taken > mostPorts ? spareCount : Math.min(spareCount, mostPorts - taken);
  return Array.from({ length: count }, (_, index) =>
    // With room for a window of a device that is not there yet.
    rootPort(`port-${spareTag(index)}`, taken + index + 1, taken > mostPorts, ',pref64-reserve=64M'),
  ).flat();
}

/** In an option's value QEMU takes a comma for the end of it, unless there are two. */
function escaped(value: string): string {
  return value.replaceAll(',', ',,');
}
