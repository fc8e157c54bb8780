import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { KnownError } from '../model/error.ts';
import { noteMount } from './journal.ts';
import { diskProgram, type LoopDisk, unmount } from './loop-disk.ts';

/** A copy is not atomic: it is made again when the device was written to meanwhile. */
const tries = 10;

/** What a disk held at one moment. */
export interface CutDisk {
  /** The share as a machine finds it that starts again after the power went: the journal has been replayed. */
  readonly share: string;
  /** Takes it away again. */
  remove(): Promise<void>;
}

/**
 * Cuts the power, as far as the medium is concerned: copies what the disk holds at this moment, and mounts the
 * copy. What the host's kernel still had to write is not in it. The disk itself goes on.
 * @throws KnownError `no-disk`; `never-still`: the disk was written to during every copy.
 */
export async function cutPower(directory: string, disk: LoopDisk, name: string): Promise<CutDisk> {
  const [copy, mountPoint] = [join(directory, `${name}.image`), join(directory, name)];
  const remove = async () => {
    await unmount(mountPoint);
    rmSync(mountPoint, { recursive: true, force: true });
    rmSync(copy, { force: true });
  };
  try {
    await copyAtRest(disk, copy);
    mkdirSync(mountPoint, { mode: 0o755 });
    noteMount(directory, mountPoint);
    // Writable, since the journal must be replayed; xfs refuses a second disk with the id of the first.
    const options = disk.kind === 'xfs' ? 'loop,nouuid' : 'loop';
    await diskProgram(['mount', '-o', options, '-t', disk.kind, copy, mountPoint], disk.kind);
    await diskProgram(['mount', '-o', 'remount,ro', mountPoint], disk.kind);
  } catch (error) {
    await remove();
    throw error;
  }
  return { share: join(mountPoint, 'share'), remove };
}

async function copyAtRest(disk: LoopDisk, copy: string): Promise<void> {
  const device = await deviceOf(disk);
  for (let attempt = 1; attempt <= tries; attempt += 1) {
    const before = writesTo(device);
    await diskProgram(['cp', '--sparse=always', '--reflink=auto', disk.image, copy], disk.kind);
    const after = writesTo(device);
    if (before.inFlight === 0 && before.sectors === after.sectors && after.inFlight === 0) return;
  }
  throw new KnownError(
    'never-still',
    `the lab's disk was written to during each of ${tries} copies: none of them is what it held at one moment`,
    'Repeat when less is written.',
  );
}

async function deviceOf(disk: LoopDisk): Promise<string> {
  const said = await diskProgram(['losetup', '-n', '-O', 'NAME', '-j', disk.image], disk.kind);
  const device = basename(said.trim().split('\n')[0] ?? '');
  if (device === '') throw new KnownError('no-disk', 'the lab has lost its disk', 'Make the lab anew.');
  return device;
}

/** Documentation/block/stat.rst: sectors written are the 7th number, requests in flight the 9th. */
function writesTo(device: string): { readonly sectors: number; readonly inFlight: number } {
  const numbers = readFileSync(`/sys/block/${device}/stat`, 'utf8').trim().split(/\s+/).map(Number);
  return { sectors: numbers[6] ?? 0, inFlight: numbers[8] ?? 0 };
}
