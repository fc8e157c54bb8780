import type { ProgramAccount } from '../../model/program-account.ts';
import { shellWord } from '../../model/shell-word.ts';

/** What can be said of a mode that decides what to change. */
export interface Circumstances {
  readonly allowDirectIo?: boolean;
  readonly hostMemoryBytes?: number;
  readonly guestMemoryBytes?: number;
}

/** What to change to measure the other medium: sentences, the most telling first. */
export function advice(account: ProgramAccount, { allowDirectIo, hostMemoryBytes }: Circumstances): string[] {
  const { reads, writes, files } = account;
  const told: string[] = [];
  const names = files.slice(0, 4).map(({ path }) => shellWord(path));
  const drop = (side: string) => `vfs-verify drop ${names.join(' ')} --side ${side}`;
  const size = files.reduce((sum, each) => sum + (each.size ?? 0), 0);
  const isDirect = files.length > 0 && files.every(({ held }) => held?.direct === true);
  const [top] = reads.lines;
  const reading = reads.bytes > 0 && reads.bytes >= writes.bytes / 20;
  const had = files.reduce((sum, { guestCached }) => sum + (guestCached?.[0] ?? 0), 0);
  const kept = reads.lines.find(({ source }) => source === 'guest-cache')?.bytes ?? 0;
  // What is not explained may have come from the cache.
  const nothingKept = top?.source !== 'unexplained' && kept < reads.bytes / 20;
  if (reading && size > 0 && had > size / 2 && nothingKept && !isDirect)
    told.push(
      "the guest had the file in its cache before, and nothing came from there: the mode's open drops it, or the program itself (fio does, unless --invalidate=0)",
    );
  if (reading && top?.source === 'guest-cache')
    told.push(`to measure the way to the host, drop the guest's cache before the run: ${drop('both')}`);
  if (reading && top?.medium === 'host-cache')
    told.push(`to measure the disk, drop the host's cache too before the run: ${drop('both')}`);
  if (reading && top !== undefined && top.medium !== 'disk' && top.medium !== 'hole') {
    if (hostMemoryBytes !== undefined && size > 0 && size < hostMemoryBytes)
      told.push("the file fits in the host's memory: one that is larger cannot stay there");
    // Into a DAX window, and with 9p, which leaves the flag out, O_DIRECT changes nothing on the host.
    if (top.path === 'fuse' && (!isDirect || allowDirectIo === false))
      told.push(
        `${isDirect ? 'the program opened it with O_DIRECT, which this daemon does not hand on: ' : 'add --direct=1 (dd: iflag=direct), and '}start virtiofsd with --allow-direct-io`,
      );
  }
  if (reading && top?.medium === 'disk')
    told.push('to measure memory instead, run it again: what it read is in the caches now');
  const memory = writes.lines
    .filter(({ source, medium }) => source === 'guest-cache' || medium === 'host-cache')
    .reduce((sum, { bytes }) => sum + bytes, 0);
  if (account.syncs?.isUntimed === true)
    told.push(
      'the fsync is outside the timed part: put it in (fio --end_fsync=1 or --fsync=N, dd conv=fsync)',
    );
  else if (writes.bytes > 0 && memory > writes.bytes / 4) told.push(syncAdvice(account));
  return told;
}

/** Written, and in memory when the program ended. */
function syncAdvice({ syncs, device }: ProgramAccount): string {
  const put = 'put one into the timed part (fio --end_fsync=1 or --fsync=N, dd conv=fsync)';
  if (syncs?.calls === 0) return `the program made no fsync: ${put}`;
  if (syncs === undefined && device?.flushes === 0) return `no fsync reached the disk: ${put}`;
  return 'the fsync is outside the timed part, or covers little of it: fio --fsync=N or --sync=1, dd oflag=dsync';
}
