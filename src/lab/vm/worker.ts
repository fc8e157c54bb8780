import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { type ProcessIdentity, withDescendants } from '../processes.ts';

/**
 * The process that does a daemon's work. With `--sandbox=namespace` virtiofsd forks, and the child works;
 * a script may stand in front of it, or strace. It is the one that holds the socket and has no child that
 * does.
 */
export function workerOf(started: ProcessIdentity, socket: string): ProcessIdentity {
  const inodes = socketInodes(socket);
  const family = withDescendants([started]);
  const holders = family.filter(({ pid }) => holdsSocket(pid, inodes));
  const candidates = holders.length > 0 ? holders : family;
  const leaf = candidates.find((each) => {
    const below = withDescendants([each]).filter(({ pid }) => pid !== each.pid);
    return !below.some(({ pid }) => candidates.some((candidate) => candidate.pid === pid));
  });
  return leaf ?? started;
}

/** Inodes of the sockets with this address: the one that listens, and each connection that it accepted. */
function socketInodes(socket: string): Set<string> {
  const lines = readFileSync('/proc/net/unix', 'utf8').split('\n');
  const ours = lines.filter((line) => line.endsWith(` ${socket}`));
  return new Set(ours.map((line) => line.trim().split(/\s+/)[6] ?? ''));
}

function holdsSocket(pid: number, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
      return inode !== undefined && inodes.has(inode);
    });
  } catch {
    return false; // It has ended, or is another user's.
  }
}
