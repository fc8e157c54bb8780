import type { Algorithm, ByteRange } from './operation.ts';

/**
 * What a two-sided comparison of one of the user's own paths found: the evidence of `md5 PATH`, as saved in
 * the report and printed by src/report.
 */
export interface ComparisonEvidence {
  readonly path: string;
  readonly hostPath: string;
  readonly algorithm: Algorithm;
  readonly guest?: SideDigest;
  readonly host?: SideDigest;
  /** From --expect. */
  readonly expected?: string;
  /** Ranges that differ, merged, in order; whole blocks where they were not refined to pages. */
  readonly ranges: readonly Required<ByteRange>[];
  /** Bytes in all ranges. */
  readonly bytesDiffering: number;
  readonly votes: readonly Vote[];
  readonly layer?: Layer;
  /** What the contract says about this layer in the mode in force; absent where it is silent. */
  readonly permitted?: {
    readonly allowed: boolean;
    readonly words: string;
    readonly sources: readonly string[];
  };
  /** What the measurement itself changed, one sentence each. */
  readonly disturbed: readonly string[];
  /** Votes that could not be taken, and why. */
  readonly leftOut: readonly string[];
}

/** What one side read. */
export interface SideDigest {
  readonly digest: string;
  readonly bytes: number;
  /** From its first to its last byte, in that side's own clock. */
  readonly seconds: number;
}

/** One way of looking at the bytes that differ. */
export interface Vote {
  readonly who: 'guest-cache' | 'host-cache' | 'guest-evicted' | 'host-direct' | 'expected';
  /** A digest of the differing ranges (of the whole file for `expected`). */
  readonly digest: string;
}

/** Where the difference sits. */
export type Layer =
  | 'stale-guest-cache'
  | 'stale-size'
  | 'stale-name'
  | 'guest-not-written-back'
  | 'daemon'
  | 'host-cache-vs-medium'
  | 'caught-up'
  | 'both-wrong';

/** Each layer in words, for people. */
export const layerWords: Readonly<Record<Layer, string>> = {
  'stale-guest-cache': "the guest's page cache is stale",
  'stale-size': "the guest's cached file size is stale",
  'stale-name': 'the guest still has another file under this name',
  'guest-not-written-back': 'the guest holds data that it has not written back',
  daemon: 'the daemon serves other bytes than the host has at this path',
  'host-cache-vs-medium': "the host's page cache and its disk disagree",
  'caught-up': 'the guest was stale when it was hashed, and has caught up since',
  'both-wrong': 'both sides agree and both are wrong',
};

/** The row of the contract that speaks of a layer; undefined: no mode ever permits it. */
export const layerScenarios: Readonly<Record<Layer, string | undefined>> = {
  'stale-guest-cache': 'host-write/reopen',
  'stale-size': 'host-append/size',
  'stale-name': 'rename-over/open',
  'guest-not-written-back': 'guest-map-store/before-msync',
  daemon: undefined,
  'host-cache-vs-medium': undefined,
  'caught-up': 'host-append/size',
  'both-wrong': undefined,
};

/** What a comparison of two trees found: the evidence of `md5 --recursive`. */
export interface TreeEvidence {
  readonly path: string;
  readonly hostPath: string;
  readonly algorithm: Algorithm;
  readonly entries: number;
  readonly bytes: number;
  readonly seconds: number;
  /** By kind, all of them; `differences` holds the first ten thousand. */
  readonly counts: Readonly<Partial<Record<TreeDifference['kind'], number>>>;
  readonly differences: readonly TreeDifference[];
  readonly disturbed: readonly string[];
}

/** One path on which two trees disagree, or could not be compared (`unreadable`, `changed`). */
export interface TreeDifference {
  readonly path: string;
  readonly kind:
    | 'only-on-guest'
    | 'only-on-host'
    | 'type'
    | 'size'
    | 'target'
    | 'digest'
    | 'unreadable'
    | 'changed';
  readonly guest?: string;
  readonly host?: string;
}
