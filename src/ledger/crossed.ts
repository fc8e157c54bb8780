import type { Interval } from '../model/account.ts';
import type { Passed } from '../model/program-account.ts';
import type { ProgramSamples, ShareCounters } from './program-samples.ts';
import { defaultMostBytes } from './replay.ts';

/** What one kind of call of a daemon moved by: bytes and calls, eventfds among them. */
interface CallDelta {
  readonly bytes: number;
  readonly calls: number;
  /** Completed messages of every kind, where QEMU tells. */
  readonly messages?: number;
  /** It was QEMU itself, whose eventfds are also those of other devices and of its own threads. */
  readonly isVmm: boolean;
}

/**
 * Tells what went through the daemon's files from what went through its eventfds, of which each call carries 8
 * bytes: a kick of the guest's that it reads, an interrupt that it writes. Nothing is known of the requests of
 * a program that is not ours, so that only their bounds are used: a request carries 1 MiB at most, and there are
 * no more requests, and no more eventfd calls of a daemon's, than messages.
 */
function crossed({ bytes, calls, messages, isVmm }: CallDelta): Passed {
  if (bytes <= 8 * calls) return { bytes: [0, 0], requests: [0, 0], because: 'every call was for its queue' };
  const leastRequests = Math.ceil((bytes - 8 * calls) / (defaultMostBytes - 8));
  const mostEvents = Math.min(calls - leastRequests, isVmm ? calls : (messages ?? calls));
  const leastEvents = Math.min(mostEvents, Math.max(0, calls - (messages ?? calls)));
  return {
    bytes: [bytes - 8 * mostEvents, bytes - 8 * leastEvents],
    requests: [calls - mostEvents, calls - leastEvents],
    because: isVmm
      ? "QEMU's own counters, less at most 8 bytes a call, its other traffic included"
      : messages === undefined
        ? "the daemon's own counters, less at most 8 bytes a call"
        : "the daemon's own counters, less 8 bytes for each call of its queue, and the queue's used index",
  };
}

/** What crossed to the server in one direction; undefined where its counters could not be read. */
export function crossedBetween(
  { counters: { before, after }, transport }: ProgramSamples,
  bytes: 'rchar' | 'wchar',
  calls: 'syscr' | 'syscw',
): Passed | undefined {
  if (before.daemon === undefined || after.daemon === undefined || wentBack(before, after)) return undefined;
  const messages =
    before.messages === undefined || after.messages === undefined
      ? undefined
      : after.messages - before.messages;
  return crossed({
    bytes: after.daemon[bytes] - before.daemon[bytes],
    calls: after.daemon[calls] - before.daemon[calls],
    isVmm: transport === '9p',
    ...(messages === undefined ? {} : { messages }),
  });
}

/** A kernel sums up threads while they count: so much less than before is no other process yet. */
const behindBytes = 64 * 1024;

function wentBack({ daemon: from }: ShareCounters, { daemon: to }: ShareCounters): boolean {
  if (from === undefined || to === undefined) return false;
  return to.rchar < from.rchar - behindBytes || to.wchar < from.wchar - behindBytes;
}

/** Why there is nothing of what crossed. */
export function whyNoServer(samples: ProgramSamples): string {
  const { before, after } = samples.counters;
  const whose = `${serverWords(samples)}'s counters`;
  if (wentBack(before, after)) return `${whose} went back: it was started anew meanwhile`;
  return samples.unseen.find(({ what }) => what === 'daemon-io')?.why ?? `${whose} cannot be read`;
}

/** Who answers the guest, as sentences have it: with 9p there is no daemon. */
export function serverWords({ transport }: Pick<ProgramSamples, 'transport'>): string {
  return transport === '9p' ? 'QEMU' : 'the daemon';
}

/** The mean of an interval's ends. */
export function middle([low, high]: Interval): number {
  return (low + high) / 2;
}
