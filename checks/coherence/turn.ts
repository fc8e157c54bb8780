import type { Case, Isolation, Need, Observed, Setting, Step } from '../../src/model/check.ts';
import type { Operation } from '../../src/model/operation.ts';
import type { ViewName } from '../../src/model/side.ts';
import { afterwardsMs, timeoutOf, waitedForMs } from '../promised/waiting.ts';
import type { Act } from './acts.ts';

/**
 * A story is a case told as turns: one actor acts, and when it has ended the next one does. Nobody else touches
 * its files (each case has a directory of its own), so at every moment it is known what the bytes are, and what
 * they were before. Each read in it is judged (judge.ts): bytes that were never there are a fail whatever the
 * contract says; earlier bytes are one unless the scenario of that turn permits them then and there.
 *
 * ```ts
 * // page     0    1    2    3
 * // before |1111|1111|1111|1111|  the generation that `fill` writes, by page
 * // after  |1111|2222|1111|1111|
 * const kept: Story = {
 *   name: 'kept-descriptor',
 *   turns: () => [
 *     host('make', [create('f'), fill('f', 1, 0, 4 * page)]),
 *     guest('warm', [open('f'), read('f', 0, 4 * page)]),
 *     host('rewrite', [tick, fill('f', 2, page, page)]),
 *     guest('at-once', [read('f', 0, 4 * page)], 'host-write/kept-descriptor'),
 *   ],
 *   // Asked only where something old was seen: after the mode's timeout, and after an event that ends it.
 *   whenStale: () => [
 *     guest('in-time', [read('f', 0, 4 * page)], 'host-write/kept-descriptor', { afterTimeout: true }),
 *     guest('evicted', [evict('f'), read('f', 0, 4 * page)], 'host-write/kept-descriptor'),
 *   ],
 * };
 *
 * export default defineCheck({
 *   name: 'host-rewrite', title: '…', codes: coherenceCodes, ...told([kept, …]),
 * });
 * ```
 *
 * Remember: an open, a stat or a second descriptor changes what the kernel does next, so each is in the story.
 */
export interface Story {
  readonly name: string;
  /** Default: an actor `host` on the host, and an actor `guest` in the guest; add others as they are needed. */
  readonly actors?: Readonly<Record<string, ViewName>>;
  /** Beside `writable`. */
  readonly needs?: readonly Need[];
  /** Default: in every mode. */
  readonly applies?: (setting: Setting) => boolean;
  /** Default: `shared`. */
  readonly isolation?: (setting: Setting) => Isolation;
  turns(setting: Setting): readonly Turn[];
  /** What is done after the turns where one of their looks was not fresh. */
  whenStale?(setting: Setting): readonly Turn[];
  /**
   * A turn that ends in every mode. Where it does not, the witness acts: another process of that side, by another
   * file. That it is served meanwhile, and that SIGKILL did not end the one that waits, is a fail. So is a read in it
   * that ends in an error which no read has.
   */
  readonly mustEnd?: { readonly turn: string; readonly witness: Turn };
  /** Why looks that were all good tell nothing this time, in words; asked before a pass. */
  doubt?(observed: Observed): string | undefined;
}

/** What one actor does in one request, and which promise the looks in it are held against. */
export interface Turn extends TurnOptions {
  readonly actor: string;
  /** The id of its step. */
  readonly name: string;
  readonly acts: readonly Act[];
  /** A scenario of the contract. Without one, looks are only held against all that ever was in the file. */
  readonly by?: string;
}

export interface TurnOptions {
  /** Begins when the mode's timeout has passed; left out where that is more than a few seconds away. */
  readonly afterTimeout?: boolean;
  /**
   * Refusals (errnos) that are answers here, such as ENXIO of SEEK_DATA. Any other one keeps the case from
   * telling anything, unless the contract promises that very refusal.
   */
  readonly mayRefuse?: readonly string[];
  /**
   * These looks may lack even what their own guest did: the pages of a private mapping, which a DIRECT_IO write
   * passes by. The scenario says whether they may.
   */
  readonly ownToo?: boolean;
}

/** A turn of any actor. */
export function turn(
  actor: string,
  name: string,
  acts: readonly Act[],
  by?: string,
  options: TurnOptions = {},
): Turn {
  return { actor, name, acts, ...(by === undefined ? {} : { by }), ...options };
}

export function host(name: string, acts: readonly Act[], by?: string, options?: TurnOptions): Turn {
  return turn('host', name, acts, by, options);
}

export function guest(name: string, acts: readonly Act[], by?: string, options?: TurnOptions): Turn {
  return turn('guest', name, acts, by, options);
}

const usualActors: Readonly<Record<string, ViewName>> = { host: 'host', guest: 'guest' };

/** The case of a story. */
export function caseOfStory(story: Story, setting: Setting): Case {
  const turns = story.turns(setting);
  const all = [...turns, ...(story.whenStale?.(setting) ?? [])];
  return {
    name: story.name,
    scenarios: [...new Set(all.flatMap(({ by }) => by ?? []))],
    isolation: story.isolation?.(setting) ?? 'shared',
    needs: ['writable', ...(story.needs ?? [])],
    actors: story.actors ?? usualActors,
    steps: stepsOf(story, turns, setting),
  };
}

/** The steps of turns, each of which begins when the one before has ended, whoever its actor is. */
export function stepsOf(story: Story, turns: readonly Turn[], setting: Setting): readonly Step[] {
  const timeoutMs = timeoutOf(setting, uncachedMs);
  const isAlone = story.isolation?.(setting) === 'own-share';
  return turns
    .filter(({ afterTimeout }) => afterTimeout !== true || timeoutMs <= waitedForMs)
    .map(({ actor, name, acts, afterTimeout, mayRefuse }, index, those) => {
      const hand = { seed: setting.seed, writer: writerOf(story, actor) };
      const list = acts.flatMap((act) => (typeof act === 'function' ? act(hand) : act));
      const wait: Operation = { do: 'wait', ms: timeoutMs + afterwardsMs };
      const before = those[index - 1];
      return {
        id: name,
        actor,
        op: {
          do: 'many',
          list: afterTimeout === true ? [wait, ...list] : list,
          ...(mayRefuse === undefined ? {} : { anyway: true }),
        },
        mayFail: true,
        ...(isAlone && name === story.mustEnd?.turn ? { limit: { ms: aloneMs } } : {}),
        ...(before === undefined ? {} : { after: [{ step: before.name, has: 'ended' }] }),
      };
    });
}

/** For a turn that may never end, on a machine that was made for it: a read there takes milliseconds. */
const aloneMs = 12_000;

/** A look that was late in a mode that keeps nothing comes again a moment later. */
const uncachedMs = 1000;

/** 1 on the host, 2 and up in the guests: so that a wrong byte says whose it is. */
function writerOf(story: Story, actor: string): number {
  const views: readonly ViewName[] = ['host', 'guest', 'guest2', 'guest-other-tag', 'medium'];
  const view = (story.actors ?? usualActors)[actor];
  return view === undefined ? 0 : views.indexOf(view) + 1;
}
