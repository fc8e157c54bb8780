import { join } from 'node:path';
import { KnownError } from '../../model/error.ts';
import { isOfMount, type Mode, parseMode } from '../../model/mode.ts';
import type { GuestMount } from '../guest/personal.ts';

/** One way in which the lab shares its directory: a mode with a device, a tag and a mount of its own. */
export interface LabShare {
  /** The mode's, with `@2` under its other tag. */
  readonly name: string;
  readonly mode: Mode;
  /** The same mode is there under another tag, which comes first. */
  readonly otherTag: boolean;
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

/** How a guest's shares are laid out. */
export interface SharesLayout {
  /** The directory for the daemons' sockets. */
  readonly sockets: string;
  /** Which guest of the lab it is: the guests' sockets are in one directory. Default 1. */
  readonly number?: number;
  /** Each mode a second time, under another tag. */
  readonly secondTag?: boolean;
}

/**
 * The shares for these modes, each once, or twice under two tags.
 * @throws KnownError `bad-mode`, `mode-not-in-lab`.
 */
export function planShares(modes: readonly string[], layout: SharesLayout): LabShare[] {
  const parsed = [...new Map(modes.map((name) => parseMode(name)).map((mode) => [mode.name, mode])).values()];
  if (parsed.length === 0) {
    throw new KnownError(
      'bad-mode',
      'a lab needs at least one mode',
      'Name modes, such as --modes auto,never.',
    );
  }
  const first = parsed.map((mode, index) => shareOf(mode, `m${index}`, false, layout));
  if (layout.secondTag !== true) return first;
  return [...first, ...parsed.map((mode, index) => shareOf(mode, `n${index}`, true, layout))];
}

/** @throws KnownError `mode-not-in-lab`. */
export function shareOf(
  mode: Mode,
  tag: string,
  otherTag: boolean,
  { sockets, number = 1 }: SharesLayout,
): LabShare {
  const name = otherTag ? `${mode.name}@2` : mode.name;
  const base = { name, mode, tag, otherTag };
  const path = `/mnt/${name}`;
  if (mode.server === '9p' && mode.dax === undefined)
    return { ...base, socket: undefined, mount: { tag, type: '9p', path, options: options9p(mode) } };
  if (mode.server === 'rust' || (mode.server === 'c' && mode.dax === undefined))
    return {
      ...base,
      // Daemons with a window are known by it to the library in QEMU (backend/qemu/other-daemons.c).
      socket: join(
        sockets,
        `${number === 1 ? '' : `g${number}-`}${tag}${mode.dax === undefined ? '' : '.w'}.sock`,
      ),
      mount: {
        tag,
        type: 'virtiofs',
        path,
        options: mode.dax === undefined ? 'rw' : `rw,dax=${mode.dax}`,
      },
    };
  throw new KnownError(
    'mode-not-in-lab',
    `the lab cannot serve the mode ${mode.name}`,
    'It serves the modes of the Rust virtiofsd (never, metadata, auto and always, with flags such as +writeback or +dax=always), of the C virtiofsd (c:none, c:auto, c:always, with flags but without dax) and of 9p (9p:none, 9p:readahead, 9p:mmap, 9p:loose, 9p:fscache).',
  );
}

/** A 9p mode is the guest's affair: its policy and flags are options of the mount, but for QEMU's own. */
function options9p({ cache, flags }: Mode): string {
  return ['rw', 'trans=virtio', 'version=9p2000.L', `cache=${cache}`, ...flags.filter(isOfMount)].join(',');
}

/** How large a window is: small, so that there are files that do not fit. Each 2 MiB take a memory slot of QEMU's. */
const windowMiB = 32;

/**
 * The words after those of `virtiofsdOptions` that give a share a DAX window, where its mode names one (also
 * `dax=never`, the control). They are the lab's own backend's: no released daemon has a window.
 * @param mapPastEnd QEMU runs with the library that lets it map files of any length.
 */
export function windowOptions({ mode, tag }: DaemonShare, mapPastEnd: boolean): string[] {
  if (mode.dax === undefined) return [];
  return [`--tag=${tag}`, `--window=${windowMiB}`, ...(mapPastEnd ? ['--map-past-end'] : [])];
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

/** Flags of the C daemon that are options of their own; every other one goes behind `-o`. */
const cLongOptions = ['rlimit-nofile', 'socket-group', 'thread-pool-size'];

/** The words after the program's name that make the C virtiofsd serve a directory in a mode. */
export function cVirtiofsdOptions(mode: Mode, socket: string, hostDir: string): string[] {
  const isLong = (flag: string) => cLongOptions.includes(flag.replace(/=.*/, ''));
  return [
    `--socket-path=${socket}`,
    // In a value of -o a comma is the end of it, and a backslash takes its meaning away.
    ...['-o', `source=${hostDir.replace(/[\\,]/g, '\\$&')}`],
    ...[`cache=${mode.cache}`, ...mode.flags.filter((flag) => !isLong(flag))].flatMap((each) => ['-o', each]),
    ...mode.flags.filter(isLong).map((flag) => `--${flag}`),
  ];
}
