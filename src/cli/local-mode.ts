import { parseMode } from '../model/mode.ts';
import { isOneSuperblock } from '../share/one-superblock.ts';
import type { Share } from '../share/share.ts';
import type { ReachedSide } from './sides.ts';

/** How that mode is known: nothing more could prove it. */
export const oneKernel = 'one kernel, one device, one inode';

/** Where nobody serves the share, since both sides are one kernel, that is its mode. */
export async function withLocalMode(share: Share, guest: ReachedSide, host: ReachedSide): Promise<Share> {
  if (share.mode !== undefined || !(await isOneSuperblock(share, guest, host))) return share;
  return { ...share, mode: parseMode('local:bind'), modeHow: oneKernel };
}
