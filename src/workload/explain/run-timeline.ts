import type { ProgramAccount } from '../../model/program-account.ts';
import type { Timeline } from '../../model/timeline.ts';
import type { Attended } from './attended.ts';
import { bridgeBetween, type ClockMark } from './clocks.ts';
import { countersOf, type HostWatch } from './host-watch.ts';
import { guestSeen, hostSeen, type Look, withoutBefore } from './looks.ts';
import { timelineOf } from './timeline.ts';

/** A run that has ended, and what was seen of it. */
export interface RunSeen {
  readonly attended: Attended;
  readonly watch: Pick<HostWatch, 'begunMs' | 'samples' | 'queueSamples'>;
  /** The guest's clock before and after the run. */
  readonly clocks: readonly [before: ClockMark | undefined, after: ClockMark | undefined];
  /** Processes on the host: who serves the share, and its machine. */
  readonly server: number | undefined;
  readonly vmm: number | undefined;
  readonly account: Pick<ProgramAccount, 'reads' | 'writes'>;
}

/** The run over time; undefined where nothing says how the two sides' clocks belong together. */
export function runTimeline(run: RunSeen): Timeline | undefined {
  const { attended, watch, clocks, server, vmm, account } = run;
  const { end, startedNs } = attended;
  const [before, after] = clocks;
  if (end === undefined || startedNs === undefined || before === undefined || after === undefined)
    return undefined;
  const bridge = bridgeBetween(before, after);
  const origin = BigInt(startedNs);
  const startMs = bridge.ownMs(origin);
  const inGuest = (atNs: number) => bridge.ownMs(origin + BigInt(Math.round(atNs))) - startMs;
  const onHost = ({ askedMs, atMs }: { readonly askedMs: number; readonly atMs: number }) =>
    watch.begunMs + (askedMs + atMs) / 2 - startMs;
  const guest = [...attended.samples, end].map(
    (sample): Look => ({ atMs: inGuest(sample.atNs), seen: guestSeen(sample) }),
  );
  const longestLook = Math.max(0, ...watch.samples.map(({ askedMs, atMs }) => atMs - askedMs));
  const timeline = timelineOf({
    guest: withoutBefore(guest, end.beforeFirst),
    host: watch.samples.map((sample) => ({
      atMs: onHost(sample),
      seen: hostSeen(sample.counters, countersOf(sample.counters, server, vmm)),
    })),
    queue: watch.queueSamples.map((sample) => ({
      atMs: onHost(sample),
      seen: { crossedMessages: sample.messages },
    })),
    endMs: inGuest(end.atNs),
    withinMs: { guest: bridge.withinMs, host: longestLook / 2 },
    account,
  });
  return server !== undefined && server === vmm ? { ...timeline, server: 'qemu' } : timeline;
}
