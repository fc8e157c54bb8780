import { connectSsh } from '../endpoint/ssh.ts';
import { KnownError } from '../model/error.ts';
import type { LabInfo } from './info.ts';
import type { LabShare } from './vm/shares.ts';

/**
 * Logs into the guest, which must answer with the lab's own host key, and looks for every mount: what the
 * guest's kernel says is mounted, not what was asked for.
 * @throws KnownError `mount-missing`, and what `connectSsh` throws.
 */
export async function proveMounts(ssh: LabInfo['ssh'], shares: readonly LabShare[]): Promise<void> {
  const guest = await connectSsh({ ...ssh, strict: true });
  try {
    const { stdout } = await guest.exec(['cat', '/proc/mounts']);
    const mounted = stdout.split('\n').map((line) => line.split(' ').slice(0, 3).join(' '));
    const missing = shares.filter(
      ({ mount: { tag, path, type } }) => !mounted.includes(`${tag} ${path} ${type}`),
    );
    if (missing.length === 0) return;
    throw new KnownError(
      'mount-missing',
      `the guest has no mount of ${missing.map(({ name }) => name).join(', ')}`,
      'Leave the mode out with --modes, or read what the guest said: vfs-verify lab logs.',
      { detail: stdout },
    );
  } finally {
    await guest.close();
  }
}
