import type { GroundFact } from '../model/ground.ts';
import type { ProbeSession } from '../probe/session.ts';

/** Between which two figures something lies, in milliseconds. */
export type IntervalMs = readonly [number, number];

const rounds = 5;
/** Above this, times that both sides set make no sense beside each other. */
const tolerableMs = 1000;

/** How far the guest's clock is ahead of the host's: the narrowest interval that a few pings allow. */
export async function clockOffset(guest: ProbeSession, host: ProbeSession): Promise<IntervalMs> {
  const [ofGuest, ofHost] = await Promise.all([aheadOfOurs(guest), aheadOfOurs(host)]);
  return [ofGuest[0] - ofHost[1], ofGuest[1] - ofHost[0]];
}

/** A side's clock against our own: it was read between our sending and our receiving. */
async function aheadOfOurs(side: ProbeSession): Promise<IntervalMs> {
  let bounds: IntervalMs = [-Infinity, Infinity];
  for (let round = 0; round < rounds; round += 1) {
    const { sentMs, receivedMs, realtimeNs } = await side.clock();
    const there = Number(BigInt(realtimeNs) / 1000n) / 1000;
    bounds = [Math.max(bounds[0], there - receivedMs), Math.min(bounds[1], there - sentMs)];
  }
  return bounds;
}

/** The offset in words. */
export function clockFact([least, most]: IntervalMs): GroundFact {
  const about = 'clock';
  const middle = (least + most) / 2;
  const apart =
    Math.abs(middle) < 1
      ? 'as the host has it'
      : `${words(Math.abs(middle))} ${middle > 0 ? 'ahead of' : 'behind'} the host's`;
  const said = `the clock is ${apart} (± ${words((most - least) / 2)})`;
  if (least < tolerableMs && most > -tolerableMs) return { about, state: 'ok', said };
  return {
    ...{ about, state: 'limited', said: `${said}: times that both sides set cannot be compared` },
    cure: 'chronyc makestep (in the guest)',
  };
}

function words(ms: number): string {
  return ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
