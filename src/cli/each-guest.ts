import { KnownError } from '../model/error.ts';
import { asKnown } from './failure.ts';
import { guestLimitOf } from './guest-limit.ts';
import { placesFor } from './guest-places.ts';
import { parseCount, parseSeconds } from './quantities.ts';
import type { Target } from './targets.ts';

/** The flags of whoever asks many guests (program.ts). */
export interface FleetFlags {
  /** Several guests to ask (settings.ts); `guest`, `host` and `map` are then those of each. */
  readonly targets?: readonly Target[];
  readonly jobs?: string;
  readonly guestLimit?: string;
  readonly json?: boolean;
}

/** What came of one guest, and its own time in milliseconds. */
export type GuestTurn<T> = { readonly target: Target; readonly durationMs: number } & (
  | { readonly value: T }
  | { readonly error: unknown }
);

/** What one guest's work is given. */
export interface GuestWork {
  /** Aborts at Ctrl-C and at the guest's limit. */
  readonly signal: AbortSignal;
  /** To be waited for between reaching a guest and working there. */
  reached(): Promise<void>;
}

/** After a guest's limit: for its work to end in good order before it is left alone. */
const graceMs = 5000;
/** A guest that is not reached by then waits on beside the others, in nobody's place. */
const patienceMs = 5000;

/**
 * Asks each guest, so many at once. Each has its own limit, and one that is dead, slow or broken is an error of its
 * own turn: it holds no other up.
 * @param signal aborts what runs, and begins no other.
 * @returns in the order of the targets; `abandoned` where work did not end within its limit and still runs: whoever
 * prints the report has to end the program.
 */
export async function eachGuest<T>(
  targets: readonly Target[],
  flags: FleetFlags,
  signal: AbortSignal,
  ask: (target: Target, work: GuestWork) => Promise<T>,
): Promise<{ readonly turns: readonly GuestTurn<T>[]; readonly abandoned: boolean }> {
  const places = placesFor(parseCount('--jobs', flags.jobs ?? '8', 256));
  const limitMs = parseSeconds('--guest-limit', flags.guestLimit ?? '3600');
  let abandoned = false;
  let ended = 0;
  const turnOf = async (target: Target): Promise<GuestTurn<T>> => {
    await places.take();
    const limit = guestLimitOf(limitMs, graceMs);
    let hasPlace = true;
    const giveUp = () => {
      if (hasPlace) places.give();
      hasPlace = false;
    };
    const patience = setTimeout(giveUp, patienceMs);
    const reached = async () => {
      clearTimeout(patience);
      if (hasPlace) return;
      limit.hold();
      await places.take(true);
      hasPlace = true;
      limit.goOn();
    };
    try {
      if (signal.aborted)
        throw new KnownError('not-run', 'not asked: the run was interrupted', 'Run it again.');
      const asking = ask(target, { signal: AbortSignal.any([signal, limit.signal]), reached });
      const answer = await Promise.race([asking.then((value) => ({ value })), limit.overdue]);
      if (answer === undefined) {
        abandoned = true;
        throw overLimit(limitMs);
      }
      return { target, durationMs: limit.spentMs(), ...answer };
    } catch (error) {
      return { target, durationMs: limit.spentMs(), error: asKnown(error) ?? error };
    } finally {
      limit.end();
      clearTimeout(patience);
      giveUp();
      ended += 1;
      if (flags.json !== true)
        process.stderr.write(`vfs-verify: ${ended} of ${targets.length}: ${target.name}\n`);
    }
  };
  const turns = await Promise.all(targets.map(turnOf));
  return { turns, abandoned };
}

function overLimit(limitMs: number): KnownError {
  return new KnownError(
    'guest-limit',
    `it was not done within ${limitMs / 1000} s (--guest-limit)`,
    'Ask it alone and see what it waits for, or give it more time.',
  );
}
