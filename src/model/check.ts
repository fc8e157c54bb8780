import type { Ledger } from './account.ts';
import type { BenchAbility } from './bench-verb.ts';
import type { ShareWords } from './comparison.ts';
import type { Mode } from './mode.ts';
import type { Operation } from './operation.ts';
import type { Outcome } from './outcome.ts';
import type { Promise as Promised } from './promise.ts';
import type { ViewName } from './side.ts';
import type { Verdict } from './verdict.ts';

/** One thing that one actor does. */
export interface Step {
  readonly id: string;
  readonly actor: string;
  readonly op: Operation;
  /**
   * How long it may take. `ms` in all, or without progress (bytes hashed, entries walked) where `silent`
   * is set. The run has a default for a step that says nothing.
   */
  readonly limit?: { readonly ms: number; readonly silent?: boolean; readonly name?: string };
  /** Steps of any actor that must have begun or ended before this one begins. */
  readonly after?: readonly { readonly step: string; readonly has: 'begun' | 'ended' }[];
  /**
   * Steps without which this one is pointless: when one of them ends without a value, this one is ended too, or
   * not begun. A dead guest must not keep the host hashing to the end of a large file.
   */
  readonly onlyWith?: readonly string[];
  /** Go on with this actor's next step whatever the outcome; otherwise its later steps are not run. */
  readonly mayFail?: boolean;
}

/**
 * What a case must be kept apart from.
 * - `shared`: runs beside others.
 * - `exclusive`: alone on the bench (timing, system-wide drops).
 * - `exclusive-share`: alone on its share, whose server's counters are read (the ledger); shares with servers of
 *   their own, and machines of their own, do not disturb each other.
 * - `own-share`: kills or misconfigures a daemon, or its disk; the others of that VM go on.
 * - `own-vm`: kills the VM. The cases of all modes run at once in one.
 * Both get a fresh VM and shared directory; where the bench can make none, they are skipped.
 */
export type Isolation = 'shared' | 'exclusive' | 'exclusive-share' | 'own-share' | 'own-vm';

/** What a case cannot do without. A need that is not met is a skip that names it. */
export type Need =
  | 'host-root'
  | 'guest-root'
  | 'host-cachestat'
  | 'guest-cachestat'
  | 'writable'
  /** The host's file system takes any bytes for a name, and no two names for one. */
  | 'exact-names'
  | 'second-guest'
  | 'other-tag'
  | 'dax-control'
  | 'daemon-visible'
  | BenchAbility;

/** One question of a check. */
export interface Case {
  readonly name: string;
  /** The rows of the contract that it is judged by. */
  readonly scenarios: readonly string[];
  readonly isolation: Isolation;
  readonly needs: readonly Need[];
  /** Actor's name → the view it works on. Each actor is one process with its own descriptors. */
  readonly actors: Readonly<Record<string, ViewName>>;
  readonly steps: readonly Step[];
  /** Paths are the user's own (md5 PATH): no directory is made or removed for this case. */
  readonly inPlace?: boolean;
}

/** Everything a check may know when it plans its cases. Saved with the bundle, so plans can be made again. */
export interface Setting {
  readonly mode: Mode | undefined;
  readonly views: Readonly<Partial<Record<ViewName, ViewFacts>>>;
  /** Program versions by name: virtiofsd, qemu, guest-kernel, host-kernel. */
  readonly versions: Readonly<Record<string, string>>;
  /** 32 bits; every random choice and every payload follows from it. */
  readonly seed: number;
  /** The share in words, for evidence: its mode, how that is known, who serves it. */
  readonly share?: ShareWords;
  /** The daemon's process on the host, where it can be seen. */
  readonly daemonPid?: number;
  /** QEMU's process on the host, likewise: it serves 9p, and disk reads behind a DAX window are charged to it. */
  readonly vmmPid?: number;
  /** What the bench can do to the share (model/bench-verb.ts); a case names what it needs of it. */
  readonly bench?: readonly BenchAbility[];
  /** Arguments of this run for this check (md5: path, algorithm, expect, timeoutMs). */
  readonly args: Readonly<Record<string, unknown>>;
}

/** What is known of one view's side. */
export interface ViewFacts {
  /** The directory there. */
  readonly root: string;
  readonly pageSize: number;
  readonly kernel: string;
  readonly rootUser: boolean;
  /** What the probe can do there: cachestat, statx, o-direct … */
  readonly features: readonly string[];
}

/** What came back from a case, as re-read from its bundle. */
export interface Observed {
  readonly setting: Setting;
  readonly case: Case;
  /** Steps in the order in which they ran, those from `next` included. */
  readonly steps: readonly Step[];
  outcome(step: string): Outcome;
  /** The value of a step that ended well; undefined for any other outcome. */
  value<T>(step: string): T | undefined;
  /** The bulk items of a step, streamed from the bundle: block digests, tree entries. */
  bulk<T>(step: string): AsyncIterable<T>;
  /**
   * Where the bytes of an accounted run (model/read-steps.ts) came from; undefined where its reads did not
   * end. Derived from the bundle, each time anew.
   */
  account(run: string): Promise<Ledger | undefined>;
}

/** The contract's answer for one scenario in the mode at hand; undefined where it knows none. */
export type Promises = (scenario: string) => Promised | undefined;

/** A check: data and pure functions. */
export interface Check {
  readonly name: string;
  /** One line for `list`. */
  readonly title: string;
  /** Every code that its verdicts may carry, with one line of what it means. */
  readonly codes: Readonly<Record<string, string>>;
  cases(setting: Setting): readonly Case[];
  /** More steps, where what to ask depends on what was seen. Called until it returns none; at most 8 rounds. */
  next?(observed: Observed): readonly Step[] | Promise<readonly Step[]>;
  judge(observed: Observed, promises: Promises): Verdict | Promise<Verdict>;
}

/** Declares a check. The type of its codes is kept, so that a judge can only use codes that are explained. */
export function defineCheck<const T extends Check>(check: T): T {
  return check;
}
