import { resolve } from 'node:path';
import { allModes, labModes, parseMode } from '../model/mode.ts';
import type { DiskKind } from './loop-disk.ts';
import { isDebianRelease } from './programs/debian-kernel.ts';

/** What the user may ask of a lab. What is absent is the lab's own choice. */
export interface LabOptions {
  readonly name?: string | undefined;
  /** Names of modes; `all` stands for every mode that a lab can serve. */
  readonly modes?: readonly string[] | undefined;
  /** Modes that cannot be had here are left out, as those are that only `all` stands for. */
  readonly skipImpossible?: boolean | undefined;
  /** Of the modes, those that may be left out: for a lab that is like another one. */
  readonly optional?: readonly string[] | undefined;
  /** Programs in place of the lab's own; see `findPrograms`. */
  readonly qemu?: string | undefined;
  readonly virtiofsd?: string | undefined;
  readonly cVirtiofsd?: string | undefined;
  readonly kernel?: string | undefined;
  /** How many guests share the directory; 1 or 2. */
  readonly guests?: number | undefined;
  /** Each mode under a second tag as well, with a daemon and a mount of its own. */
  readonly secondTag?: boolean | undefined;
  /** Puts the share on a small disk of its own, with this file system. */
  readonly disk?: DiskKind | undefined;
  /** The disk's size in MiB. */
  readonly diskMiB?: number | undefined;
  /** An existing directory to share in place of the lab's own. It is never removed. */
  readonly dir?: string | undefined;
  /** The guest's memory in MiB. */
  readonly memoryMiB?: number | undefined;
  readonly cpus?: number | undefined;
  readonly bootTimeoutMs?: number | undefined;
  readonly accelerator?: 'auto' | 'tcg' | 'kvm' | undefined;
  /** The port of this machine's loopback address where the guest's ssh answers; absent: a free one. */
  readonly sshPort?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The same with every choice made, but for what does not make another lab: name, patience, signal. */
export interface Wish {
  readonly modes: readonly string[];
  /** Those of them that are left out where they cannot be had. */
  readonly optional: readonly string[];
  readonly qemu: string | undefined;
  readonly virtiofsd: string | undefined;
  readonly cVirtiofsd: string | undefined;
  readonly kernel: string | undefined;
  readonly guests: number;
  readonly secondTag: boolean;
  readonly disk: DiskKind | undefined;
  readonly diskMiB: number;
  readonly dir: string | undefined;
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly accelerator: 'auto' | 'tcg' | 'kvm';
  readonly sshPort: number | undefined;
}

/**
 * Makes the choices that the user left open.
 * @throws KnownError `bad-mode`.
 */
export function wishOf(options: LabOptions): Wish {
  const path = (given: string | undefined) =>
    given === undefined || !given.includes('/') ? given : resolve(given);
  const asked = options.modes ?? labModes;
  const named = asked.filter((name) => name !== 'all').map((name) => parseMode(name).name);
  const modes = [...new Set(asked.flatMap((name) => (name === 'all' ? allModes : parseMode(name).name)))];
  const all = options.skipImpossible === true ? modes : modes.filter((name) => !named.includes(name));
  return {
    modes,
    optional: options.optional ?? all,
    qemu: path(options.qemu),
    virtiofsd: path(options.virtiofsd),
    cVirtiofsd: path(options.cVirtiofsd),
    kernel:
      options.kernel === undefined || isDebianRelease(options.kernel)
        ? options.kernel
        : resolve(options.kernel),
    guests: options.guests ?? 1,
    secondTag: options.secondTag ?? false,
    disk: options.disk,
    diskMiB: options.diskMiB ?? 512,
    dir: options.dir === undefined ? undefined : resolve(options.dir),
    memoryMiB: options.memoryMiB ?? 1024,
    cpus: options.cpus ?? 2,
    accelerator: options.accelerator ?? 'auto',
    sshPort: options.sshPort,
  };
}

/** The flags of `lab up` in which two wishes differ; none for two that ask for the same lab. */
export function differingFlags(one: string, other: string): string[] {
  const flags: Record<keyof Wish, string> = {
    modes: '--modes',
    optional: '--skip-impossible',
    qemu: '--qemu',
    virtiofsd: '--virtiofsd',
    cVirtiofsd: '--c-virtiofsd',
    kernel: '--kernel',
    guests: '--guests',
    secondTag: '--second-tag',
    disk: '--disk',
    diskMiB: '--disk-size',
    dir: '--dir',
    memoryMiB: '--memory',
    cpus: '--cpus',
    accelerator: '--accel',
    sshPort: '--ssh-port',
  };
  const [a, b] = [JSON.parse(one) as Partial<Wish>, JSON.parse(other) as Partial<Wish>];
  return (Object.keys(flags) as (keyof Wish)[])
    .filter((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]))
    .map((key) => flags[key]);
}
