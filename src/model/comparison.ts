import type { Algorithm, ByteRange, Stat } from './operation.ts';

/**
 * What a two-sided look at one file found: the evidence of the check `md5`. A type and not an interface, so
 * that it is assignable to a verdict's open `evidence`.
 */
export type ComparisonEvidence = {
  readonly kind: 'comparison';
  /** As the guest sees it. */
  readonly path: string;
  readonly hostPath: string;
  readonly algorithm: Algorithm;
  /** Absent where that side gave no digest. */
  readonly guest?: SideDigest;
  readonly host?: SideDigest;
  /** The digest that the user expects, in lower-case hex. */
  readonly expected?: string;
  /** Where the sides differ, merged and in order. */
  readonly ranges: readonly Required<ByteRange>[];
  /** How many there are in all, where `ranges` is not all of them. */
  readonly rangesTotal: number;
  /** Bytes: differences are told no finer than this. */
  readonly blockSize: number;
  /** In the order in which they were taken. */
  readonly votes: readonly Vote[];
  /** Which layer holds the wrong bytes. */
  readonly layer?: Layer;
  /** The layer in words a headline can end in: `the guest's page cache is stale`. */
  readonly layerWords?: string;
  readonly share: ShareWords;
  /** Set where the mode in force permits the difference: for how long or until what, and where that is written. */
  readonly permitted?: { readonly words: string; readonly sources: readonly string[] };
  /** What the measurement itself changed, a sentence each. */
  readonly disturbed: readonly string[];
  /** The sides on which the file changed while it was hashed. */
  readonly changedWhileHashed?: readonly ('guest' | 'host')[];
};

/** A share in words. */
export interface ShareWords {
  /** A mode's name, or `unknown`. */
  readonly mode: string;
  /** How the mode is known: `the lab's own daemon`, `--mode`. */
  readonly how: string;
  readonly server?: string;
  readonly lab?: string;
}

/** What one side's own pass over the file gave. */
export interface SideDigest {
  /** Lower-case hex. */
  readonly digest: string;
  readonly bytes: number;
  readonly seconds: number;
}

/** Who says what the file's bytes are. */
export type Voter = 'guest-cache' | 'host-cache' | 'guest-evicted' | 'host-direct' | 'expected';

/** One look at the whole file, or at the ranges that differ. */
export interface Vote {
  readonly who: Voter;
  /** Absent where this look was not taken, or failed; `note` says why. */
  readonly digest?: string;
  readonly agreesWith?: readonly Voter[];
  readonly note?: string;
}

/** Where a difference sits. */
export type Layer =
  | 'stale-guest-cache'
  | 'stale-size'
  | 'stale-name'
  | 'guest-not-written-back'
  | 'daemon'
  | 'host-cache-vs-medium'
  | 'caught-up'
  | 'both-wrong';

/** Each layer in words that a headline can end in. */
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

/** What a two-sided look at a tree found: the evidence of `md5 --recursive`. */
export type TreeEvidence = {
  readonly kind: 'tree';
  readonly path: string;
  readonly hostPath: string;
  readonly algorithm: Algorithm;
  /** Entries and bytes of regular files that were compared, on both sides. */
  readonly entries: number;
  readonly bytes: number;
  readonly seconds: number;
  /** In the order of the walk. */
  readonly differences: readonly TreeDifference[];
  /** How many there are in all; `differences` holds the first ten thousand. */
  readonly differencesTotal: number;
  /** How many of each kind, of all. */
  readonly counts: Readonly<Partial<Record<TreeDifference['what'], number>>>;
  readonly share: ShareWords;
  readonly permitted?: ComparisonEvidence['permitted'];
  readonly disturbed: readonly string[];
};

/** One name that is not the same on both sides. */
export interface TreeDifference {
  /** Relative to the tree's root; "" is the root itself. */
  readonly path: string;
  readonly what:
    | 'only-guest'
    | 'only-host'
    | 'type'
    | 'size'
    | 'target'
    | 'digest'
    | 'unreadable'
    | 'changed';
  /** What each side says: a type, a size in bytes, a link's target, a digest, an errno. */
  readonly guest?: Stat['type'] | string | number;
  readonly host?: Stat['type'] | string | number;
}

/** Whether a verdict's evidence is that of one compared file. */
export function isComparison(evidence: unknown): evidence is ComparisonEvidence {
  return kindOf(evidence) === 'comparison';
}

/** Whether a verdict's evidence is that of a compared tree. */
export function isTree(evidence: unknown): evidence is TreeEvidence {
  return kindOf(evidence) === 'tree';
}

function kindOf(evidence: unknown): unknown {
  return typeof evidence === 'object' && evidence !== null && 'kind' in evidence ? evidence.kind : undefined;
}
