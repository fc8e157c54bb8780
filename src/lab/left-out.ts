import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { type Mode, parseMode } from '../model/mode.ts';
import type { Kernel } from './programs/kernel.ts';
import type { Programs } from './programs/programs.ts';
import { windowDevice } from './vm/qemu-options.ts';

/** A mode that a lab was asked for and does not have. */
export interface LeftOut {
  readonly mode: string;
  readonly why: string;
}

/**
 * Which of these modes cannot be had with these programs, as far as that can be told before anything is started:
 * what a daemon refuses, and what the guest's kernel does not mount, is seen later.
 */
export async function cannotBeHad(modes: readonly string[], programs: Programs): Promise<readonly LeftOut[]> {
  const hasWindows = modes.some((name) => parseMode(name).dax !== undefined)
    ? await qemuHasWindows(programs)
    : true;
  return modes.flatMap((name) => {
    const why = reason(parseMode(name), programs, hasWindows);
    return why === undefined ? [] : [{ mode: name, why }];
  });
}

function reason(mode: Mode, programs: Programs, hasWindows: boolean): string | undefined {
  if (mode.dax !== undefined && !hasWindows)
    return `QEMU ${programs.qemu.version} has no device with a DAX window (${windowDevice}: 11.1 and newer)`;
  if (mode.server === 'c') {
    if (programs.cVirtiofsd === undefined) return programs.noCVirtiofsd ?? 'there is no C virtiofsd here';
    if (process.getuid?.() !== 0) return 'the C virtiofsd needs root';
  }
  if (mode.name === '9p:readahead' && isBefore(programs.kernel, [6, 4]))
    return `Linux ${programs.kernel.version} has no cache=readahead (6.4 and newer)`;
  if (mode.cache === 'fscache' && !mayHave(programs.kernel, 'CONFIG_9P_FSCACHE'))
    return `Linux ${programs.kernel.version} is built without fscache for 9p`;
  if (mode.server === '9p' && !mayHave(programs.kernel, 'CONFIG_9P_FS'))
    return `Linux ${programs.kernel.version} is built without 9p`;
  return undefined;
}

/** The lab's own QEMU has them; another one is asked. */
async function qemuHasWindows({ qemu, tree }: Programs): Promise<boolean> {
  if (qemu.file.startsWith(tree.root)) return true;
  const [program = '', ...words] = qemu.argv;
  const asked = await execa(program, [...words, '-device', 'help'], {
    reject: false,
    stdin: 'ignore',
    timeout: 10_000,
    all: true,
  });
  return asked.all?.includes(`"${windowDevice}"`) === true;
}

/** What the configuration beside a kernel says; true where there is none. */
function mayHave({ image, version }: Kernel, option: string): boolean {
  const file = [`config-${version}`, 'config'].map((name) => join(dirname(image), name)).find(existsSync);
  if (!basename(image).startsWith('vmlinuz') || file === undefined) return true;
  return new RegExp(`^${option}=[ym]$`, 'm').test(readFileSync(file, 'utf8'));
}

function isBefore({ version }: Kernel, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}
