import type { Endpoint } from '../endpoint/endpoint.ts';
import { parseMode } from '../model/mode.ts';
import type { Stat } from '../model/operation.ts';
import type { ProbeSession } from '../probe/session.ts';

/** How the mode of a bind mount is known: nothing more could prove it. */
export const oneKernel = 'one kernel, one device, one inode';

/** What is known of a share that nobody serves, since both sides are one kernel. */
export const boundMode = { mode: parseMode('local:bind'), modeHow: oneKernel } as const;

/** One side, as far as it is asked here. */
interface Place {
  readonly session: ProbeSession;
  readonly endpoint: Endpoint;
}

/** The directory's own lookup may hang where its server is dead. */
const limits = { root: '/', limitMs: 5000, limitName: 'looking at the directories' } as const;

/**
 * Whether a directory of the guest and one of the host are the same inode of one superblock in one kernel: both
 * kernels are of one boot, and device and inode agree. Within one kernel no two file systems that are mounted
 * have one device number. Nothing is opened in the share.
 */
export async function isOneSuperblock(
  directories: { readonly guestDir: string; readonly hostDir: string },
  guest: Place,
  host: Place,
): Promise<boolean> {
  if (!(await isOneKernel(guest.endpoint, host.endpoint))) return false;
  const [there, here] = await Promise.all([
    statOf(guest.session, directories.guestDir),
    statOf(host.session, directories.hostDir),
  ]);
  return there !== undefined && there.dev === here?.dev && there.ino === here.ino;
}

/** Whether two sides are one kernel, as a container and its host are. */
export async function isOneKernel(guest: Endpoint, host: Endpoint): Promise<boolean> {
  const [there, here] = await Promise.all([guest, host].map(bootOf));
  return there !== undefined && there === here;
}

/** The number that a kernel draws when it starts. */
async function bootOf(endpoint: Endpoint): Promise<string | undefined> {
  const { status, stdout } = await endpoint
    .exec(['cat', '/proc/sys/kernel/random/boot_id'])
    .catch(() => ({ status: undefined, stdout: '' }));
  return status === 0 && stdout.trim() !== '' ? stdout.trim() : undefined;
}

async function statOf(session: ProbeSession, path: string): Promise<Stat | undefined> {
  // One for each directory: several shares are looked at at once.
  const actor = `one-superblock ${path}`;
  // Not asking the server: a stat that does may mend what is stale.
  const outcome = await session.request(actor, { do: 'stat', path, sync: 'dont' }, limits);
  await session.release(actor);
  return outcome.kind === 'value' ? (outcome.value as Stat) : undefined;
}
