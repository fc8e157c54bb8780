import type { RunVerdict, Verdict, VerdictCounts } from './verdict.ts';

/** The version of the report's JSON. A reader that knows another number should refuse, not guess. */
export const reportSchemaId = 'vfs-verify/report/1';

/**
 * What a run found: everything that is printed is made from this, and `--json` prints it as it is. The
 * published schema is src/report/report.schema.json.
 */
export interface Report {
  readonly schema: typeof reportSchemaId;
  readonly tool: { readonly name: 'vfs-verify'; readonly version: string };
  /**
   * Which question was asked: about the user's own paths (`md5`, `reads`, `residency`,
   * `drop`, `explain`), about saved output of a benchmark (`diagnose`), or about a mode's promises (`check`).
   */
  readonly command: 'md5' | 'reads' | 'residency' | 'drop' | 'explain' | 'check' | 'diagnose';
  readonly verdict: RunVerdict;
  readonly environment: Environment;
  /** One for each check and mode; for `md5` one for each path; of several guests, all of these for each. */
  readonly results: readonly Result[];
  /** Where several guests were asked at once: one row for each, in the order in which they were named. */
  readonly guests?: readonly GuestRow[];
  /** What each check asks, for those that this run loaded. */
  readonly checks?: Readonly<Record<string, CheckWords>>;
  /** What is another than in an earlier run (`check --baseline`). */
  readonly baseline?: Baseline;
}

/** A check in words: those of its declaration. */
export interface CheckWords {
  readonly title: string;
  /** What each code of its verdicts means. */
  readonly codes: Readonly<Record<string, string>>;
}

/** A comparison with an earlier report, case by case. */
export interface Baseline {
  /** The earlier report's file, as the user named it. */
  readonly file: string;
  /** When the earlier run began: ISO 8601, UTC. */
  readonly startedAt: string;
  /** Program versions of the earlier run, vfs-verify's own among them. */
  readonly versions: Readonly<Record<string, string>>;
  /** Only what changed. */
  readonly changes: readonly Change[];
  /** How many cases ended as they did before. */
  readonly unchanged: number;
}

/** One case that ended otherwise than before. */
export interface Change {
  /**
   * `worse`: it newly fails, fails with another code, or can no longer be told; `better`: the reverse;
   * `other`: neither, such as a skip that became a pass; `new`, `gone`: only one of the runs has it.
   */
  readonly what: 'worse' | 'better' | 'other' | 'new' | 'gone';
  /** The guest, where several were asked. */
  readonly guest?: string;
  readonly check: string;
  readonly mode: string;
  readonly case: string;
  readonly before?: Pick<Verdict, 'kind' | 'code'>;
  readonly after?: Pick<Verdict, 'kind' | 'code'>;
}

/** Where and when a run took place. */
export interface Environment {
  /** ISO 8601, UTC, by the clock of the machine that ran vfs-verify. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** 32 bits; the same seed plans the same run. */
  readonly seed: number;
  /** The lab's name, where one was used. */
  readonly lab?: string;
  readonly host?: SideFacts;
  readonly guest?: SideFacts;
  /** One for each mode that the run met. */
  readonly shares: readonly ShareFacts[];
  /** Modes that a lab was asked for and could not have, and why. */
  readonly leftOut?: readonly { readonly mode: string; readonly reason: string }[];
  /** Program versions by name: virtiofsd, qemu, guest-kernel, host-kernel. */
  readonly versions: Readonly<Record<string, string>>;
}

/** One side of the run. */
export interface SideFacts {
  /** The endpoint, for people: `this machine`, `root@127.0.0.1:2222`. */
  readonly name: string;
  /** `uname -r`; absent when the side was never reached. */
  readonly kernel?: string;
  readonly arch?: string;
  readonly uid?: number;
  readonly pageSize?: number;
}

/** One share of the run. */
export interface ShareFacts {
  /** A mode's name, or `unknown`. */
  readonly mode: string;
  /** How the mode is known: `the lab's own daemon`, `the daemon's command line`, `--mode`. */
  readonly how: string;
  readonly type?: 'virtiofs' | '9p';
  readonly tag?: string;
  /** Who serves it, with its version: `virtiofsd 1.13.2`. */
  readonly server?: string;
  readonly guestDir?: string;
  readonly hostDir?: string;
}

/** One guest of several that were asked at once. */
export interface GuestRow {
  /** As the user calls it; its results have the same name. */
  readonly guest: string;
  readonly verdict: RunVerdict;
  readonly durationMs: number;
  /** Why it was not asked, or not to the end: its results say no more than that. */
  readonly trouble?: { readonly code: string; readonly reason: string; readonly next: string };
  /** Absent where it was never reached. */
  readonly side?: SideFacts;
}

/** One check in one mode, or one path of `md5`. */
export interface Result {
  /** The guest, where several were asked. */
  readonly guest?: string;
  readonly check: string;
  /** A mode's name, or `unknown`. */
  readonly mode: string;
  /** The user's own path that was looked at, as the guest sees it (`md5`, `reads`). */
  readonly path?: string;
  /** The worst of its cases. */
  readonly verdict: Verdict;
  readonly cases: readonly CaseResult[];
  readonly durationMs: number;
  /** The directory that `vfs-verify judge` judges again, as the user would name it. */
  readonly bundle?: string;
}

/** One case of a check. */
export interface CaseResult {
  readonly name: string;
  readonly verdict: Verdict;
  readonly durationMs: number;
  /** The command that runs this case again. */
  readonly rerun?: string;
  /** Where the run had several rounds (`check --repeat`): how they ended. `verdict` is the worst of them. */
  readonly rounds?: VerdictCounts;
  /** Set on a fail that is a known defect of the software under test (`check --known`). */
  readonly known?: KnownFinding;
}

/** A defect that is known already and written down. */
export interface KnownFinding {
  /** Its name in the data that was given. */
  readonly id: string;
  readonly title: string;
  /** Where it is described: a page or an address. */
  readonly where?: string;
}

/** Whether all that fails in this result is known; false for a result that does not fail. */
export function failsAsKnown({ verdict, cases }: Pick<Result, 'verdict' | 'cases'>): boolean {
  return (
    verdict.kind === 'fail' &&
    cases.length > 0 &&
    cases.every((each) => each.verdict.kind !== 'fail' || each.known !== undefined)
  );
}
