import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';

/** A libvirtd that no other program of this machine knows of, with everything that it writes in one directory. */
export interface PrivateLibvirtd {
  /** As `virsh -c` takes it. */
  readonly uri: string;
  readonly directory: string;
  virsh(...words: string[]): Promise<string>;
  /** Its own domains' processes and then itself; removes its directory. */
  end(): Promise<void>;
}

const startMs = 30_000;

/**
 * Starts a real libvirtd in a mount namespace of its own: it has no option for the directories that it keeps
 * domains, sockets and logs in, and a libvirt of this machine's user must not be disturbed. Its socket is
 * reached from outside by the directory's real name. Takes root.
 */
export async function startLibvirtd(): Promise<PrivateLibvirtd> {
  // Short: the paths of unix sockets hold 107 bytes.
  const directory = mkdtempSync(join(tmpdir(), 'lv-'));
  const inside: [string, string][] = [
    [folder(directory, 'lib'), '/var/lib'],
    [folder(directory, 'cache'), '/var/cache'],
    [folder(directory, 'log'), '/var/log'],
    [folder(directory, 'run'), '/run'],
    [folder(directory, 'etc'), '/etc/libvirt'],
    // It asks for its own user by name before it reads which one to use.
    [withUser(directory, '/etc/passwd', 'libvirt-qemu:x:64055:64055::/:/usr/sbin/nologin'), '/etc/passwd'],
    [withUser(directory, '/etc/group', 'libvirt-qemu:x:64055:'), '/etc/group'],
  ];
  writeFileSync(join(directory, 'etc/libvirtd.conf'), 'auth_unix_rw = "none"\n');
  writeFileSync(join(directory, 'etc/qemu.conf'), qemuSettings);
  const mounts = inside.map(([own, over]) => `mount --bind '${own}' ${over}`);
  const script = `set -e\n${mounts.join('\n')}\nexec libvirtd`;
  const child = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let words = '';
  child.stderr.on('data', (chunk) => {
    words = `${words}${chunk}`.slice(-4000);
  });
  const socket = join(directory, 'run/libvirt/libvirt-sock');
  const uri = `qemu+unix:///system?socket=${socket}`;
  const virsh = async (...args: string[]) => {
    const { stdout } = await execa('virsh', ['-c', uri, ...args], { timeout: 60_000, env: { LC_ALL: 'C' } });
    return stdout;
  };
  const end = async () => {
    await endDomains(directory);
    await endChild(child);
    rmSync(directory, { recursive: true, force: true });
  };
  const deadline = performance.now() + startMs;
  while (!existsSync(socket)) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await end();
      throw new Error(`libvirtd did not start: ${words}`);
    }
    await sleep(50);
  }
  return { uri, directory, virsh, end };
}

/** As root and without confinement: there is no service manager here, no AppArmor, and no user of libvirt's. */
const qemuSettings = `user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
`;

function folder(directory: string, name: string): string {
  const path = join(directory, name);
  mkdirSync(path);
  return path;
}

function withUser(directory: string, file: string, line: string): string {
  const own = join(directory, file.replace(/.*\//, ''));
  writeFileSync(own, `${readFileSync(file, 'utf8')}${line}\n`);
  return own;
}

/** QEMU and the daemons run on without libvirtd; it writes down who they are. */
async function endDomains(directory: string): Promise<void> {
  const folderOfPids = join(directory, 'run/libvirt/qemu');
  if (!existsSync(folderOfPids)) return;
  const pids = readdirSync(folderOfPids)
    .filter((name) => name.endsWith('.pid') && name !== 'driver.pid')
    .map((name) => Number(readFileSync(join(folderOfPids, name), 'utf8')));
  for (const pid of pids) tryKill(pid);
  const deadline = performance.now() + 5000;
  while (pids.some((pid) => existsSync(`/proc/${pid}`)) && performance.now() < deadline) await sleep(20);
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await Promise.race([ended, sleep(5000)]);
  child.kill('SIGKILL');
}
