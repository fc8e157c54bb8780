import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import path from 'node:path';
import type { Endpoint } from '../endpoint/endpoint.ts';
import type { LabInfo } from '../lab/info.ts';
import type { Share } from '../share/share.ts';
import type { TogglePlace } from '../share/toggle/toggle.ts';
import { openGuest, openHost } from './open-sides.ts';
import type { SideFlags } from './sides.ts';

/** The flags that say how a share's mode is changed (program.ts). */
export interface ToggleFlags extends SideFlags {
  readonly via?: string;
  readonly force?: boolean;
  readonly restartGuest?: boolean;
}

/** A place to toggle at, with connections that are opened when they are first used. */
export interface OpenPlace {
  readonly place: TogglePlace;
  close(): Promise<void>;
}

/** What a form works on for this share. */
export async function openPlace(
  share: Share,
  lab: LabInfo | undefined,
  flags: ToggleFlags,
  argument: string | undefined,
): Promise<OpenPlace> {
  let guest: Promise<Endpoint> | undefined;
  const host = await openHost(flags);
  return {
    place: {
      share,
      argument,
      async guest(how) {
        if (how === 'again') {
          const old = guest;
          guest = undefined;
          await (await old?.catch(() => undefined))?.close();
        }
        guest ??= openGuest(flags, lab);
        return guest;
      },
      host,
      force: flags.force === true,
      restartGuest: flags.restartGuest === true,
      directory: journalDirectory(share, lab, flags),
    },
    async close() {
      await (await guest?.catch(() => undefined))?.close();
      await host.close();
    },
  };
}

/** Holds a directory for each share that was changed. A base directory (XDG) that is not absolute is ignored. */
export function togglesDirectory(): string {
  const state = process.env.XDG_STATE_HOME;
  const base =
    state !== undefined && path.isAbsolute(state) ? state : path.join(homedir(), '.local', 'state');
  return path.join(base, 'vfs-verify', 'toggles');
}

/** Where what is known of a share that was changed is kept: by the guest, as it is named, and the directory. */
export function journalDirectory(share: Share, lab: LabInfo | undefined, flags: SideFlags): string {
  const guest = lab === undefined ? (flags.guest ?? '') : `lab ${lab.name}`;
  const key = createHash('sha256').update(`${guest}\0${share.guestDir}`).digest('hex').slice(0, 16);
  return path.join(togglesDirectory(), key);
}
