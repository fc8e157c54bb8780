import { boundMode, isOneSuperblock } from '../share/one-superblock.ts';
import type { Share } from '../share/share.ts';
import type { ReachedSide } from './sides.ts';

/** Where nobody serves the share, since both sides are one kernel, that is its mode. */
export async function withLocalMode(share: Share, guest: ReachedSide, host: ReachedSide): Promise<Share> {
  if (share.mode !== undefined || !(await isOneSuperblock(share, guest, host))) return share;
  return { ...share, ...boundMode };
}
