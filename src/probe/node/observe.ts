import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { ObserveOperation, ObserveResult, Seen, Sighting, Until } from '../../model/observation.ts';
import { see } from './look.ts';
import { goOn, progress, type Work } from './work.ts';

const usualPauseUs = 1000;
/** What is kept of one look: as many changes as the probe keeps. */
const mostSightings = 500;

/** Looks again and again until it sees what it waits for, as the probe does. */
export async function observe(op: ObserveOperation, work: Work): Promise<ObserveResult> {
  const watched = op.looks.map((look) => ({ look, seen: new Seeing() }));
  const isAwaited = op.looks.some(({ until }) => until !== undefined);
  let endNs = work.nowNs() + op.limitMs * 1e6;
  let reached = false;
  for (let rounds = 1; ; rounds += 1) {
    let hold = isAwaited;
    for (const { look, seen } of watched) {
      const beginNs = work.nowNs();
      const value = await see(look, work);
      seen.add(value, [beginNs, work.nowNs()]);
      hold &&= look.until === undefined || holds(look.until, value);
    }
    goOn(work, 'observe');
    const nowNs = work.nowNs();
    if (hold && !reached) {
      reached = true;
      endNs = nowNs + (op.thenMs ?? 0) * 1e6;
    }
    if (nowNs >= endNs) return { reached, rounds, looks: watched.map(({ seen }) => seen.timeline()) };
    progress(work, () => ({ entries: rounds }));
    await pause(Math.min((op.everyUs ?? usualPauseUs) / 1000, (endNs - nowNs) / 1e6 + 1));
  }
}

/** A timer has whole milliseconds, and no less than one. */
async function pause(ms: number): Promise<void> {
  if (ms >= 1) await sleep(ms);
  else await setImmediate();
}

/** What one look has seen, in unbroken rows of looks that saw the same. */
class Seeing {
  readonly #sightings: { -readonly [Key in keyof Sighting]: Sighting[Key] }[] = [];
  #last: string | undefined;
  #dropped = 0;

  add(value: Seen, during: readonly [number, number]): void {
    const text = JSON.stringify(value);
    const isSame = text === this.#last;
    this.#last = text;
    if (!isSame && (this.#dropped > 0 || this.#sightings.length === mostSightings)) this.#dropped += 1;
    if (this.#dropped > 0) return;
    if (!isSame) this.#sightings.push({ value, first: during, last: during, count: 0 });
    const sighting = this.#sightings.at(-1);
    if (sighting === undefined) return;
    sighting.last = during;
    sighting.count += 1;
  }

  timeline(): ObserveResult['looks'][number] {
    return { seen: this.#sightings, ...(this.#dropped === 0 ? {} : { dropped: this.#dropped }) };
  }
}

function holds({ is, isNot }: Until, seen: Seen): boolean {
  const same = Object.entries(is ?? {}).every(([name, value]) => seen[name] === value);
  return same && (isNot === undefined || Object.entries(isNot).some(([name, value]) => seen[name] !== value));
}
