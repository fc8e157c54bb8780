import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';

/** A real container that runs until it is ended; in it there is busybox and nothing else. */
export interface Container {
  /** `--guest`'s word for it. */
  readonly guest: string;
  /** Its processes end; it is still known. */
  stop(): void;
  /** It and everything of it is gone. */
  end(): void;
}

/** The parts of busybox that have names of their own: what a small image has. */
const parts =
  'cat chmod dd find grep gzip head id ls mkdir mktemp ps readlink rm sed sh sleep stat tail test uname wc';

/**
 * Only in this mount namespace the control groups are what every runtime knows (some machines have both versions,
 * which crun refuses). Whatever a container mounts on the host is gone with it.
 */
const holder = `
umount -l -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
echo ready
exec sleep 600
`;

/**
 * Starts one: no registry is asked, and nothing is kept outside a directory that goes with it.
 * @param flags of `podman run`: volumes.
 */
export async function startContainer(flags: readonly string[]): Promise<Container> {
  // Not below TMPDIR: podman takes 50 characters for where it runs.
  const directory = mkdtempSync('/tmp/vp-');
  const at = (...names: string[]) => path.join(directory, ...names);
  for (const each of ['root/bin', 'root/dev', 'root/proc', 'root/sys', 'root/tmp', 'root/run', 'root/etc'])
    mkdirSync(at(each), { recursive: true });
  putBusybox(at('root'));
  const own = [
    ...['--root', at('storage'), '--runroot', at('runs'), '--tmpdir', at('tmp')],
    ...['--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--events-backend', 'none'],
  ];
  const place = spawn('unshare', ['-m', 'sh', '-ec', holder], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (place.stdout !== null) await Promise.race([once(place.stdout, 'data'), once(place, 'exit')]);
  const podman = (...words: string[]) =>
    execFileSync('nsenter', ['-t', `${place.pid}`, '-m', 'podman', ...own, ...words], { timeout: 60_000 });
  const name = `vfs-verify-${process.pid}`;
  try {
    // Limits that anybody may set: to raise them takes a capability that a virtual machine's root may lack.
    const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024'];
    const apart = ['--network', 'none', '--cgroups', 'disabled', '--log-driver', 'none'];
    podman(
      'run',
      '-d',
      '--name',
      name,
      ...limits,
      ...apart,
      ...flags,
      '--rootfs',
      at('root'),
      'sleep',
      '600',
    );
  } catch (error) {
    place.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
  return {
    guest: `exec:podman ${own.join(' ')} exec -i ${name}`,
    stop: () => void podman('stop', '-t', '0', name),
    end: () => {
      endAll(place, podman, name);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function endAll(place: ChildProcess, podman: (...words: string[]) => unknown, name: string): void {
  try {
    podman('rm', '-f', '-t', '0', name);
  } finally {
    place.kill('SIGKILL');
  }
}

/** With the libraries that it needs, where it is not linked statically. */
function putBusybox(root: string): void {
  const program = execFileSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).trim();
  copyFileSync(program, path.join(root, 'bin/busybox'));
  for (const part of parts.split(' ')) symlinkSync('busybox', path.join(root, 'bin', part));
  for (const library of spawnSync('ldd', [program], { encoding: 'utf8' }).stdout.match(/\/\S+/g) ?? []) {
    mkdirSync(path.join(root, path.dirname(library)), { recursive: true });
    copyFileSync(library, path.join(root, library));
  }
}
