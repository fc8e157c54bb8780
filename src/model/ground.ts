/** How one thing is, for what vfs-verify does: `limited` and `missing` say what that costs, and how it is cured. */
export interface GroundFact {
  /** What it is about: `rights`, `page-state`, `daemon`. */
  readonly about: string;
  readonly state: 'ok' | 'limited' | 'missing';
  readonly said: string;
  /** A command or a flag, or one sentence. */
  readonly cure?: string;
}

/** One side or one share, and everything that was seen of it. */
export interface GroundPlace {
  readonly where: 'host' | 'guest' | 'share';
  /** `this machine`, `root@vm1:22`, `/mnt/data = /srv/share`. */
  readonly name: string;
  readonly facts: readonly GroundFact[];
}

/** What one command can do here. */
export interface Ability {
  readonly command: string;
  readonly can: 'yes' | 'in part' | 'no';
  /** Why not, or what is less. */
  readonly why?: string;
}

/** What `doctor` answers; its published schema is src/report/doctor.schema.json. */
export interface Ground {
  readonly schema: 'vfs-verify/doctor/1';
  readonly tool: { readonly name: 'vfs-verify'; readonly version: string };
  readonly abilities: readonly Ability[];
  readonly places: readonly GroundPlace[];
}

/** What `doctor` answers where several guests are asked. */
export interface GroundOfMany extends Pick<Ground, 'schema' | 'tool'> {
  /** In the order in which they were named. */
  readonly guests: readonly GuestGround[];
}

/** One guest of several. */
export interface GuestGround extends Pick<Ground, 'abilities' | 'places'> {
  /** As the user calls it. */
  readonly guest: string;
  readonly durationMs: number;
  /** Why nothing was seen at all: `abilities` and `places` are empty. */
  readonly trouble?: { readonly code: string; readonly reason: string; readonly next: string };
}
