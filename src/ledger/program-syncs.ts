import type { SyncCalls } from '../model/program-account.ts';
import type { Claimed, ProgramSamples } from './program-samples.ts';

/**
 * How often a program synced, and how long that took: as the guest's kernel saw it, else as the program says, which
 * is a least figure. Undefined where neither is there. Pure.
 */
export function programSyncs({ syncs, claimed }: ProgramSamples): SyncCalls | undefined {
  if (syncs !== undefined) {
    const seconds = syncs.ns === undefined ? undefined : syncs.ns / 1e9;
    return {
      calls: syncs.calls,
      ...(syncs.lost > 0 ? { isLeast: true } : {}),
      ...(seconds === undefined ? {} : { seconds }),
      ...(isUntimed(seconds, syncs.calls, claimed) ? { isUntimed: true } : {}),
      because: "the guest kernel's own function for it",
    };
  }
  if (claimed?.syncs === undefined) return undefined;
  const { calls, ns } = claimed.syncs;
  return {
    calls,
    isLeast: true,
    ...(ns === undefined ? {} : { seconds: ns / 1e9 }),
    because: `${claimed.by}, which need not have all`,
  };
}

/** The least that is worth a word. */
const noticeableSeconds = 0.01;

/**
 * Whether they cannot have been within what was timed: together they took longer. Of several jobs at once each waits
 * for its own, so that this says something of one call after the other only. Before a benchmark of reads fio syncs the
 * file that it has laid out: that belongs to nothing that was timed.
 */
function isUntimed(seconds: number | undefined, calls: number, claimed: Claimed | undefined): boolean {
  const timed = claimed?.seconds;
  const isOfWrites =
    (claimed?.write?.bytes ?? 0) > 0 && (claimed?.read?.isCopy ?? claimed?.read === undefined);
  return (
    isOfWrites &&
    calls === 1 &&
    seconds !== undefined &&
    timed !== undefined &&
    seconds > Math.max(timed * 1.05, noticeableSeconds)
  );
}
