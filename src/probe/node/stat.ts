import type { BigIntStats, StatsFs } from 'node:fs';
import type { Stat, StatfsResult } from '../../model/operation.ts';

/** What node's stat says, in the probe's words. */
export function statOf(from: BigIntStats): Stat {
  return {
    type: typeOf(from),
    size: Number(from.size),
    blocks512: Number(from.blocks),
    mode: Number(from.mode & 0o7777n),
    nlink: Number(from.nlink),
    uid: Number(from.uid),
    gid: Number(from.gid),
    ino: `${from.ino}`,
    dev: `${from.dev}`,
    mtimeNs: `${from.mtimeNs}`,
    ctimeNs: `${from.ctimeNs}`,
    atimeNs: `${from.atimeNs}`,
  };
}

function typeOf(from: BigIntStats): Stat['type'] {
  if (from.isFile()) return 'file';
  if (from.isDirectory()) return 'directory';
  if (from.isSymbolicLink()) return 'link';
  if (from.isFIFO()) return 'fifo';
  if (from.isSocket()) return 'socket';
  if (from.isBlockDevice()) return 'block';
  return from.isCharacterDevice() ? 'character' : 'other';
}

/** What node tells of statfs(2): neither the length of names, nor the flags, nor the file system's id. */
export function statfsOf(from: StatsFs): Omit<StatfsResult, 'nameMax' | 'fsid' | 'flags'> {
  return {
    magic: from.type,
    blockSize: from.bsize,
    blocks: from.blocks,
    free: from.bfree,
    available: from.bavail,
    files: from.files,
    filesFree: from.ffree,
  };
}
