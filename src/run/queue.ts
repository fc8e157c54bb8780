import type { Case } from '../model/check.ts';
import type { Operation } from '../model/operation.ts';

/** The probe keeps at most 192 workers on a side; some belong to the run itself. */
export const maxActors = 160;

/**
 * Carries jobs out in their order, so many at once, and no more actors at once than a probe has workers.
 * Ends when all have ended; the first error ends the rest in good order and goes on.
 */
export async function inTurns<T>(
  jobs: readonly T[],
  atOnce: number,
  actorsOf: (job: T) => number,
  carry: (job: T) => Promise<void>,
): Promise<void> {
  const queue = [...jobs];
  let running = 0;
  let actors = 0;
  let failed: { readonly error: unknown } | undefined;
  await new Promise<void>((resolve) => {
    const more = () => {
      for (let next = queue[0]; next !== undefined && failed === undefined; next = queue[0]) {
        const needed = actorsOf(next);
        if (running >= atOnce || (running > 0 && actors + needed > maxActors)) break;
        queue.shift();
        running += 1;
        actors += needed;
        carry(next)
          .catch((error: unknown) => {
            failed ??= { error };
          })
          .finally(() => {
            running -= 1;
            actors -= needed;
            more();
          });
      }
      if (running === 0) resolve();
    };
    more();
  });
  if (failed !== undefined) throw failed.error;
}

/**
 * How long a case waits at least, in milliseconds, by its plan: its slowest actor. What it computes and how
 * long its requests travel is not in it.
 */
export function expectedMs({ steps }: Pick<Case, 'steps'>): number {
  const byActor = new Map<string, number>();
  for (const step of steps) byActor.set(step.actor, (byActor.get(step.actor) ?? 0) + waited(step.op));
  return Math.max(0, ...byActor.values());
}

/** An observation that waits for something mostly waits for a timeout of about a second. */
const usualWindowMs = 1500;

function waited(op: Operation): number {
  switch (op.do) {
    case 'wait':
      return op.ms;
    case 'many':
      return op.list.reduce((sum, each) => sum + waited(each), 0);
    case 'observe': {
      const waits = op.looks.some(({ until }) => until !== undefined);
      return waits ? Math.min(op.limitMs, usualWindowMs) : op.limitMs;
    }
    default:
      return 0;
  }
}
