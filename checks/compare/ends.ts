import { describePromise, type Promise as Promised } from '../../src/model/promise.ts';

/**
 * What to do about something old that the guest sees: to wait helps only where the contract says that it ends with
 * time.
 * @param cures what ends it at once, and what keeps it from coming again.
 */
export function adviceFor(promise: Promised | undefined, cures: readonly string[]): string {
  const others = cures.join(', or ');
  switch (promise?.freshness.kind) {
    case 'stale-for':
      return `repeat when it should have ended by itself (${describePromise(promise)}), or ${others}`;
    case 'stale-until':
      return `waiting does not end it (${describePromise(promise)}): ${others}`;
    case undefined:
      return `${others}; then repeat`;
    default:
      return `${others}; then repeat, and keep the evidence with --bundle DIR: this mode promises otherwise`;
  }
}

/** Drops what the guest knows of names and inodes. */
export const dropNames = "drop the guest's dentries and inodes (echo 2 > /proc/sys/vm/drop_caches there)";
