import { installedDirectory, installedName } from '../../probe/binaries.ts';
import { type CpioEntry, cpioArchive } from './cpio.ts';
import { hostKeyFile, mountsFile } from './scripts.ts';

/** One mount in the guest. */
export interface GuestMount {
  readonly tag: string;
  readonly type: 'virtiofs' | '9p';
  readonly path: string;
  /** As mount(8) takes them after `-o`. */
  readonly options: string;
}

/**
 * What is one lab's own in its guest: who may log in, as whom the guest answers, and what it mounts. It
 * goes behind the image, which all labs share.
 */
export function personalArchive(lab: {
  readonly name: string;
  readonly hostKey: Buffer;
  readonly authorizedKey: string;
  readonly mounts: readonly GuestMount[];
  /** The built probe for the guest, where there is one: what is there need not be carried over each time. */
  readonly probe?: Buffer;
}): Buffer {
  const authorized = (home: string, owner: number): CpioEntry[] => [
    { path: `${home}/.ssh`, directory: true, mode: 0o700, owner },
    { path: `${home}/.ssh/authorized_keys`, file: `${lab.authorizedKey}\n`, mode: 0o600, owner },
  ];
  const lines = lab.mounts.map(({ tag, type, path, options }) => `${tag} ${type} ${path} ${options}\n`);
  return cpioArchive([
    { path: 'etc/hostname', file: `${lab.name}\n` },
    { path: hostKeyFile, file: lab.hostKey, mode: 0o600 },
    { path: mountsFile, file: lines.join('') },
    ...authorized('root', 0),
    // Named again, since a missing parent would be added as root's.
    { path: 'home/user', directory: true, mode: 0o700, owner: 1000 },
    ...authorized('home/user', 1000),
    { path: 'root', directory: true, mode: 0o700 },
    ...lab.mounts.map(({ path }): CpioEntry => ({ path: path.replace(/^\//, ''), directory: true })),
    ...(lab.probe === undefined ? [] : [installed(lab.probe)]),
  ]);
}

function installed(probe: Buffer): CpioEntry {
  return {
    path: `${installedDirectory.replace(/^\//, '')}/${installedName(probe)}`,
    file: probe,
    mode: 0o755,
  };
}
