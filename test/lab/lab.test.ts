import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabInfo } from '../../src/lab/info.ts';
import { labMark, readJournal } from '../../src/lab/journal.ts';
import { labDirectory } from '../../src/lab/places.ts';
import { identify, processesMarked } from '../../src/lab/processes.ts';
import { programTree } from '../../src/lab/programs/tree.ts';
import { labStatus } from '../../src/lab/status.ts';
import { labModes } from '../../src/model/mode.ts';
import { downLab, inGuest, upLab, vfsVerify } from './cli.ts';

const program = fileURLToPath(new URL('../../bin/vfs-verify.js', import.meta.url));
const own = (name: string) => `${name}-${process.pid}`;
let scratch = '';

beforeAll(() => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), 'vfs-verify-lab-test-')));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A program of the user's own. */
function script(name: string, ...lines: readonly string[]): string {
  const file = join(scratch, name);
  writeFileSync(file, `#!/bin/sh\n${lines.join('\n')}\n`);
  chmodSync(file, 0o755);
  return file;
}

/** An argv as a line of a shell script. */
const quoted = (argv: readonly string[]) => argv.map((word) => `'${word}'`).join(' ');

describe('a lab', () => {
  const name = own('lab');
  let lab: LabInfo;

  beforeAll(async () => {
    lab = await upLab(name);
  });
  afterAll(() => downLab(name));

  test('has every mode mounted, as the guest’s kernel says', async () => {
    expect(Object.keys(lab.mounts)).toEqual(labModes);
    const mounted = (await inGuest(name, 'cat /proc/mounts')).split('\n').map((line) => line.split(' '));
    for (const mode of labModes) {
      const mount = mounted.find((each) => each[1] === `/mnt/${mode}`);
      expect(mount?.slice(0, 3)).toEqual([lab.daemons[mode]?.tag, lab.mounts[mode], 'virtiofs']);
    }
  });

  test('shares one directory: what the host writes is in every mount, and the other way round', async () => {
    writeFileSync(join(lab.hostDir, 'from host'), 'host bytes');
    for (const path of Object.values(lab.mounts)) {
      expect(await inGuest(name, `cat '${path}/from host'`)).toBe('host bytes');
    }
    await inGuest(name, 'printf "guest bytes" > /mnt/never/from-guest');
    expect(readFileSync(join(lab.hostDir, 'from-guest'), 'utf8')).toBe('guest bytes');
  });

  test('runs one daemon for each mode, with that mode’s flags, and names the process that works', () => {
    for (const mode of labModes) {
      const daemon = lab.daemons[mode];
      const commandLine = readFileSync(`/proc/${daemon?.pid}/cmdline`, 'utf8').split('\0');
      expect(commandLine).toContain(`--cache=${mode.split('+')[0]}`);
      expect(commandLine.includes('--writeback')).toBe(mode.endsWith('+writeback'));
      // The parent of the sandbox only waits; the worker has threads for its queues.
      expect(
        Number(/Threads:\s+(\d+)/.exec(readFileSync(`/proc/${daemon?.pid}/status`, 'utf8'))?.[1]),
      ).toBeGreaterThan(1);
    }
  });

  test('has programs for trials: coreutils’ md5sum, fio, a temporary file system', async () => {
    expect(await inGuest(name, 'md5sum --version | head -n 1')).toContain('GNU coreutils');
    // Two at once: the first use unpacks it.
    expect(await inGuest(name, 'fio --version & fio --version; wait')).toMatch(/^fio-\d.*\nfio-\d/);
    expect(await inGuest(name, 'df -T /tmp | tail -n 1')).toMatch(/^tmpfs\s+tmpfs/);
    expect(await inGuest(name, 'ls /sys/kernel/tracing/events/fuse')).toContain('fuse_request_send');
  });

  test('hands on a command’s words, outputs and exit status', async () => {
    const ran = await vfsVerify([
      'lab',
      'exec',
      '--name',
      name,
      '--',
      'sh',
      '-c',
      'echo "$1"; exit 7',
      'sh',
      'a  b',
    ]);
    expect(ran).toMatchObject({ status: 7, stdout: 'a  b' });
  });

  test('is found up by a second lab up, and differs from one with other options', async () => {
    const again = await vfsVerify(['lab', 'up', name, '--json']);
    expect(again.stderr).toContain('is up already');
    expect(JSON.parse(again.stdout)).toEqual(lab);
    const other = await vfsVerify(['lab', 'up', name, '--cpus', '1']);
    expect(other).toMatchObject({ status: 2, stdout: '' });
    expect(other.stderr).toContain('--cpus');
  });

  test('is shown by status, in words and as JSON, and its logs by logs', async () => {
    expect(JSON.parse((await vfsVerify(['lab', 'status', name, '--json'])).stdout)).toEqual(lab);
    const words = (await vfsVerify(['lab', 'status', name])).stdout;
    expect(words.split('\n')[0]).toBe(`The lab "${name}" is up.`);
    expect((await vfsVerify(['lab', 'logs', '--name', name, 'console'])).stdout).toContain('ready after');
    expect((await vfsVerify(['lab', 'logs', '--name', name, 'virtiofsd-auto'])).stdout).toContain(
      'Client connected',
    );
  });

  test('keeps its keys and sockets to itself', () => {
    for (const path of [lab.ssh.keyFile, lab.directory, join(lab.qemu.qmpSocket, '..')]) {
      expect(statSync(path).mode & 0o077).toBe(0);
    }
  });
});

describe('labs side by side', () => {
  const [first, second] = [own('left'), own('right')];
  afterAll(async () => {
    await downLab(first);
    await downLab(second);
  });

  test('do not meet, and programs and a directory of the user’s own take their places', async () => {
    const { root } = await programTree(() => {});
    const loader = [
      `${root}/usr/lib64/ld-linux-x86-64.so.2`,
      '--library-path',
      `${root}/usr/lib/x86_64-linux-gnu:${root}/usr/lib/x86_64-linux-gnu/pulseaudio`,
    ];
    // No exec: the wrapper stays in front of the daemon.
    const virtiofsd = script(
      'my-virtiofsd',
      `case "$1" in --version) echo "virtiofsd 9.8.7-mine" ;;`,
      `*) echo "$*" >> '${scratch}/calls'; ${quoted([...loader, `${root}/usr/libexec/virtiofsd`])} "$@" ;; esac`,
    );
    const qemu = script(
      'my-qemu',
      `exec ${quoted([...loader, `${root}/usr/bin/qemu-system-x86_64`, '-L', `${root}/usr/share/qemu`, '-L', `${root}/usr/share/seabios`])} "$@"`,
    );
    const dir = join(scratch, 'my, directory');
    mkdirSync(dir);
    writeFileSync(join(dir, 'mine'), 'my bytes');
    const flags = ['--modes', 'auto', '--virtiofsd', virtiofsd, '--qemu', qemu, '--dir', dir];
    const [left, right] = await Promise.all([upLab(first, '--modes', 'auto'), upLab(second, ...flags)]);

    expect(left.ssh.port).not.toBe(right.ssh.port);
    expect(right.hostDir).toBe(dir);
    expect(right.programs.virtiofsd).toEqual({ argv: [virtiofsd], version: '9.8.7-mine' });
    expect(right.programs.qemu?.version).toMatch(/^\d+\.\d+/);
    expect(readFileSync(join(scratch, 'calls'), 'utf8')).toContain('--cache=auto');
    const worker = readFileSync(`/proc/${right.daemons.auto?.pid}/cmdline`, 'utf8');
    expect(worker).toContain('usr/libexec/virtiofsd');
    expect(await inGuest(second, 'cat /mnt/auto/mine')).toBe('my bytes');
    expect(await inGuest(first, 'ls /mnt/auto')).toBe('');

    await downLab(second);
    expect((await labStatus(first)).state).toBe('up');
    expect(identify(right.daemons.auto?.pid ?? 0)).toBeUndefined();
    expect(readFileSync(join(dir, 'mine'), 'utf8')).toBe('my bytes');
  });

  test('a lab whose daemon has died is broken, and the next lab up makes it anew', async () => {
    const left = await upLab(first, '--modes', 'auto');
    process.kill(left.daemons.auto?.pid ?? 0, 'SIGKILL');
    await expect.poll(async () => (await labStatus(first)).state).toBe('broken');
    const again = await vfsVerify(['lab', 'up', first, '--modes', 'auto', '--json']);
    expect(again.status).toBe(0);
    expect(again.stderr).toContain('auto had ended');
    expect(identify(left.qemu.pid)).toBeUndefined();
  });
});

describe('after kill -9 of lab up', () => {
  const name = own('killed');
  afterAll(() => downLab(name));

  /** Kills a `lab up` as soon as `when` is true of its directory; returns its lab's mark. */
  async function killed(when: (directory: string) => boolean): Promise<string> {
    const directory = labDirectory(name);
    const up = spawn(process.execPath, [program, 'lab', 'up', name], { stdio: 'ignore' });
    await expect.poll(() => when(directory), { timeout: 60_000, interval: 5 }).toBe(true);
    up.kill('SIGKILL');
    return labMark(readJournal(directory)?.id ?? '').mark;
  }
  const started = (count: number) => (directory: string) =>
    (readJournal(directory)?.processes.length ?? 0) >= count;

  test.each([
    ['with nothing started', started(0)],
    ['with some daemons started', started(3)],
    ['with the guest booting', started(7)],
  ])('%s, lab down leaves nothing', async (_, when) => {
    const mark = await killed((directory) => existsSync(join(directory, 'journal.jsonl')) && when(directory));
    const journal = readJournal(labDirectory(name));
    const down = await vfsVerify(['lab', 'down', name]);
    expect(down).toMatchObject({ status: 0 });
    expect(processesMarked(mark)).toEqual([]);
    for (const { pid, startTime } of journal?.processes ?? []) {
      expect(identify(pid)?.startTime).not.toBe(startTime);
    }
    expect(existsSync(journal?.runDirectory ?? '/')).toBe(false);
    expect(existsSync(labDirectory(name))).toBe(false);
    expect((await vfsVerify(['lab', 'down', name])).stdout).toContain('nothing to do');
  });

  test('the next lab up clears it away and succeeds', async () => {
    const mark = await killed(started(7));
    const lab = await upLab(name);
    expect(processesMarked(mark)).toEqual([]);
    expect(lab.state).toBe('up');
    expect((await inGuest(name, 'ls /mnt')).split('\n')).toHaveLength(labModes.length);
  });
});

describe('a lab that cannot come up says why, and leaves nothing', () => {
  const name = own('fails');
  afterAll(() => downLab(name));

  /** How `lab up` ended; nothing of the lab may be left but its logs. */
  async function failing(...flags: readonly string[]) {
    const before = processesMarkedAny();
    const ran = await vfsVerify(['lab', 'up', name, '--modes', 'auto', ...flags]);
    expect(ran).toMatchObject({ status: 2, stdout: '' });
    expect(ran.stderr).not.toMatch(/\n\s+at /);
    expect(ran.stderr).toContain('next: ');
    expect(processesMarkedAny()).toEqual(before);
    expect((await labStatus(name)).state).toBe('down');
    return ran.stderr;
  }
  // Labs of others may run on this machine; these tests are one after the other, and ours is the only one here.
  function processesMarkedAny(): string[] {
    const journal = readJournal(labDirectory(name));
    return journal === undefined
      ? []
      : processesMarked(labMark(journal.id).mark).map(({ pid }) => String(pid));
  }

  test('a program that is missing', async () => {
    expect(await failing('--qemu', join(scratch, 'none'))).toContain('there is no such program');
    const noInterpreter = join(scratch, 'no-interpreter');
    writeFileSync(noInterpreter, '#!/no/such/shell\n');
    chmodSync(noInterpreter, 0o755);
    expect(await failing('--virtiofsd', noInterpreter)).toContain('ENOENT');
  });

  test('a daemon that refuses its flags: its own words', async () => {
    expect(await failing('--modes', 'auto+no-such-flag')).toMatch(/unexpected argument.*--no-such-flag/);
  });

  test('a QEMU that ends early: its own words', async () => {
    const stderr = await failing('--qemu', script('bad-qemu', 'echo "my QEMU is broken" >&2', 'exit 4'));
    expect(stderr).toContain('QEMU ended with status 4: my QEMU is broken');
  });

  test('a port in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await expect.poll(() => server.listening).toBe(true);
    const address = server.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    expect(await failing('--ssh-port', port)).toContain(`the port ${port} of 127.0.0.1 is in use`);
    server.close();
  });

  test('a kernel that is none, and one that does not start: the console’s tail', async () => {
    const text = join(scratch, 'vmlinuz-text');
    writeFileSync(text, 'not a kernel');
    expect(await failing('--kernel', text)).toContain('neither a bzImage nor an ELF image');

    const { root, versions } = await programTree(() => {});
    const image = readFileSync(join(root, 'boot', `vmlinuz-${versions.kernel}`));
    image.fill(0, 4 * 1024 * 1024, 5 * 1024 * 1024);
    const damaged = join(scratch, 'vmlinuz-damaged');
    writeFileSync(damaged, image);
    const stderr = await failing('--kernel', damaged, '--boot-timeout', '6');
    expect(stderr).toContain('the guest was not up within 6 s');
    expect(stderr).toContain('SeaBIOS');
    // The logs stay for a closer look.
    expect((await vfsVerify(['lab', 'logs', '--name', name, 'console'])).stdout).toContain('SeaBIOS');
  });

  test('a kernel without the modules that it needs: what the guest lacks', async () => {
    const { root, versions } = await programTree(() => {});
    const alone = join(scratch, 'vmlinuz-alone');
    writeFileSync(alone, readFileSync(join(root, 'boot', `vmlinuz-${versions.kernel}`)));
    expect(await failing('--kernel', alone)).toContain('the guest has no network device');
  });
});
