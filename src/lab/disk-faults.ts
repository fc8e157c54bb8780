import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { DiskFault } from '../model/bench-verb.ts';
import { diskProgram, type LoopDisk, shareOn } from './loop-disk.ts';

/** Bytes of a new quota that are still free. */
const quotaLeft = 1024 * 1024;

/**
 * Makes the disk refuse to store more.
 * - `no-space`: its file system is full to the last block.
 * - `quota`: the share may hold a megabyte more than it does.
 * - `io-error`: below the file system every block that is not stored yet is refused.
 * @returns bytes that can still be stored there.
 * @throws KnownError `no-disk`.
 */
export async function breakDisk(disk: LoopDisk, fault: DiskFault): Promise<{ readonly freeBytes: number }> {
  if (fault === 'quota') return limitShare(disk);
  const directory = fault === 'no-space' ? disk.mountPoint : disk.backing;
  fill(join(directory, filler));
  return { freeBytes: freeBytes(directory) };
}

/** Takes every fault away that `breakDisk` made. What a file system made of an error from below stays. */
export async function mendDisk(disk: LoopDisk): Promise<void> {
  for (const directory of [disk.backing, disk.mountPoint]) rmSync(join(directory, filler), { force: true });
  if (disk.kind === 'btrfs' && existsSync(shareOn(disk)))
    await diskProgram(['btrfs', 'qgroup', 'limit', 'none', shareOn(disk)], 'btrfs').catch(() => {});
}

const filler = 'filler';

async function limitShare(disk: LoopDisk): Promise<{ readonly freeBytes: number }> {
  const share = shareOn(disk);
  await diskProgram(['btrfs', 'quota', 'enable', share], 'btrfs');
  await diskProgram(['btrfs', 'quota', 'rescan', '-w', share], 'btrfs');
  await diskProgram(['btrfs', 'filesystem', 'sync', share], 'btrfs');
  const shown = await diskProgram(['btrfs', 'qgroup', 'show', '--raw', '-f', share], 'btrfs');
  const used = Number(/^0\/\d+\s+(\d+)/m.exec(shown)?.[1] ?? 0);
  await diskProgram(['btrfs', 'qgroup', 'limit', String(used + quotaLeft), share], 'btrfs');
  return { freeBytes: quotaLeft };
}

/** Writes until nothing more fits, in smaller and smaller pieces, and all of it to the disk. */
function fill(path: string): void {
  const file = openSync(path, 'a', 0o600);
  try {
    for (let size = 1024 * 1024; size >= 4096; size /= 4) {
      const piece = Buffer.alloc(size, 0xf1);
      try {
        for (;;) writeSync(file, piece);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
      try {
        fsyncSync(file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  } finally {
    closeSync(file);
  }
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
