import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KnownError } from '../model/error.ts';
import { clearLab, endLab } from './cleanup.ts';
import { daemonEnded, waitForGuest } from './console.ts';
import { requireSpace, sayingDiskFull } from './disk.ts';
import { type GuestImage, guestImage } from './guest/image.ts';
import { personalArchive } from './guest/personal.ts';
import type { LabInfo } from './info.ts';
import { beginJournal, labMark, newLabId, noteProcess, readJournal } from './journal.ts';
import { withLock } from './lock.ts';
import { labDirectory, labLockFile, runDirectory } from './places.ts';
import { identify } from './processes.ts';
import { findPrograms, type Programs } from './programs/programs.ts';
import { type OnProgress, timed } from './progress.ts';
import { infoFile, labStatus, missingParts } from './status.ts';
import { chooseAccelerator } from './trial.ts';
import { proveMounts } from './verify.ts';
import { type Background, startInBackground } from './vm/background.ts';
import { freePort } from './vm/free-port.ts';
import { type LabKeys, makeKeys, writeKnownHosts } from './vm/keys.ts';
import { qemuOptions } from './vm/qemu-options.ts';
import { type DaemonShare, type LabShare, planShares, virtiofsdOptions, withDaemons } from './vm/shares.ts';
import { workerOf } from './vm/worker.ts';
import { differingFlags, type LabOptions, type Wish, wishOf } from './wish.ts';

const bootTimeoutMs = 60_000;
const daemonStartMs = 10_000;
/** How often another free port is tried, when somebody took ours between look and use. */
const portTries = 5;
/** The guest's own archive, keys, logs; the share's content is the user's affair. */
const labBytes = 64 * 1024 * 1024;
const host = '127.0.0.1';

/**
 * Brings a lab up, or finds it up already: a guest in which each mode's mount has been seen to be there.
 * When this returns, everything runs on without us; when it throws, nothing does.
 * @throws KnownError `lab-differs` (it is up with other options), `program-missing`, `bad-kernel`,
 * `bad-mode`, `mode-not-in-lab`, `bad-directory`, `port-in-use`, `daemon-ended`, `vm-ended`,
 * `guest-not-up`, `guest-failed`, `mount-missing`, `disk-full`, `tree-failed`, `lock-timeout`.
 */
export async function labUp(options: LabOptions, onProgress: OnProgress): Promise<LabInfo> {
  const name = options.name ?? 'default';
  const directory = labDirectory(name);
  const wish = wishOf(options);
  const limitMs = options.bootTimeoutMs ?? bootTimeoutMs;
  const lock = {
    what: `the lab "${name}"`,
    limitMs: limitMs + 60_000,
    onWait: () => onProgress({ text: `waiting for another run that is at work on the lab "${name}"` }),
  };
  requireDirectory(wish.dir);
  requireSpace(directory, labBytes, 'the lab');
  const { programs, image, accelerator } = await prepareLab(options, onProgress);
  return withLock(labLockFile(directory), lock, async () => {
    const there = await upAlready(name, wish, onProgress);
    if (there !== undefined) return there;
    try {
      return await sayingDiskFull(directory, labBytes, 'the lab', () =>
        bringUp(
          { name, directory, wish, programs, image, accelerator, limitMs, signal: options.signal },
          onProgress,
        ),
      );
    } catch (error) {
      await clearLab(directory, { keepLogs: true });
      throw error;
    }
  });
}

/**
 * Makes what all labs share and what takes long the first time: the tree of programs, the guest's image, and
 * the knowledge whether KVM works here.
 */
export async function prepareLab(
  options: LabOptions,
  onProgress: OnProgress,
): Promise<{ programs: Programs; image: GuestImage; accelerator: 'tcg' | 'kvm' }> {
  const wish = wishOf(options);
  const programs = await findPrograms(wish, onProgress, options.signal);
  const image = await guestImage(programs, onProgress);
  const accelerator =
    wish.accelerator === 'auto' ? await chooseAccelerator(programs, onProgress) : wish.accelerator;
  return { programs, image, accelerator };
}

/** The lab if it is up and as wished; what is left of one that is not wholly up is cleared away. */
async function upAlready(name: string, wish: Wish, onProgress: OnProgress): Promise<LabInfo | undefined> {
  const status = await labStatus(name);
  const directory = status.directory;
  if (status.state === 'up') {
    const flags = differingFlags(readJournal(directory)?.wish ?? '{}', JSON.stringify(wish));
    if (flags.length === 0) {
      onProgress({ text: `the lab "${name}" is up already` });
      return status as LabInfo;
    }
    const flag = name === 'default' ? '' : ` --name ${name}`;
    throw new KnownError(
      'lab-differs',
      `the lab "${name}" is up with other options (${flags.join(', ')})`,
      `Take it down first (vfs-verify lab down${flag}), or give the new one another --name.`,
    );
  }
  const gone = missingParts(directory);
  await clearLab(directory);
  if (status.state === 'broken') {
    const why = gone.length > 0 ? ` (${gone.join(', ')} had ended)` : '';
    onProgress({ text: `cleared away what was left of the lab "${name}"${why}` });
  }
  return undefined;
}

interface Plan {
  readonly name: string;
  readonly directory: string;
  readonly wish: Wish;
  readonly programs: Programs;
  readonly image: GuestImage;
  readonly accelerator: 'tcg' | 'kvm';
  readonly limitMs: number;
  readonly signal: AbortSignal | undefined;
}

async function bringUp(plan: Plan, onProgress: OnProgress): Promise<LabInfo> {
  const { name, directory, wish, programs, image } = plan;
  const id = newLabId();
  const sockets = runDirectory(id);
  const shares = planShares(wish.modes, sockets);
  const hostDir = wish.dir ?? join(directory, 'share');
  const inDirectory = (file: string) => join(directory, file);
  const ssh = {
    host,
    user: 'root',
    keyFile: inDirectory('key'),
    knownHostsFile: inDirectory('known_hosts'),
  };

  beginJournal(directory, { id, runDirectory: sockets, wish: JSON.stringify(wish) });
  // Not recursive: it must not be there yet, in a directory where others may write.
  mkdirSync(sockets, { mode: 0o700 });
  mkdirSync(hostDir, { recursive: true });

  const keys = await makeKeys(programs.tree.root, directory);
  const initrd = inDirectory('initramfs.cpio');
  copyFileSync(image.initramfs, initrd);
  appendFileSync(initrd, personal(name, keys, shares));
  plan.signal?.throwIfAborted();

  const { qemu, daemons, port } = await start(plan, { id, initrd, sockets, shares, hostDir }, onProgress);
  writeKnownHosts(ssh.knownHostsFile, { host, port }, keys.hostKey);
  await timed(onProgress, 'saw every mount in the guest', () => proveMounts({ ...ssh, port }, shares));

  const workers = withDaemons(shares).map(({ mode, tag, socket }) => {
    const started = identify((daemons.get(mode.name) as Background).pid);
    const worker = started && workerOf(started, socket);
    if (worker === undefined) throw daemonEnded(mode.name, 'ended', daemons.get(mode.name) as Background);
    if (worker.pid !== started?.pid) noteProcess(directory, mode.name, worker.pid);
    const argv = [...programs.virtiofsd.argv, ...virtiofsdOptions(mode, socket, hostDir)];
    return [mode.name, { pid: worker.pid, tag, socket, argv }] as const;
  });
  const info: LabInfo = {
    schema: 'vfs-verify/lab/1',
    name,
    state: 'up',
    hostDir,
    mounts: Object.fromEntries(shares.map(({ mode, mount }) => [mode.name, mount.path])),
    tags: Object.fromEntries(shares.map(({ mode, tag }) => [mode.name, tag])),
    ssh: { ...ssh, port },
    programs: {
      qemu: { argv: programs.qemu.argv, version: programs.qemu.version },
      virtiofsd: { argv: programs.virtiofsd.argv, version: programs.virtiofsd.version },
      'guest-kernel': { argv: [programs.kernel.image], version: programs.kernel.version },
    },
    qemu: { pid: qemu.pid, qmpSocket: join(sockets, 'qmp.sock') },
    daemons: Object.fromEntries(workers),
    directory,
    consoleLog: inDirectory('console.log'),
    accelerator: plan.accelerator,
  };
  // Written last and whole: that it is there says that the lab came up.
  writeFileSync(`${infoFile(directory)}.fresh`, `${JSON.stringify(info, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${infoFile(directory)}.fresh`, infoFile(directory));
  return info;
}

function personal(name: string, keys: LabKeys, shares: readonly LabShare[]): Buffer {
  return personalArchive({
    name,
    hostKey: keys.hostKeyBytes,
    authorizedKey: keys.clientKey,
    mounts: shares.map(({ mount }) => mount),
  });
}

/** Starts one daemon for each share, and waits until each listens. */
async function startDaemons(
  { directory, programs }: Plan,
  id: string,
  shares: readonly DaemonShare[],
  hostDir: string,
): Promise<Map<string, Background>> {
  const started = await Promise.all(
    shares.map(async ({ mode, socket }) => {
      const argv = [...programs.virtiofsd.argv, ...virtiofsdOptions(mode, socket, hostDir)];
      const logFile = join(directory, `virtiofsd-${mode.name}.log`);
      const daemon = await startInBackground(argv, { logFile, env: labMark(id).env, role: 'virtiofsd' });
      noteProcess(directory, mode.name, daemon.pid);
      await listening(mode.name, daemon, socket);
      return [mode.name, daemon] as const;
    }),
  );
  return new Map(started);
}

async function listening(mode: string, daemon: Background, socket: string): Promise<void> {
  const deadline = performance.now() + daemonStartMs;
  let how: string | undefined;
  daemon.ended.then((words) => {
    how = words;
  });
  while (!existsSync(socket)) {
    if (how !== undefined) throw daemonEnded(mode, how, daemon);
    if (performance.now() > deadline) {
      throw daemonEnded(mode, `made no socket within ${daemonStartMs / 1000} s`, daemon);
    }
    await sleep(10);
  }
}

interface Parts {
  readonly id: string;
  readonly initrd: string;
  readonly sockets: string;
  readonly shares: readonly LabShare[];
  readonly hostDir: string;
}

interface Started {
  readonly qemu: Background;
  readonly daemons: ReadonlyMap<string, Background>;
  readonly port: number;
}

/**
 * Starts the daemons and QEMU and waits for the guest; once more with another port, when somebody has just
 * taken the one that was free. The daemons too: each serves one connection and ends with it.
 */
async function start(plan: Plan, parts: Parts, onProgress: OnProgress): Promise<Started> {
  const fixed = plan.wish.sshPort;
  for (let tries = 1; ; tries += 1) {
    const port = fixed ?? (await freePort());
    const served = withDaemons(parts.shares);
    const daemons =
      served.length === 0
        ? new Map<string, Background>()
        : await timed(onProgress, `started ${served.length} virtiofsd`, () =>
            startDaemons(plan, parts.id, served, parts.hostDir),
          );
    const qemu = await startQemu(plan, parts, port);
    try {
      const watched = {
        consoleLog: join(plan.directory, 'console.log'),
        qemu,
        daemons,
        limitMs: plan.limitMs,
        signal: plan.signal,
      };
      await timed(onProgress, `booted the guest (${plan.accelerator})`, () => waitForGuest(watched));
      return { qemu, daemons, port };
    } catch (error) {
      if (!/host forwarding rule/.test(qemu.tail())) throw error;
      if (fixed !== undefined || tries >= portTries) {
        throw new KnownError(
          'port-in-use',
          `the port ${port} of ${host} is in use`,
          'Give another --ssh-port, or leave it away for a free one.',
          { detail: qemu.tail() },
        );
      }
      await endLab(plan.directory);
      for (const { socket } of served) rmSync(socket, { force: true });
      rmSync(qemu.logFile);
    }
  }
}

async function startQemu(plan: Plan, parts: Parts, port: number): Promise<Background> {
  const { directory, wish, image, programs } = plan;
  const words = qemuOptions({
    accelerator: plan.accelerator,
    memoryMiB: wish.memoryMiB,
    cpus: wish.cpus,
    kernel: image.kernel,
    initrd: parts.initrd,
    programsDisk: image.programsDisk,
    consoleLog: join(directory, 'console.log'),
    qmpSocket: join(parts.sockets, 'qmp.sock'),
    sshPort: port,
    shares: parts.shares,
    hostDir: parts.hostDir,
    securityModel: process.getuid?.() === 0 ? 'passthrough' : 'none',
  });
  const logFile = join(directory, 'qemu.log');
  const qemu = await startInBackground([...programs.qemu.argv, ...words], {
    logFile,
    env: labMark(parts.id).env,
    role: 'QEMU',
  });
  noteProcess(directory, 'qemu', qemu.pid);
  return qemu;
}

function requireDirectory(dir: string | undefined): void {
  if (dir === undefined || statSync(dir, { throwIfNoEntry: false })?.isDirectory()) return;
  throw new KnownError('bad-directory', `--dir ${dir}: there is no such directory`, `mkdir -p ${dir}`);
}
