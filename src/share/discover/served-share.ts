import path from 'node:path';
import { howNinepIsKnown, type Mode, ninepMode, parseMode } from '../../model/mode.ts';
import { type GuestMount, optionOf } from '../guest-mounts.ts';
import type { Share } from '../share.ts';

/** A directory that the host serves to one machine: "this tag is that host path, served so". */
export interface ServedShare {
  readonly type: 'virtiofs' | '9p';
  readonly tag: string | undefined;
  /** Undefined where nothing that is seen says it. */
  readonly hostDir: string | undefined;
  /** The process that does the daemon's work, where it can be seen. */
  readonly daemonPid?: number;
  /** QEMU's process. */
  readonly vmmPid?: number;
  /** Who serves it, with its version: `virtiofsd 1.13.2`. */
  readonly server?: string;
  /** Undefined for 9p, whose mode is the guest's affair, and where nothing shows it. */
  readonly mode: Mode | undefined;
  /** How the mode is known, in words. */
  readonly modeHow: string;
  /** 9p's `security_model`, where QEMU's words say it. */
  readonly securityModel?: string;
}

/** A served share of which it is known where it is. */
export type PlacedShare = ServedShare & { readonly hostDir: string };

/** A served share as a guest has it mounted, where a bind mount may show a directory inside the share. */
export function shareAt(mount: GuestMount, served: PlacedShare): Share {
  const { tag, type, daemonPid, server, vmmPid } = served;
  const mode = modeAt(mount, served);
  return {
    guestDir: mount.point,
    hostDir: hostDirectoryAt(mount, served),
    mode,
    modeHow: mode?.server === '9p' ? howNinepIsKnown(mode) : served.modeHow,
    type,
    ...(tag === undefined ? {} : { tag }),
    ...(server === undefined ? {} : { server }),
    ...(daemonPid === undefined ? {} : { daemonPid }),
    ...(vmmPid === undefined ? {} : { vmmPid }),
  };
}

/** What a mount of a share shows, as the host calls it. */
export function hostDirectoryAt({ root }: Pick<GuestMount, 'root'>, { hostDir }: PlacedShare): string {
  return root === '/' ? hostDir : path.posix.join(hostDir, root);
}

function modeAt(mount: GuestMount, { mode: ofDaemon, securityModel }: PlacedShare): Mode | undefined {
  if (mount.type === '9p') return ninepMode(optionOf(mount, 'cache'), securityModel);
  const dax = optionOf(mount, 'dax');
  return ofDaemon === undefined || dax === undefined ? ofDaemon : parseMode(`${ofDaemon.name}+dax=${dax}`);
}
