import { appendFileSync, copyFileSync, existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KnownError } from '../model/error.ts';
import { builtProbes } from '../probe/binaries.ts';
import { daemonEnded, waitForGuest } from './console.ts';
import type { GuestImage } from './guest/image.ts';
import { personalArchive } from './guest/personal.ts';
import type { LabGuest } from './info.ts';
import { labMark, noteEnded, noteProcess } from './journal.ts';
import type { LeftOut } from './left-out.ts';
import { endProcesses, identify, withDescendants } from './processes.ts';
import type { Programs } from './programs/programs.ts';
import { type OnProgress, timed } from './progress.ts';
import { proveMounts } from './verify.ts';
import { pastEndLibrary } from './vm/backend.ts';
import { type Background, startInBackground } from './vm/background.ts';
import { daemonArgv } from './vm/daemon-argv.ts';
import { freePort } from './vm/free-port.ts';
import { type LabKeys, writeKnownHosts } from './vm/keys.ts';
import { qemuOptions } from './vm/qemu-options.ts';
import { type DaemonShare, type LabShare, planShares, withDaemons } from './vm/shares.ts';
import { workerOf } from './vm/worker.ts';
import type { Wish } from './wish.ts';

/** As `uname -m` says it: the lab's tree of programs is Debian's for amd64. */
const guestArchitecture = 'x86_64';
const daemonStartMs = 10_000;
/** How often another free port is tried, when somebody took ours between look and use. */
const portTries = 5;
const host = '127.0.0.1';
const consoleFile = 'console.log';
const qemuFile = 'qemu.log';
const initrdFile = 'initramfs.cpio';
const knownHosts = 'known_hosts';

/** What one guest of a lab is made from. */
export interface GuestPlan {
  readonly lab: string;
  readonly directory: string;
  /** The lab's id. */
  readonly id: string;
  /** The directory of its sockets. */
  readonly sockets: string;
  readonly hostDir: string;
  readonly keys: LabKeys;
  readonly wish: Pick<Wish, 'modes' | 'optional' | 'secondTag' | 'memoryMiB' | 'cpus'>;
  /** Modes that are known not to be possible. */
  readonly leftOut: readonly LeftOut[];
  readonly programs: Programs;
  readonly image: GuestImage;
  readonly accelerator: 'tcg' | 'kvm';
  readonly limitMs: number;
  readonly signal: AbortSignal | undefined;
}

/** A guest that is up, and the modes that it does without. */
export interface BroughtUp {
  readonly guest: LabGuest;
  readonly leftOut: readonly LeftOut[];
}

/**
 * Brings one guest of a lab up, with daemons of its own over the lab's directory.
 * @param number 1 is the lab's first. It is in the names of the others' files: `console-2.log`.
 * @param fixedPort where its ssh is to answer; undefined: a free port.
 * @throws KnownError `port-in-use`, `daemon-ended`, `vm-ended`, `guest-not-up`, `guest-failed`,
 * `mount-missing`, `program-missing`: what was started is then still to be ended.
 */
export async function bringUpGuest(
  plan: GuestPlan,
  number: number,
  fixedPort: number | undefined,
  onProgress: OnProgress,
): Promise<BroughtUp> {
  const guest = new Guest(plan, number, onProgress);
  return guest.up(fixedPort);
}

class Guest {
  readonly #plan: GuestPlan;
  readonly #number: number;
  readonly #onProgress: OnProgress;
  #shares: readonly LabShare[];
  readonly #leftOut: LeftOut[];

  constructor(plan: GuestPlan, number: number, onProgress: OnProgress) {
    this.#plan = plan;
    this.#number = number;
    this.#onProgress = ({ text, tookMs }) =>
      onProgress({
        text: number === 1 ? text : `guest ${number}: ${text}`,
        ...(tookMs === undefined ? {} : { tookMs }),
      });
    this.#leftOut = [...plan.leftOut];
    this.#shares = planShares(
      plan.wish.modes.filter((mode) => !plan.leftOut.some((each) => each.mode === mode)),
      { sockets: plan.sockets, number, secondTag: plan.wish.secondTag },
    );
  }

  async up(fixedPort: number | undefined): Promise<BroughtUp> {
    const { keys, signal } = this.#plan;
    signal?.throwIfAborted();
    const { qemu, daemons, port } = await this.#start(fixedPort);
    const knownHostsFile = this.#file(knownHosts);
    writeKnownHosts(knownHostsFile, { host, port }, keys.hostKey);
    const ssh = { host, port, user: 'root', keyFile: keys.clientKeyFile, knownHostsFile };
    await timed(this.#onProgress, 'saw every mount in the guest', () => proveMounts(ssh, this.#shares));
    const workers = withDaemons(this.#shares).map((share) => {
      const { name, tag, socket } = share;
      const pid = this.#workerPid(share, daemons.get(name) as Background);
      return [name, { pid, tag, socket, argv: this.#daemonArgv(share) }] as const;
    });
    const [first, second] = [false, true].map((isOther) =>
      this.#shares.filter(({ otherTag }) => otherTag === isOther),
    );
    const guest: LabGuest = {
      mounts: mountsOf(first),
      tags: Object.fromEntries(this.#shares.map(({ name, tag }) => [name, tag])),
      otherTags: mountsOf(second),
      ssh,
      qemu: { pid: qemu.pid, qmpSocket: this.#qmpSocket() },
      daemons: Object.fromEntries(workers),
      consoleLog: this.#file(consoleFile),
    };
    return { guest, leftOut: this.#leftOut };
  }

  /** The image with what is this guest's own: its keys, and what it is to mount. */
  async #makeInitrd(): Promise<string> {
    const { image, keys, lab } = this.#plan;
    const initrd = this.#file(initrdFile);
    copyFileSync(image.initramfs, initrd);
    const probe = (await builtProbes()).get(guestArchitecture);
    const own = personalArchive({
      name: this.#number === 1 ? lab : `${lab}-${this.#number}`,
      hostKey: keys.hostKeyBytes,
      authorizedKey: keys.clientKey,
      mounts: this.#shares.map(({ mount }) => mount),
      ...(probe === undefined ? {} : { probe: readFileSync(probe) }),
    });
    appendFileSync(initrd, own);
    return initrd;
  }

  #mayLack({ mode }: LabShare): boolean {
    return this.#plan.wish.optional.includes(mode.name);
  }

  /** Goes on without a share, and without the same mode under its other tag. */
  #leaveOut({ mode }: LabShare, why: string): void {
    if (!this.#leftOut.some((each) => each.mode === mode.name)) this.#leftOut.push({ mode: mode.name, why });
    this.#shares = this.#shares.filter((each) => each.mode.name !== mode.name);
  }

  #daemonArgv(share: DaemonShare): string[] {
    const { programs, hostDir } = this.#plan;
    const [virtiofsd, cVirtiofsd] = [programs.virtiofsd.argv, programs.cVirtiofsd?.argv];
    return daemonArgv(share, { virtiofsd, cVirtiofsd, hostDir, mapsPastEnd: this.#mapsPastEnd() });
  }

  get #hasOwnQemu(): boolean {
    const { qemu, tree } = this.#plan.programs;
    return qemu.file.startsWith(tree.root);
  }

  /** Whether the library is used that lets QEMU map files of any length: only the lab's own is known to take it. */
  #mapsPastEnd(): boolean {
    return this.#hasOwnQemu && this.#shares.some(({ mode }) => mode.dax !== undefined);
  }

  /** What QEMU's environment has besides the lab's mark. */
  #qemuEnvironment(): Record<string, string> {
    if (!this.#mapsPastEnd()) return {};
    // The variable takes blanks and colons for ends of names, and our own path may have some.
    const link = join(this.#plan.sockets, `past-end-${this.#number}.so`);
    rmSync(link, { force: true });
    symlinkSync(pastEndLibrary(), link);
    return { LD_PRELOAD: link };
  }

  #file(name: string): string {
    return fileOf(this.#plan.directory, this.#number, name);
  }

  #role(name: string): string {
    return roleOf(this.#number, name);
  }

  #qmpSocket(): string {
    return join(this.#plan.sockets, this.#number === 1 ? 'qmp.sock' : `g${this.#number}-qmp.sock`);
  }

  #workerPid({ name, socket }: DaemonShare, daemon: Background): number {
    const started = identify(daemon.pid);
    if (started === undefined) throw daemonEnded(name, 'ended', daemon);
    const { pid } = workerOf(started, socket);
    if (pid !== started.pid) noteProcess(this.#plan.directory, this.#role(name), pid);
    return pid;
  }

  /**
   * Starts the daemons and QEMU and waits for the guest; once more with another port, when somebody has just
   * taken the one that was free. The daemons too: each serves one connection and ends with it.
   */
  async #start(fixedPort: number | undefined): Promise<Started> {
    for (let tries = 1; ; tries += 1) {
      const port = fixedPort ?? (await freePort());
      const daemons = await this.#startDaemons(withDaemons(this.#shares));
      const served = withDaemons(this.#shares);
      const qemu = await this.#startQemu(await this.#makeInitrd(), port);
      try {
        const { accelerator, limitMs, signal } = this.#plan;
        const optional = this.#shares.filter((share) => this.#mayLack(share)).map(({ mount }) => mount.path);
        const watched = { consoleLog: this.#file(consoleFile), qemu, daemons, limitMs, signal, optional };
        const lacking = await timed(this.#onProgress, `booted the guest (${accelerator})`, () =>
          waitForGuest(watched),
        );
        for (const share of this.#shares) {
          const why = lacking.get(share.mount.path);
          if (why !== undefined) this.#leaveOut(share, `the guest does not mount it: ${why}`);
        }
        return { qemu, daemons, port };
      } catch (error) {
        if (!/host forwarding rule/.test(qemu.tail())) throw error;
        if (fixedPort !== undefined || tries >= portTries) throw portInUse(port, qemu);
        await endStarted([qemu, ...daemons.values()]);
        for (const { socket } of served) rmSync(socket, { force: true });
        rmSync(qemu.logFile);
      }
    }
  }

  /** Starts one daemon for each share, and waits until each listens. */
  async #startDaemons(shares: readonly DaemonShare[]): Promise<ReadonlyMap<string, Background>> {
    if (shares.length === 0) return new Map();
    const { directory, id } = this.#plan;
    return timed(this.#onProgress, `started ${shares.length} virtiofsd`, async () => {
      const started = shares.map(async (share) => {
        const { name, socket } = share;
        const argv = this.#daemonArgv(share);
        const logFile = this.#file(`virtiofsd-${name}.log`);
        const daemon = await startInBackground(argv, { logFile, env: labMark(id).env, role: 'virtiofsd' });
        noteProcess(directory, this.#role(name), daemon.pid);
        try {
          await listening(name, daemon, socket);
        } catch (error) {
          if (!(error instanceof KnownError) || !this.#mayLack(share)) throw error;
          this.#leaveOut(share, error.message);
          await endStarted([daemon]);
          noteEnded(directory, this.#role(name));
          return [];
        }
        return [[name, daemon] as const];
      });
      return new Map((await Promise.all(started)).flat());
    });
  }

  async #startQemu(initrd: string, port: number): Promise<Background> {
    const { directory, wish, image, programs, hostDir, accelerator, id } = this.#plan;
    const words = qemuOptions({
      accelerator,
      memoryMiB: wish.memoryMiB,
      cpus: wish.cpus,
      kernel: image.kernel,
      initrd,
      programsDisk: image.programsDisk,
      consoleLog: this.#file(consoleFile),
      qmpSocket: this.#qmpSocket(),
      sshPort: port,
      shares: this.#shares,
      hostDir,
      hasSpareExport: this.#hasOwnQemu || this.#shares.some(({ mode }) => mode.server === '9p'),
      securityModel: process.getuid?.() === 0 ? 'passthrough' : 'none',
    });
    const qemu = await startInBackground([...programs.qemu.argv, ...words], {
      logFile: this.#file(qemuFile),
      env: { ...labMark(id).env, ...this.#qemuEnvironment() },
      role: 'QEMU',
    });
    noteProcess(directory, this.#role('qemu'), qemu.pid);
    return qemu;
  }
}

/** What a process of a guest is called in the lab's journal. */
export function roleOf(number: number, name: string): string {
  return number === 1 ? name : `guest${number}/${name}`;
}

/** `console.log` for the first guest, `console-2.log` for the second. */
function fileOf(directory: string, number: number, name: string): string {
  const at = name.lastIndexOf('.');
  const [stem, extension] = at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at)];
  return join(directory, number === 1 ? name : `${stem}-${number}${extension}`);
}

/** The files that a guest made in the lab's directory, but for its daemons' logs. */
export function filesOf(directory: string, number: number): string[] {
  return [consoleFile, qemuFile, initrdFile, knownHosts].map((name) => fileOf(directory, number, name));
}

interface Started {
  readonly qemu: Background;
  readonly daemons: ReadonlyMap<string, Background>;
  readonly port: number;
}

function mountsOf(shares: readonly LabShare[] = []): Record<string, string> {
  return Object.fromEntries(shares.map(({ mode, mount }) => [mode.name, mount.path]));
}

async function listening(name: string, daemon: Background, socket: string): Promise<void> {
  const deadline = performance.now() + daemonStartMs;
  let how: string | undefined;
  daemon.ended.then((words) => {
    how = words;
  });
  while (!existsSync(socket)) {
    if (how !== undefined) throw daemonEnded(name, how, daemon);
    if (performance.now() > deadline) {
      throw daemonEnded(name, `made no socket within ${daemonStartMs / 1000} s`, daemon);
    }
    await sleep(10);
  }
}

async function endStarted(started: readonly Background[]): Promise<void> {
  const roots = started.flatMap(({ pid }) => identify(pid) ?? []);
  await endProcesses(() => withDescendants(roots), 5000);
}

function portInUse(port: number, qemu: Background): KnownError {
  return new KnownError(
    'port-in-use',
    `the port ${port} of ${host} is in use`,
    'Give another --ssh-port, or leave it away for a free one.',
    { detail: qemu.tail() },
  );
}
