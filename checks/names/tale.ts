import type { Case, Need, Setting, Step } from '../../src/model/check.ts';
import type { Until } from '../../src/model/observation.ts';
import type { Operation } from '../../src/model/operation.ts';
import type { ViewName } from '../../src/model/side.ts';
import { afterwardsMs, timeoutOf, waitedForMs } from '../promised/waiting.ts';

/**
 * A tale is a case about names and attributes, told as turns: one actor acts, and when it has ended the next one
 * does. Each look in it says what was true by then, turn by turn, so it needs no model of a file system: what is
 * seen is the last state (fresh), an earlier one (stale, as the mode permits it or not), or was never there.
 *
 * ```ts
 * const unlinked: Tale = {
 *   name: 'unlinked',
 *   turns: (setting) => [
 *     host('make', [file('f', 'first')]),
 *     guest('warm', [exists('f', 'create/first-lookup', { make: 'there' })]),
 *     host('unlink', [{ do: 'unlink', path: 'f' }]),
 *     guest('look', [watch([exists('f', 'unlink/stat', { make: 'there', unlink: 'absent' })], setting)]),
 *   ],
 * };
 * ```
 *
 * Every case has a directory of its own and nobody else in it; each open, stat and listing of it is in the tale,
 * since it may refresh what the next look sees.
 */
export interface Tale {
  readonly name: string;
  /** Default: `host` on the host and `guest` in the guest. */
  readonly actors?: Readonly<Record<string, ViewName>>;
  /** Beside `writable`. */
  readonly needs?: readonly Need[];
  turns(setting: Setting): readonly Turn[];
  /** What is done after the turns where one of their looks was not fresh: the mode's timeout passes first. */
  whenStale?(setting: Setting): readonly Turn[];
}

/** What one actor does in one request. */
export interface Turn extends TurnOptions {
  readonly actor: string;
  /** The id of its step; states of looks refer to it. */
  readonly name: string;
  readonly acts: readonly Act[];
}

export interface TurnOptions {
  /** Begins when the mode's timeout has passed; left out where that is more than a few seconds away. */
  readonly afterTimeout?: boolean;
  /** Runs beside the turn before it instead of after it. */
  readonly beside?: boolean;
}

/** What an actor does: something plain, a look, or several looks again and again until they see what is true. */
export type Act = Operation | Look | Watch | readonly Operation[];

/** One look, and what it may see. */
export interface Look {
  /** For a person: `f by lstat`. */
  readonly of: string;
  /** The scenario of the contract that says how old an answer may be. */
  readonly by: string;
  /** Turn → what is true since then, in words, oldest first. The last is what is true when one looks. */
  readonly states: Readonly<Record<string, string>>;
  readonly op: Operation;
  /** An answer in the words of `states`; undefined for a refusal that says nothing of them. */
  readonly shows: (answer: Answer, earlier: Earlier) => string | undefined;
  /** How a watch knows that it sees the last state. */
  readonly until?: Until;
  /** It asks the server itself (statx by force): nothing that was known before excuses an old answer. */
  readonly asksAnew?: boolean;
  /** Nothing but a look at the same path refreshes what it sees: it is no hard link, nor is it listed. */
  readonly alone?: boolean;
  /** The code of a fail where the answer is a word that was never true. Default `never-was`. */
  readonly wrong?: (word: string) => string;
  /**
   * The other side may see late what this turn did, since it went by what it knew before the turn `since`: its
   * age counts, and not that of the look.
   */
  readonly done?: { readonly in: string; readonly since: string };
  /** Of a watch: under which name its window is counted. Default: `of`. */
  readonly what?: string;
}

/** What an earlier look of the tale came to, by its turn and its `of`. */
export type Earlier = (turn: string, of: string) => Answer | undefined;

/** Looks that are repeated until all of them see their last state, or the time is over. */
export interface Watch {
  readonly watch: readonly Look[];
  readonly forMs: number;
}

/** What a look, or an operation, came to. */
export type Answer =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'refused'; readonly errno: string; readonly call: string };

export function turn(actor: string, name: string, acts: readonly Act[], options: TurnOptions = {}): Turn {
  return { actor, name, acts, ...options };
}

export function host(name: string, acts: readonly Act[], options?: TurnOptions): Turn {
  return turn('host', name, acts, options);
}

export function guest(name: string, acts: readonly Act[], options?: TurnOptions): Turn {
  return turn('guest', name, acts, options);
}

/**
 * Looks until what is true is seen: a little longer than the mode may show what was, where that is a matter of
 * seconds; else only long enough to see that nothing changes.
 */
export function watch(looks: readonly Look[], setting: Setting): Watch {
  const timeoutMs = timeoutOf(setting);
  return { watch: looks, forMs: timeoutMs <= waitedForMs ? timeoutMs + 800 : 300 };
}

const usualActors: Readonly<Record<string, ViewName>> = { host: 'host', guest: 'guest' };

/** The case of a tale. */
export function caseOfTale(tale: Tale, setting: Setting): Case {
  const turns = tale.turns(setting);
  const all = [...turns, ...(tale.whenStale?.(setting) ?? [])];
  return {
    name: tale.name,
    scenarios: [...new Set(all.flatMap(({ acts }) => acts.flatMap(looksOf).map(({ by }) => by)))],
    isolation: 'shared',
    needs: ['writable', ...(tale.needs ?? [])],
    actors: tale.actors ?? usualActors,
    steps: stepsOf(turns, setting),
  };
}

/** A slow guest is no reason to give up: it is waited for this long beside what a turn waits by itself. */
const patienceMs = 60_000;

/** Between two rounds of a watch: a guest in emulation has other things to do as well. */
const everyUs = 10_000;

/** The steps of turns. Those of `turns` that are not worth waiting for are left out. */
export function stepsOf(turns: readonly Turn[], setting: Setting): readonly Step[] {
  const timeoutMs = timeoutOf(setting);
  const steps: Step[] = [];
  /** The turns that run at once at the moment, and those that ran before them. */
  let now: string[] = [];
  let before: string[] = [];
  for (const { actor, name, acts, afterTimeout, beside } of turns) {
    if (afterTimeout === true && timeoutMs > waitedForMs) continue;
    const own = acts.flatMap(operationsOf);
    const list: Operation[] =
      afterTimeout === true ? [{ do: 'wait', ms: timeoutMs + afterwardsMs }, ...own] : own;
    if (beside !== true) [before, now] = [now, []];
    now.push(name);
    steps.push({
      id: name,
      actor,
      op: { do: 'many', list, anyway: true },
      limit: { ms: patienceMs + list.reduce((sum, op) => sum + ownMs(op), 0) },
      mayFail: true,
      after: before.map((step) => ({ step, has: 'ended' as const })),
    });
  }
  return steps;
}

/** What an operation takes by itself, whoever carries it out. */
function ownMs(op: Operation): number {
  if (op.do === 'wait') return op.ms;
  if (op.do === 'observe') return op.limitMs;
  return op.do === 'storm' || op.do === 'read-links' ? (op.limitMs ?? 0) : 0;
}

/** The operations of an act, in order. */
export function operationsOf(act: Act): readonly Operation[] {
  if (isWatch(act)) {
    const looks = act.watch.flatMap(({ op, until }) =>
      op.do === 'observe'
        ? op.looks.map((look) => ({ ...look, ...(until === undefined ? {} : { until }) }))
        : [],
    );
    return [{ do: 'observe', looks, everyUs, limitMs: act.forMs }];
  }
  if (isLook(act)) return [act.op];
  return Array.isArray(act) ? (act as readonly Operation[]) : [act as Operation];
}

/** The looks of an act, in order. */
export function looksOf(act: Act): readonly Look[] {
  return isWatch(act) ? act.watch : isLook(act) ? [act] : [];
}

export function isWatch(act: Act): act is Watch {
  return 'watch' in act && Array.isArray(act.watch);
}

function isLook(act: Act): act is Look {
  return 'states' in act;
}
