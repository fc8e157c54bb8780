import type { ViewFacts } from '../model/check.ts';
import type { Mode } from '../model/mode.ts';
import type { ViewName } from '../model/side.ts';
import type { ProbeSession } from '../probe/session.ts';

/** A view that is bound: the probe on its side and the directory there. */
export interface BoundView {
  readonly session: ProbeSession;
  readonly facts: ViewFacts;
}

/** One share in one mode, with everything that a check needs to run on it. */
export interface Bench {
  readonly views: Readonly<Partial<Record<ViewName, BoundView>>>;
  readonly mode: Mode | undefined;
  /** Program versions by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** The daemon's process on the host, where it can be seen. */
  readonly daemonPid: number | undefined;
}
