import type { ByteRange, OpenFlag, ReadHow, StatSync } from './operation.ts';

/**
 * Watching until something holds: one request looks again and again and answers what was seen when. The times
 * are the side's own (nanoseconds since its probe's start, as `beginNs` of an outcome), so that a window of
 * staleness can be measured without the latency of a request in it.
 */
export interface ObserveOperation {
  readonly do: 'observe';
  /** 1 to 16 looks, made one after the other in each round. */
  readonly looks: readonly Look[];
  /** Pause between the end of a round and the next, in microseconds. Default 1000; 0: none. */
  readonly everyUs?: number;
  /** It ends then at the latest (at most 24 h): a limit that passed is a value with `reached` false. */
  readonly limitMs: number;
  /** How long to go on after all `until` hold. Default 0. Shows what comes back once it was gone. */
  readonly thenMs?: number;
}

/**
 * One look, and what it gives (`Seen`). A system call that is refused is something seen: `{ errno, call }`.
 * Where all looks that have an `until` hold in one round, the observation has reached what it waited for;
 * without any `until` it lasts until its limit.
 */
export type Look = { readonly until?: Until } & (
  | {
      /** statx by path; gives the chosen members of Stat. */
      readonly see: 'stat';
      readonly path: string;
      readonly follow?: boolean;
      readonly sync?: StatSync;
      /** Default size, mtimeNs, mode, nlink, ino. */
      readonly fields?: readonly StatField[];
    }
  | {
      readonly see: 'fstat';
      readonly file: string;
      readonly sync?: StatSync;
      readonly fields?: readonly StatField[];
    }
  /** Whether a name is there, by statx without following: `{ exists: true, ino }` or `{ exists: false }`. */
  | { readonly see: 'name'; readonly path: string; readonly sync?: StatSync }
  /** Whether a directory's listing has a name: `{ listed: true }`. The directory is opened each time. */
  | { readonly see: 'listed'; readonly path: string; readonly name: string }
  /** A whole listing: `{ names: 12, fnv1a: "0a1b2c3d" }`, FNV-1a (32 bit) of the sorted names, each ended by a NUL. */
  | { readonly see: 'list'; readonly path: string }
  /** At most 4096 bytes of an open file: `{ bytes, base64 }`. `how` as for `read`. */
  | {
      readonly see: 'read';
      readonly file: string;
      readonly offset: number;
      readonly length: number;
      readonly how?: Exclude<ReadHow, 'copy-file-range'>;
    }
  /** Open, read, close: `{ bytes, base64 }`. Default flags: rdonly. */
  | {
      readonly see: 'content';
      readonly path: string;
      readonly offset: number;
      readonly length: number;
      readonly flags?: readonly OpenFlag[];
    }
  /** At most 4096 bytes of a mapping: `{ bytes, base64 }`, or `{ signal: "SIGBUS" }`. */
  | { readonly see: 'load'; readonly map: string; readonly offset: number; readonly length: number }
  | { readonly see: 'readlink'; readonly path: string }
  | { readonly see: 'getxattr'; readonly path: string; readonly name: string }
  /** `{ by, cached, dirty, writeback }` of the range, by cachestat where there is one. */
  | { readonly see: 'pages'; readonly file: string; readonly range?: ByteRange }
  /** Tries to take a lock and gives it back at once: `{ locked: true }` or `{ errno: "EAGAIN", call }`. */
  | {
      readonly see: 'lock';
      readonly file: string;
      readonly family: LockFamily;
      readonly mode: 'shared' | 'exclusive';
      readonly range?: ByteRange;
    }
);

export type LockFamily = 'flock' | 'posix' | 'ofd';

export type StatField =
  | 'type'
  | 'size'
  | 'blocks512'
  | 'mode'
  | 'nlink'
  | 'uid'
  | 'gid'
  | 'ino'
  | 'dev'
  | 'mtimeNs'
  | 'ctimeNs'
  | 'atimeNs';

/** What one look gave: strings, whole numbers and booleans by name. */
export type Seen = Readonly<Record<string, string | number | boolean>>;

/**
 * `is`: every member given equals the one seen. `isNot`: at least one member given differs or is missing.
 * Both: both.
 */
export interface Until {
  readonly is?: Seen;
  readonly isNot?: Seen;
}

/** What `observe` answers. */
export interface ObserveResult {
  /** All `until` held in one round; false: the limit passed first, or nothing was waited for. */
  readonly reached: boolean;
  readonly rounds: number;
  /** One for each look, in order. */
  readonly looks: readonly Timeline[];
}

/** What one look saw, in order: each entry differs from the one before it. */
export interface Timeline {
  readonly seen: readonly Sighting[];
  /** Changes after the first 500, which were not kept (nor was what was seen then). Absent: none. */
  readonly dropped?: number;
}

/** Something that was seen in an unbroken row of looks. */
export interface Sighting {
  readonly value: Seen;
  /** Begin and end of the first and of the last look that saw it, in nanoseconds of the side's clock. */
  readonly first: readonly [number, number];
  readonly last: readonly [number, number];
  readonly count: number;
}
