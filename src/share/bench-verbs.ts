import type { BenchAbility, BenchOperation } from '../model/bench-verb.ts';
import type { ViewName } from '../model/side.ts';
import type { ProbeSession } from '../probe/session.ts';

/** What can be done to the ground under a share. A lab implements it, and the command line hands it to the run. */
export interface BenchVerbs {
  readonly can: readonly BenchAbility[];
  /**
   * Carries one verb out for the share of one mode.
   * @throws KnownError where it did not work: an outcome of the step, not the end of the run.
   */
  carryOut(op: BenchOperation, share: { readonly mode: string }, signal?: AbortSignal): Promise<BenchDone>;
}

/** What a verb did. */
export interface BenchDone {
  /** For the judge: the outcome's value. */
  readonly value: Readonly<Record<string, unknown>>;
  /** Views that are there from now to the end of the case. */
  readonly views?: Readonly<Partial<Record<ViewName, AddedView>>>;
  /** Puts back what can be put back, at the end of the case; bounded. */
  undo?(): Promise<void>;
}

/** A view that a verb added: whose probe looks at it, and where it is. */
interface AddedView {
  readonly on: 'host' | ProbeSession;
  /** By the mode's name, where it is in another place for each: what is done once may serve many cases. */
  readonly root: string | Readonly<Record<string, string>>;
}
