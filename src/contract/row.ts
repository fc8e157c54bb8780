import type { Cells } from './columns.ts';

/** One scenario: who does what, and what the other side may then see. */
export interface Row {
  /** `topic/variant`; checks ask for it by this name. */
  readonly scenario: string;
  readonly title: string;
  readonly cells: Cells;
  /** The mechanism, in words. */
  readonly because: string;
  /** Where it is written. A source speaks of the servers that its program serves (sourcesFor). */
  readonly sources: readonly string[];
  /** What differs with a flag or a version. The first that applies and has the column counts. */
  readonly variants?: readonly Variant[];
}

/** A part of a row that holds only with certain flags or versions. */
interface Variant {
  readonly when: Condition;
  readonly cells: Cells;
  /** In place of the row's own. */
  readonly because?: string;
  /** Beside the row's own. */
  readonly sources?: readonly string[];
}

/** All that is given must hold. */
export interface Condition {
  /** The mode has this flag. */
  readonly flag?: string;
  /** The mode does not have this flag. */
  readonly without?: string;
  /**
   * By program (guest-kernel, host-kernel, virtiofsd, qemu): from this version on, before that one. A version of one
   * daemon never holds in the modes of another.
   */
  readonly versions?: Readonly<Record<string, VersionRange>>;
}

/** A half-open range of versions: numbers with dots. */
export interface VersionRange {
  readonly from?: string;
  readonly before?: string;
}
