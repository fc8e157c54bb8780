import type { LeftOut } from './left-out.ts';
import type { LoopDisk } from './loop-disk.ts';

/** One guest of a lab. */
export interface LabGuest {
  /** Mode's name → where it is mounted in the guest. */
  readonly mounts: Readonly<Record<string, string>>;
  /** Mode's name → the tag of its device; `MODE@2` is the same mode under its other tag. */
  readonly tags: Readonly<Record<string, string>>;
  /** Mode's name → where the same directory is mounted under another tag (`--second-tag`). */
  readonly otherTags: Readonly<Record<string, string>>;
  readonly ssh: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly keyFile: string;
    readonly knownHostsFile: string;
  };
  readonly qemu: { readonly pid: number; readonly qmpSocket: string };
  /** As `tags`; absent for 9p, which QEMU serves. `pid` is the process that does the work. */
  readonly daemons: Readonly<
    Record<
      string,
      {
        readonly pid: number;
        readonly tag: string;
        readonly socket: string;
        readonly argv: readonly string[];
      }
    >
  >;
  readonly consoleLog: string;
}

/**
 * What `lab up --json` and `lab status --json` print, and what the rest of the program needs of a lab: its first
 * guest, and what belongs to all of them.
 */
export interface LabInfo extends LabGuest {
  readonly schema: 'vfs-verify/lab/1';
  readonly name: string;
  readonly state: 'up' | 'down' | 'broken';
  /** The shared directory on the host. */
  readonly hostDir: string;
  /** What the shared directory is on, where it has a disk of its own (`--disk`). */
  readonly disk?: LoopDisk;
  /** Modes that it was asked for and could not have, and why. */
  readonly leftOut: readonly LeftOut[];
  /** Guests on the same directory, each with daemons of its own (`--guests 2`). */
  readonly otherGuests: readonly LabGuest[];
  /** Program's name (qemu, virtiofsd, lab-backend, guest-kernel) → how it is run and what it says it is. */
  readonly programs: Readonly<Record<string, { readonly argv: readonly string[]; readonly version: string }>>;
  /** Where the lab keeps its state, its keys and its logs. */
  readonly directory: string;
  readonly accelerator: 'tcg' | 'kvm';
}
