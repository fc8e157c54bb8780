import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { breakDisk, mendDisk } from '../../src/lab/disk-faults.ts';
import { beginJournal, readJournal } from '../../src/lab/journal.ts';
import {
  diskKindsHere,
  type LoopDisk,
  makeDisk,
  planDisk,
  shareOn,
  unmount,
} from '../../src/lab/loop-disk.ts';
import { cutPower } from '../../src/lab/power-cut.ts';

// A lab's disk without a lab. It needs root and loop devices, as the disk does.

const mebibyte = 1024 * 1024;
let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vfs-verify disk-'));
  beginJournal(directory, { id: 'disk-test', runDirectory: '/nowhere', wish: '{}' });
});

afterEach(async () => {
  for (const on of [...(readJournal(directory)?.mounts ?? [])].reverse()) await unmount(on);
  rmSync(directory, { recursive: true });
});

function write(file: string, bytes: number): string | undefined {
  const fd = openSync(file, 'a');
  try {
    for (let at = 0; at < bytes; at += mebibyte)
      writeSync(fd, Buffer.alloc(Math.min(mebibyte, bytes - at), 1));
    fsyncSync(fd);
    return undefined;
  } catch (error) {
    const { code, errno } = error as NodeJS.ErrnoException;
    // Node has no name for it.
    return errno === -constants.errno.EDQUOT ? 'EDQUOT' : code;
  } finally {
    closeSync(fd);
  }
}

describe.each(diskKindsHere())('a disk with %s', (kind) => {
  let disk: LoopDisk;
  beforeEach(async () => {
    disk = planDisk(directory, kind, 320);
    await makeDisk(directory, disk);
  });

  test('holds after a power cut what was synced, and goes on', async () => {
    const share = shareOn(disk);
    expect(write(join(share, 'synced'), mebibyte)).toBeUndefined();
    const fd = openSync(join(share, 'unsynced'), 'w');
    writeSync(fd, 'not yet');
    const cut = await cutPower(directory, disk, 'medium');
    expect(readFileSync(join(cut.share, 'synced'))).toHaveLength(mebibyte);
    const unsynced = join(cut.share, 'unsynced');
    expect(existsSync(unsynced) ? readFileSync(unsynced, 'utf8') : '').toBe('');
    await cut.remove();
    closeSync(fd);
    expect(write(join(share, 'later'), mebibyte)).toBeUndefined();
  });

  test('is full, and then is not', async () => {
    await breakDisk(disk, 'no-space');
    expect(write(join(shareOn(disk), 'large'), 8 * mebibyte)).toBe('ENOSPC');
    await mendDisk(disk);
    expect(write(join(shareOn(disk), 'large again'), 8 * mebibyte)).toBeUndefined();
  });

  test('refuses from below what is not stored yet', async () => {
    await breakDisk(disk, 'io-error');
    expect(['EIO', 'ENOSPC', 'EROFS']).toContain(write(join(shareOn(disk), 'large'), 64 * mebibyte));
  });

  // The others have quotas too, which the lab does not use.
  if (kind !== 'btrfs') return;
  test('holds a quota', async () => {
    expect(write(join(shareOn(disk), 'before'), 4 * mebibyte)).toBeUndefined();
    await breakDisk(disk, 'quota');
    expect(write(join(shareOn(disk), 'large'), 8 * mebibyte)).toBe('EDQUOT');
    await mendDisk(disk);
    expect(write(join(shareOn(disk), 'large'), 8 * mebibyte)).toBeUndefined();
  });
});

test('without the file system there is a reason and a cure', async () => {
  const disk = planDisk(directory, 'ext4', 320);
  const broken = { ...disk, kind: 'no-such-fs' as 'ext4' };
  await expect(makeDisk(directory, broken)).rejects.toMatchObject({ code: 'program-missing' });
});
