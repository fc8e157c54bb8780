import { join } from 'node:path';
import { KnownError } from '../../model/error.ts';
import { type Mode, parseMode } from '../../model/mode.ts';
import type { GuestMount } from '../guest/personal.ts';

/** One way in which the lab shares its directory: a mode with a device, a tag and a mount of its own. */
export interface LabShare {
  readonly mode: Mode;
  /** A virtiofs tag holds 36 bytes and one of 9p 31, less than some modes' names: short ids. */
  readonly tag: string;
  /** Where its daemon listens; undefined for 9p, which QEMU serves itself. */
  readonly socket: string | undefined;
  readonly mount: GuestMount;
}

/** A share with a daemon. */
export type DaemonShare = LabShare & { readonly socket: string };

/** Those of them that have a daemon. */
export function withDaemons(shares: readonly LabShare[]): DaemonShare[] {
  return shares.filter((share): share is DaemonShare => share.socket !== undefined);
}

/**
 * The shares for these modes, each once.
 * @param sockets the directory for the daemons' sockets.
 * @throws KnownError `bad-mode`, `mode-not-in-lab`.
 */
export function planShares(modes: readonly string[], sockets: string): LabShare[] {
  const parsed = new Map(modes.map((name) => parseMode(name)).map((mode) => [mode.name, mode]));
  if (parsed.size === 0) {
    throw new KnownError(
      'bad-mode',
      'a lab needs at least one mode',
      'Name modes, such as --modes auto,never.',
    );
  }
  return [...parsed.values()].map((mode, index) => {
    const tag = `m${index}`;
    const path = `/mnt/${mode.name}`;
    if (mode.server === '9p' && mode.dax === undefined)
      return { mode, tag, socket: undefined, mount: { tag, type: '9p', path, options: options9p(mode) } };
    if (mode.server === 'rust' && mode.dax === undefined)
      return {
        mode,
        tag,
        socket: join(sockets, `${tag}.sock`),
        mount: { tag, type: 'virtiofs', path, options: 'rw' },
      };
    throw new KnownError(
      'mode-not-in-lab',
      `the lab cannot serve the mode ${mode.name}`,
      'It serves the modes of the Rust virtiofsd (never, metadata, auto and always, with flags such as +writeback) and those of 9p (9p:none, 9p:readahead, 9p:mmap, 9p:loose, 9p:fscache).',
    );
  });
}

/** A 9p mode is the guest's affair alone: its policy and flags are options of the mount. */
function options9p(mode: Mode): string {
  return ['rw', 'trans=virtio', 'version=9p2000.L', `cache=${mode.cache}`, ...mode.flags].join(',');
}

/** The words after the program's name that make virtiofsd serve a directory in a mode. */
export function virtiofsdOptions(mode: Mode, socket: string, hostDir: string): string[] {
  return [
    `--socket-path=${socket}`,
    `--shared-dir=${hostDir}`,
    `--cache=${mode.cache}`,
    ...mode.flags.map((flag) => `--${flag}`),
  ];
}
