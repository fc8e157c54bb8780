import { join } from 'node:path';
import { KnownError } from '../../model/error.ts';
import { type Mode, parseMode } from '../../model/mode.ts';
import type { GuestMount } from '../guest/personal.ts';

/** One way in which the lab shares its directory: a mode with a daemon, a tag and a mount of its own. */
export interface LabShare {
  readonly mode: Mode;
  /** A virtiofs tag holds 36 bytes, less than some modes' names: short ids. */
  readonly tag: string;
  readonly socket: string;
  readonly mount: GuestMount;
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
    if (mode.server !== 'rust' || mode.dax !== undefined) {
      throw new KnownError(
        'mode-not-in-lab',
        `the lab cannot serve the mode ${mode.name}`,
        'It serves the modes of the Rust virtiofsd: never, metadata, auto and always, with flags such as +writeback.',
      );
    }
    const tag = `m${index}`;
    return {
      mode,
      tag,
      socket: join(sockets, `${tag}.sock`),
      mount: { tag, type: 'virtiofs', path: `/mnt/${mode.name}`, options: 'rw' },
    };
  });
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
