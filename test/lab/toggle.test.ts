import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectQmp } from '../../src/endpoint/qmp.ts';
import type { LabInfo } from '../../src/lab/info.ts';
import {
  deviceArgs,
  type FsDevice,
  findDevice,
  requireUnpluggable,
  unplug,
} from '../../src/share/toggle/qmp-device.ts';
import { downLab, type Ran, reportOf, upLab, vfsVerify } from './cli.ts';

// A lab's machine plays a QEMU of the user's: it is named by its QMP socket and an ssh alias, as any other. What
// QEMU says of its chardevs and the guest of its mounts is the oracle.

const name = `toggle-${process.pid}`;
const rounds = Number(process.env.VFS_VERIFY_TOGGLES ?? 3);
/** A round takes 3 s on a machine of our own, and 35 s on one that ten others work on. */
const loopMs = 120_000 + rounds * 60_000;
const program = fileURLToPath(new URL('../../bin/vfs-verify.js', import.meta.url));
let lab: LabInfo;
let home = '';
let share: readonly string[];
let via: readonly string[];

beforeAll(async () => {
  lab = await upLab(name, '--modes', 'auto,always,9p:loose,auto+dax=never');
  home = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
  await mkdir(path.join(home, '.ssh'), { mode: 0o700 });
  const { host, port, user, keyFile, knownHostsFile } = lab.ssh;
  await writeFile(
    path.join(home, '.ssh', 'config'),
    `Host vm\n HostName ${host}\n Port ${port}\n User ${user}\n IdentityFile ${keyFile}\n UserKnownHostsFile ${knownHostsFile}\n`,
  );
  share = ['/mnt/auto', '--guest', 'vm', '--map', `/mnt/auto=${lab.hostDir}`];
  via = ['--via', `qmp:${lab.qemu.qmpSocket}`];
});
afterAll(async () => {
  await downLab(name);
  await rm(home, { recursive: true, force: true });
});

/** As the user of that machine. */
function asUser(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  return vfsVerify(args, { env: { ...environment(), ...env }, timeoutMs: 120_000 });
}

async function modeOf(...flags: readonly string[]) {
  const ran = await asUser(['mode', ...share, '--json', ...flags]);
  return { ...ran, answer: ran.stdout === '' ? undefined : JSON.parse(ran.stdout) };
}

async function inGuest(script: string): Promise<string> {
  const ran = await vfsVerify(['lab', 'exec', '--name', name, '--', 'sh', '-c', script]);
  return ran.stdout;
}

/** What must not differ: who QEMU is connected to, and what the guest has mounted. */
async function stateOf(): Promise<{
  readonly chardevs: readonly string[];
  readonly mounts: readonly string[];
}> {
  const qmp = await connectQmp(lab.qemu.qmpSocket);
  const all = (await qmp.execute('query-chardev')) as { label: string; filename: string }[];
  qmp.close();
  const mounts = await inGuest('grep /mnt/ /proc/self/mounts');
  return {
    chardevs: all.map(({ label, filename }) => `${label} ${filename}`).sort(),
    mounts: mounts.split('\n').sort(),
  };
}

/** Of that user's own, whatever the suite itself has. */
const environment = () => ({ HOME: home, XDG_STATE_HOME: path.join(home, 'state') });
const toggles = () => path.join(home, 'state/vfs-verify/toggles');

async function journals(): Promise<readonly string[]> {
  return readdir(toggles()).catch(() => []);
}

/**
 * Starts the program, and has the kernel kill it in the fsync of its journal's line of a step; whether it came that far.
 * Before the first step there is a line of the turn, and in a new journal one of the share, with the names of two
 * folders; after the last one there may be a line that says so.
 */
async function killedAt(step: number, args: readonly string[]): Promise<boolean> {
  const before = (await journals()).length > 0 ? 1 : 4;
  const inject = `inject=fsync:signal=SIGKILL:when=${before + step}`;
  const words = ['-o', '/dev/null', '-e', 'trace=fsync', '-e', inject, process.execPath, program, ...args];
  const ended = await execa('strace', words, { env: environment(), reject: false, timeout: 120_000 });
  if (ended.exitCode === 0) return false;
  if (ended.signal !== 'SIGKILL') throw new Error(`it ended with ${ended.exitCode}: ${ended.stderr}`);
  const [key = 'none'] = await journals();
  const text = await readFile(path.join(toggles(), key, 'journal.jsonl'), 'utf8');
  return text.trimEnd().split('\n').at(-1)?.includes('"what":"step"') === true;
}

describe('a running QEMU', () => {
  let before: Awaited<ReturnType<typeof stateOf>>;
  beforeAll(async () => {
    await writeFile(path.join(lab.hostDir, 'kept'), 'kept\n');
    before = await stateOf();
  });
  afterEach(async () => {
    if ((await journals()).length > 0) await asUser(['mode', ...share, '--restore', '--no-prove']);
  });

  const asBefore = async () => {
    expect(await stateOf()).toEqual(before);
    expect(await inGuest('cat /mnt/auto/kept')).toBe('kept');
    expect(await journals()).toEqual([]);
    const left = (await readdir(path.dirname(lab.qemu.qmpSocket))).filter((each) => each.startsWith('vv-'));
    expect(left).toEqual([]);
  };

  it('is put into a mode that is proved, and back into the old one', async () => {
    const set = await modeOf('--set', 'always+writeback', ...via);
    expect(set.answer.proof.verdict.kind, set.stderr).toBe('pass');
    expect(set.status).toBe(0);
    expect(set.answer).toMatchObject({ mode: 'always+writeback', original: 'auto' });
    const unplug = set.answer.toggled.steps.find(({ title }: { title: string }) =>
      title.startsWith('unplug'),
    );
    // Two seconds and the platform's delay where the machine is ours alone; others may be at work on this one.
    expect(set.answer.toggled.awayMs - unplug.tookMs).toBeLessThan(8000);
    const back = await modeOf('--restore');
    expect(back.answer.toggled.mode).toBe('auto');
    await asBefore();
  });

  it(
    `goes to and fro ${rounds} times while another share of the guest is written and verified`,
    async () => {
      const writer = vfsVerify(['lab', 'exec', '--name', name, '--', 'sh', '-c', writing], {
        timeoutMs: loopMs,
      });
      for (let round = 0; round < rounds; round += 1) {
        const set = await modeOf('--set', round % 2 === 0 ? 'always' : 'never', ...via, '--no-prove');
        expect(set.status, set.stderr).toBe(0);
        const { chardevs } = await stateOf();
        expect(chardevs.filter((each) => !each.startsWith('m0'))).toEqual(
          before.chardevs.filter((each) => !each.startsWith('m0')),
        );
        expect((await modeOf('--restore', '--no-prove')).status).toBe(0);
      }
      await inGuest('touch /tmp/enough');
      const { stdout, status } = await writer;
      expect(status, stdout).toBe(0);
      expect(Number(/wrote (\d+)/.exec(stdout)?.[1])).toBeGreaterThan(rounds);
      await asBefore();
    },
    loopMs,
  );

  it('is brought back after a kill at every step', { timeout: 600_000 }, async () => {
    for (let step = 1; ; step += 1) {
      const came = await killedAt(step, ['mode', ...share, '--set', 'always', ...via, '--no-prove']);
      const refused = came ? await modeOf('--set', 'never', ...via, '--no-prove') : undefined;
      if (refused !== undefined) {
        expect(refused.stderr).toContain('--restore');
        expect(refused.status).toBe(2);
      }
      const back = await modeOf('--restore', '--no-prove');
      expect(back.status, `${step}: ${back.stderr}`).toBe(0);
      await asBefore();
      if (!came) {
        expect(step).toBeGreaterThan(6);
        break;
      }
    }
  });

  it('is brought back after a kill of the very bringing back, and by the commands that are printed', {
    timeout: 300_000,
  }, async () => {
    expect((await modeOf('--set', 'never', ...via, '--no-prove')).status).toBe(0);
    expect(await killedAt(4, ['mode', ...share, '--restore', '--no-prove'])).toBe(true);
    expect((await modeOf('--restore', '--no-prove')).status).toBe(0);
    await asBefore();
    const set = ['mode', ...share, '--set', 'never', ...via, '--no-prove'];
    expect(await killedAt(4, set)).toBe(true);
    // A machine that has nothing of what it takes to start a daemon.
    const failed = await asUser(['mode', ...share, '--restore', '--no-prove'], { PATH: '/nowhere' });
    expect(failed.status).toBe(2);
    expect(failed.stderr).toContain('By hand the share is brought back by:');
    for (const { on, command } of byHand(failed.stderr))
      if (on === 'guest') await inGuest(command);
      else {
        await execa('sh', ['-c', command], {
          env: { PATH: `${home}:${process.env.PATH}` },
          timeout: 30_000,
        });
        await sleep(1500);
      }
    const back = await modeOf('--restore', '--no-prove');
    expect(back.status, back.stderr).toBe(0);
    await asBefore();
  });

  it('is left alone where the daemon refuses an option', async () => {
    const refused = await modeOf('--set', 'auto+no-such-option', ...via);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('no-such-option');
    expect(refused.stderr).not.toContain('mode: unmount');
    await asBefore();
  });

  it('is left alone where files are open in the guest, unless forced; whoever has them gets an error then', async () => {
    await inGuest(
      '(exec 3< /mnt/auto/kept; cd /; sleep 1000 & echo $! > /tmp/sleeper) > /dev/null 2>&1 < /dev/null',
    );
    const refused = await modeOf('--set', 'always', ...via, '--no-prove');
    expect(refused.status).toBe(2);
    expect(refused.stderr).toMatch(/sleep \(\d+\): \/mnt\/auto\/kept \(descriptor 3\)/);
    await asBefore();
    const forced = await modeOf('--set', 'always', ...via, '--force');
    expect(forced.status, `${forced.stderr}${forced.stdout}`).toBe(0);
    expect(await inGuest('cat /proc/$(cat /tmp/sleeper)/fd/3 2>&1; cat /mnt/auto/kept')).toMatch(
      /not connected[\s\S]*kept/,
    );
    await inGuest('kill $(cat /tmp/sleeper)');
    expect((await modeOf('--restore', '--no-prove')).status).toBe(0);
    await asBefore();
  }, 200_000);

  it('is left alone where a container of the guest has the same share mounted', async () => {
    await inGuest('unshare -m sleep 1000 > /dev/null 2>&1 < /dev/null & echo $! > /tmp/sleeper; sleep 1');
    const refused = await modeOf('--set', 'always', ...via, '--no-prove');
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('other mount namespaces');
    expect(refused.stderr).toContain('The share is as it was');
    await inGuest('kill $(cat /tmp/sleeper)');
    await asBefore();
  });

  it('cannot give a share a DAX window, says so, and keeps it', async () => {
    const refused = await asUser([
      'mode',
      ...share,
      '--mode',
      'auto',
      '--set',
      'auto+dax=always',
      '--via',
      'remount',
    ]);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('no DAX window');
    await asBefore();
  });

  it('remounts 9p with another cache, and back', async () => {
    const ninep = ['mode', '/mnt/9p:loose', '--guest', 'vm', `--map=/mnt/9p:loose=${lab.hostDir}`, '--json'];
    const set = await asUser([...ninep, '--set', '9p:mmap', '--via', 'remount']);
    expect(set.status, set.stderr).toBe(0);
    expect(JSON.parse(set.stdout)).toMatchObject({ mode: '9p:mmap', proof: { verdict: { kind: 'pass' } } });
    const back = await asUser([...ninep, '--restore', '--no-prove']);
    expect(JSON.parse(back.stdout)).toMatchObject({ mode: '9p:loose' });
    await asBefore();
  });

  it('is changed by a command of the user, whose words are shown when it fails', async () => {
    const hook = path.join(home, 'set-mode');
    // What it does is its own affair; here it is this program again, with a memory of its own.
    const again = [process.execPath, program, 'mode', ...share, ...via, '--no-prove', '--set'].map(
      (each) => `'${each}'`,
    );
    await writeFile(hook, `#!/bin/sh\nexport XDG_STATE_HOME=${home}/of-hook\nexec ${again.join(' ')} "$1"\n`);
    await chmod(hook, 0o755);
    const set = await modeOf('--set', 'always', '--via', `hook:${hook}`, '--mode', 'auto');
    expect(set.status, set.stderr).toBe(0);
    expect(set.answer.proof.verdict.kind).toBe('pass');
    const refused = await modeOf('--set', 'auto+no-such-option', '--via', `hook:${hook}`, '--mode', 'auto');
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('no-such-option');
    await asBefore();
  }, 200_000);

  it('runs a matrix of modes, and has its old mode back at the end, also after Ctrl-C', async () => {
    const matrix = ['check', 'mode-in-force', ...share.slice(1), ...via, '--modes', 'always,never'];
    const { status, report, stderr } = await reportOf(matrix, { env: environment(), timeoutMs: 200_000 });
    expect(status, stderr).toBe(0);
    expect(report.results.map(({ mode, verdict }) => `${mode} ${verdict.kind}`)).toEqual([
      'always pass',
      'never pass',
    ]);
    await asBefore();
    const child = spawn(process.execPath, [program, ...matrix], {
      env: { ...process.env, ...environment() },
    });
    const ended = once(child, 'exit');
    for await (const chunk of child.stderr) if (String(chunk).includes('mount /mnt/auto')) break;
    await sleep(3000);
    child.kill('SIGINT');
    await ended;
    await asBefore();
  }, 400_000);

  it.each(['metadata', '9p:fscache', 'always+dax=always'])(
    'adds %s to a lab that is up, and takes it away again',
    async (mode) => {
      const where = ['mode', '/mnt/auto/kept', `--lab=${name}`, '--json'];
      const set = await vfsVerify([...where, '--set', mode, '--via', 'lab']);
      expect(set.status, set.stderr).toBe(0);
      expect(JSON.parse(set.stdout)).toMatchObject({
        ...{ path: `/mnt/${mode}/kept`, mode, proof: { verdict: { kind: 'pass' } } },
      });
      expect(await inGuest(`cat '/mnt/${mode}/kept'`)).toBe('kept');
      const back = await vfsVerify([...where, '--restore', '--no-prove']);
      expect(back.status, back.stderr).toBe(0);
      await asBefore();
    },
    200_000,
  );

  it('says what it was brought up without, and can no longer be given', async () => {
    const refused = await vfsVerify(['mode', '/mnt/auto/kept', `--lab=${name}`, '--set', 'c:auto']);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('cannot be added to this lab while it is up: it has no C virtiofsd');
    await asBefore();
  });

  it('whose daemon has died is left alone: nothing but a reboot would help', async () => {
    process.kill(workerPid(await socketHolders()), 'SIGKILL');
    const refused = await modeOf('--set', 'always', ...via, '--no-prove');
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('Only a reboot of the guest helps');
  }, 200_000);
});

describe('a device', () => {
  /** A machine that is never started: QEMU alone answers, and no guest ever lets go of anything. */
  async function machine<T>(
    kind: string,
    device: readonly string[],
    look: (qmp: Awaited<ReturnType<typeof connectQmp>>) => Promise<T>,
  ): Promise<T> {
    const socket = path.join(home, `${kind}.sock`);
    const qmpSocket = path.join(home, `${kind}.qmp`);
    const argvOf = (which: string) => lab.programs[which]?.argv ?? [];
    const [loader = '', ...words] = argvOf('virtiofsd');
    const daemon = execa(loader, [...words, `--socket-path=${socket}`, `--shared-dir=${home}`], {
      reject: false,
    });
    await expect.poll(() => existsSync(socket), { timeout: 10_000 }).toBe(true);
    const [qemu = '', ...options] = argvOf('qemu');
    const vm = execa(
      qemu,
      [
        ...[...options, '-S', '-nodefaults', '-display', 'none', '-m', '64M', '-machine', kind],
        ...['-object', 'memory-backend-memfd,id=mem,size=64M,share=on', '-numa', 'node,memdev=mem'],
        ...['-qmp', `unix:${qmpSocket},server=on,wait=off`, '-chardev', `socket,id=c,path=${socket}`],
        ...device.flatMap((each) => ['-device', each]),
      ],
      { reject: false },
    );
    try {
      await expect.poll(() => existsSync(qmpSocket), { timeout: 20_000 }).toBe(true);
      const qmp = await connectQmp(qmpSocket);
      const seen = await look(qmp);
      qmp.close();
      return seen;
    } finally {
      vm.kill('SIGKILL');
      daemon.kill('SIGKILL');
      await Promise.all([vm, daemon]);
      await Promise.all([socket, qmpSocket].map((each) => rm(each, { force: true })));
    }
  }

  it('that is directly on the root bus of a q35 machine is told before anything is done', async () => {
    await machine('q35', ['vhost-user-fs-pci,chardev=c,tag=t,id=d'], async (qmp) => {
      const device = await findDevice(qmp, 't');
      await expect(requireUnpluggable(qmp, device as FsDevice)).rejects.toMatchObject({
        code: 'not-hotpluggable',
        message: expect.stringContaining('pcie.0'),
      });
    });
  });

  it('on the bus of a pc machine can be unplugged, and is plugged again as it was', async () => {
    const told = 'vhost-user-fs-pci,chardev=c,tag=t,queue-size=256,bootindex=3,addr=07.0';
    await machine('pc', [told], async (qmp) => {
      const device = (await findDevice(qmp, 't')) as FsDevice;
      await requireUnpluggable(qmp, device);
      expect(deviceArgs(device)).toMatchObject({
        ...{ driver: 'vhost-user-fs-pci', bus: 'pci.0', addr: '07.0', chardev: 'c', tag: 't' },
        ...{ 'queue-size': 256, bootindex: 3 },
      });
      expect(deviceArgs(device)).not.toHaveProperty('id');
    });
  });

  it('behind a root port that no guest lets go of is given up in time, with what is left to do', async () => {
    const port = 'pcie-root-port,id=p,bus=pcie.0,chassis=1';
    await machine('q35', [port, 'vhost-user-fs-pci,chardev=c,tag=t,id=d,bus=p'], async (qmp) => {
      await requireUnpluggable(qmp, (await findDevice(qmp, 't')) as FsDevice);
      await expect(unplug(qmp, 't', 1500)).rejects.toMatchObject({
        code: 'unplug-stuck',
        cure: expect.stringContaining('reboot'),
      });
    });
  });

  it('behind a root port with hotplug=off is told too', async () => {
    const port = 'pcie-root-port,id=p,bus=pcie.0,chassis=1,hotplug=off';
    await machine('q35', [port, 'vhost-user-fs-pci,chardev=c,tag=t,id=d,bus=p'], async (qmp) => {
      const device = (await findDevice(qmp, 't')) as FsDevice;
      await expect(requireUnpluggable(qmp, device)).rejects.toMatchObject({ code: 'not-hotpluggable' });
    });
  });
});

/** Writes files on another share and reads each back, until it is told that it is enough. */
const writing = `
count=0
while ! [ -e /tmp/enough ]; do
  count=$((count + 1))
  head -c 65536 /dev/urandom > /tmp/sent
  cat /tmp/sent > /mnt/always/writer-$((count % 8)) || exit 1
  cmp /tmp/sent /mnt/always/writer-$((count % 8)) || exit 2
done
echo "wrote $count"`;

async function socketHolders(): Promise<readonly number[]> {
  const socket = lab.daemons.auto?.socket ?? '';
  const all = await readdir('/proc');
  const found: number[] = [];
  for (const pid of all.filter((each) => /^\d+$/.test(each))) {
    const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (words.includes(`--socket-path=${socket}\0`)) found.push(Number(pid));
  }
  return found;
}

/** The last is the child, which does the work. */
function workerPid(pids: readonly number[]): number {
  const pid = pids.at(-1);
  if (pid === undefined) throw new Error('the daemon is not there');
  return pid;
}

/** The commands that a failure prints, with the side where each is typed. */
function byHand(stderr: string): { readonly on: string; readonly command: string }[] {
  const lines = stderr.split('By hand the share is brought back by:\n')[1]?.split('\nnext:')[0] ?? '';
  let on = '';
  return lines.split('\n').flatMap((line) => {
    const heading = /^ *# on the (guest|host)$/.exec(line);
    if (heading !== null) on = heading[1] ?? '';
    return heading !== null || line.trim() === '' ? [] : [{ on, command: line.trim() }];
  });
}

/** What socat does with these words, where it is not installed. */
beforeAll(async () => {
  if (existsSync('/usr/bin/socat')) return;
  const socat = path.join(home, 'socat');
  await writeFile(
    socat,
    `#!${process.execPath}
const net = require('node:net');
const socket = net.connect(process.argv.at(-1).replace('UNIX-CONNECT:', ''));
socket.once('data', () => process.stdin.pipe(socket, { end: false }));
socket.pipe(process.stdout);
setTimeout(() => process.exit(0), 700);
`,
  );
  await chmod(socat, 0o755);
});
