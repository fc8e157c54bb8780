import { clearLab } from './cleanup.ts';
import { withLock } from './lock.ts';
import { labDirectory, labLockFile } from './places.ts';
import { requireLinux } from './supported.ts';

const lockLimitMs = 120_000;

/**
 * Takes a lab down: for the guest it is a power cut. Ends and removes what there is of it, in whatever state
 * it was left, and nothing else; a directory that was given with `--dir` stays.
 * @returns whether there was anything.
 * @throws KnownError `bad-lab-name`, `lab-stuck`, `lock-timeout`, `lab-unsupported`.
 */
export async function labDown(name = 'default', onWait?: () => void): Promise<boolean> {
  requireLinux();
  const directory = labDirectory(name);
  const lock = { limitMs: lockLimitMs, what: `the lab "${name}"`, ...(onWait && { onWait }) };
  return withLock(labLockFile(directory), lock, () => clearLab(directory));
}
