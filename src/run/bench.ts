import type { ViewFacts } from '../model/check.ts';
import type { ViewName } from '../model/side.ts';
import type { ProbeSession } from '../probe/session.ts';
import type { BenchVerbs } from '../share/bench-verbs.ts';
import type { Share } from '../share/share.ts';

/** A view that is bound: the probe on its side and the directory there. */
export interface BoundView {
  readonly session: ProbeSession;
  readonly facts: ViewFacts;
}

/** One share in one mode, with everything that a check needs to run on it. */
export interface Bench {
  readonly share: Share;
  readonly views: Readonly<Partial<Record<ViewName, BoundView>>>;
  /** Program versions by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** The lab's name, where the share is a lab's. */
  readonly lab: string | undefined;
  /** Completed messages of each queue of this share's device, by the machine's monitor, where one is known. */
  readonly usedIndex?: () => Promise<readonly number[]>;
  /** What can be done to the ground under the share. */
  readonly verbs?: BenchVerbs;
}
