/**
 * How a step ended. An operating failure is an outcome like any other, never an exception: judges decide
 * what it means. Times are nanoseconds in that side's own monotonic clock, counted from the probe's start.
 */
export type Outcome = Ended & { readonly beginNs?: number; readonly endNs?: number };

type Ended =
  | { readonly kind: 'value'; readonly value: unknown }
  /** A system call was refused: the errno's name (`ENOENT`) and which call it was. */
  | { readonly kind: 'errno'; readonly errno: string; readonly call: string }
  /**
   * A signal that kills: SIGBUS or SIGSEGV on a mapping, which the worker survives (what it holds open stays
   * open), or one that ended the worker.
   */
  | { readonly kind: 'signal'; readonly signal: string }
  /** The limit passed. `pid` is the worker on its side; `state` and `where` are from /proc (D, wchan). */
  | {
      readonly kind: 'stuck';
      readonly limit: string;
      readonly limitMs: number;
      readonly pid?: number;
      readonly state?: string;
      readonly where?: string;
      readonly killed?: boolean;
    }
  /** The side itself went away: the connection broke, the guest died. */
  | { readonly kind: 'gone'; readonly reason: string }
  /** Never begun, because a step it had to follow did not get so far, or the run was interrupted. */
  | { readonly kind: 'not-run'; readonly reason: string };

/** One sentence for a person. */
export function describeOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'value':
      return 'ended';
    case 'errno':
      return `${outcome.call} failed with ${outcome.errno}`;
    case 'signal':
      return `ended by ${outcome.signal}`;
    case 'stuck':
      return `no answer within ${outcome.limitMs / 1000} s (${outcome.limit})`;
    case 'gone':
      return outcome.reason;
    case 'not-run':
      return `not run: ${outcome.reason}`;
  }
}

/** Ended or never begun because a step that it needs did not end well: that step is to blame, not this one. */
export function isPointless(outcome: Outcome): boolean {
  return outcome.kind === 'not-run' && outcome.reason.startsWith(pointless);
}

/** How the reason of such an outcome begins. */
export const pointless = 'pointless without ';
