import type { RunEnd, RunSample } from '../../model/program-run.ts';
import { type Quantities, quantityNames, runQuantities } from '../../model/run-quantities.ts';
import { countersOf, type HostSample } from './host-watch.ts';
import { guestSeen, hostSeen } from './looks.ts';

/** Told of what has been counted while the program runs; each time only what is newly seen. */
export type OnSeen = (seen: Quantities) => void;

/** Hands on what both sides count, sums from the moment the watch began. */
export class Live {
  readonly #onSeen: OnSeen | undefined;
  readonly #server: number | undefined;
  readonly #vmm: number | undefined;
  #first: Quantities | undefined;

  /** @param server of the share, and its machine; undefined where several shares may be meant. */
  constructor(onSeen: OnSeen | undefined, server: number | undefined, vmm: number | undefined) {
    this.#onSeen = onSeen;
    this.#server = server;
    this.#vmm = vmm;
  }

  guest(sample: RunSample | RunEnd): void {
    this.#onSeen?.(guestSeen(sample));
  }

  /** @param messages completed since the watch began, where the queue is looked at. */
  host({ counters }: HostSample, messages: number | undefined): void {
    const seen = hostSeen(counters, countersOf(counters, this.#server, this.#vmm));
    this.#first ??= seen;
    this.#onSeen?.({
      ...since(this.#first, seen),
      ...(messages === undefined ? {} : { crossedMessages: messages }),
    });
  }
}

function since(first: Quantities, now: Quantities): Quantities {
  return Object.fromEntries(
    quantityNames.flatMap((name) => {
      const value = now[name];
      if (value === undefined) return [];
      if (runQuantities[name].kind === 'level') return [[name, value]];
      return [[name, Math.max(0, value - (first[name] ?? value))]];
    }),
  );
}
