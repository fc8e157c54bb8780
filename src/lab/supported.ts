import { KnownError } from '../model/error.ts';

/** A lab is made of Linux programs, and found again by /proc. */
export function mayHaveLabs(): boolean {
  return process.platform === 'linux';
}

/**
 * Sees that a lab can be here at all.
 * @throws KnownError `lab-unsupported`
 */
export function requireLinux(): void {
  if (mayHaveLabs()) return;
  throw new KnownError(
    'lab-unsupported',
    `a lab needs Linux; this is ${process.platform} on ${process.arch}`,
    'Use vfs-verify with a guest of your own: --guest and --map.',
  );
}
