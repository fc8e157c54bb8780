import { appendFileSync, chmodSync, copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from '../../../src/endpoint/endpoint.ts';
import { connectSsh } from '../../../src/endpoint/ssh.ts';
import { type GuestImage, guestImage } from '../../../src/lab/guest/image.ts';
import { personalArchive } from '../../../src/lab/guest/personal.ts';
import { findPrograms, type Programs } from '../../../src/lab/programs/programs.ts';
import { startInBackground } from '../../../src/lab/vm/background.ts';
import { freePort } from '../../../src/lab/vm/free-port.ts';
import { type LabKeys, makeKeys, writeKnownHosts } from '../../../src/lab/vm/keys.ts';
import { qemuOptions } from '../../../src/lab/vm/qemu-options.ts';
import type { LabShare } from '../../../src/lab/vm/shares.ts';
import { parseMode } from '../../../src/model/mode.ts';

/** One share of a machine: a tag, a mode, a directory of the host. */
export interface WantedShare {
  readonly tag: string;
  readonly mode: string;
  readonly hostDir: string;
}

/** A machine that no lab knows of: its processes carry no mark and no journal. */
export interface TestMachine {
  readonly pid: number;
  readonly port: number;
  readonly daemons: Readonly<Record<string, number>>;
  /** Runs a shell line in the guest as root. */
  run(line: string): Promise<string>;
  end(): void;
}

/** What several machines are made from. */
export interface MachineParts {
  readonly directory: string;
  readonly programs: Programs;
  readonly image: GuestImage;
  readonly keys: LabKeys;
}

const bootMs = 100_000;

export async function machineParts(directory: string): Promise<MachineParts> {
  const programs = await findPrograms({ modes: [], optional: [] }, () => {});
  const image = await guestImage(programs, () => {});
  return { directory, programs, image, keys: await makeKeys(programs.tree.root, directory) };
}

/** Starts a daemon for each share and a QEMU as somebody would by hand, and waits until its guest answers. */
export async function startMachine(
  { directory, programs, image, keys }: MachineParts,
  name: string,
  wanted: readonly WantedShare[],
): Promise<TestMachine> {
  const pids: number[] = [];
  const start = async (argv: readonly string[], role: string) => {
    const { pid } = await startInBackground(argv, {
      logFile: join(directory, `${name}-${role}.log`),
      env: {},
      role,
    });
    pids.push(pid);
    return pid;
  };
  const end = () => {
    for (const pid of pids) {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    }
  };
  const shares: LabShare[] = [];
  const daemons: Record<string, number> = {};
  for (const { tag, mode: modeName, hostDir } of wanted) {
    const socket = join(directory, `${name}-${tag}.sock`);
    const mode = parseMode(modeName);
    const words = [`--socket-path=${socket}`, `--shared-dir=${hostDir}`, `--cache=${mode.cache}`];
    daemons[tag] = await start([...programs.virtiofsd.argv, ...words], `virtiofsd-${tag}`);
    await until(() => existsSync(socket), `${socket} is there`);
    const mount = { tag, type: 'virtiofs' as const, path: `/mnt/${tag}`, options: 'rw' };
    shares.push({ name: modeName, mode, otherTag: false, tag, socket, mount });
  }
  const initrd = join(directory, `${name}-initrd`);
  copyFileSync(image.initramfs, initrd);
  chmodSync(initrd, 0o600);
  appendFileSync(
    initrd,
    personalArchive({
      ...{ name, hostKey: keys.hostKeyBytes, authorizedKey: keys.clientKey },
      mounts: shares.map(({ mount }) => mount),
    }),
  );
  const port = await freePort();
  const plan = {
    ...{ accelerator: 'tcg' as const, memoryMiB: 512, cpus: 1, kernel: image.kernel, initrd },
    ...{ programsDisk: image.programsDisk, consoleLog: join(directory, `${name}-console.log`) },
    ...{ qmpSocket: join(directory, `${name}-qmp.sock`), sshPort: port, shares, hostDir: directory },
    securityModel: 'none' as const,
  };
  const pid = await start([...programs.qemu.argv, '-name', name, ...qemuOptions(plan)], 'qemu');
  const knownHostsFile = join(directory, 'known_hosts');
  writeKnownHosts(`${knownHostsFile}-${name}`, { host: '127.0.0.1', port }, keys.hostKey);
  appendFileSync(knownHostsFile, readFileSync(`${knownHostsFile}-${name}`));
  const target = { host: '127.0.0.1', port, user: 'root', keyFile: keys.clientKeyFile, knownHostsFile };
  let guest: Endpoint | undefined;
  await until(async () => {
    guest = await connectSsh({ ...target, strict: true }).catch(() => undefined);
    return guest !== undefined;
  }, `the guest ${name} answers`).catch((error: unknown) => {
    end();
    throw error;
  });
  return {
    ...{ pid, port, daemons, end },
    async run(line) {
      const result = await guest?.exec(['sh', '-c', line]);
      if (result?.status !== 0) throw new Error(`in ${name}, ${line}: ${result?.stderr}`);
      return result.stdout;
    },
  };
}

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + bootMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${bootMs / 1000} s: ${what}`);
    await sleep(100);
  }
}
