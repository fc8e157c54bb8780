import { chmod, chown, copyFile, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabInfo } from '../../src/lab/info.ts';
import type { Report } from '../../src/model/report.ts';
import { makeKey } from '../endpoint/ssh-server.ts';
import { downLab, inGuest, type Ran, reportOf, upLab, vfsVerify } from './cli.ts';

// Each fault is made for real. What is asked of each: the right exit status, one line that says what to do,
// no stack trace, nothing left behind that could be removed.

const name = `faults-${process.pid}`;
const doomed = `doomed-${process.pid}`;
let lab: LabInfo;
let scratch = '';
let shared = '';
let home = '';

beforeAll(async () => {
  // Below /var/tmp, where another user may go.
  scratch = await mkdtemp('/var/tmp/vfs-verify-test-');
  await chmod(scratch, 0o755);
  shared = path.join(scratch, 'shared');
  home = path.join(scratch, 'home');
  await mkdir(shared);
  lab = await upLab(name, '--dir', shared, '--modes', 'auto,always');
  await mkdir(path.join(home, '.ssh'), { recursive: true, mode: 0o700 });
  await writeFile(path.join(shared, 'file'), 'some bytes');
});
afterAll(async () => {
  await downLab(name);
  await downLab(doomed);
  await rm(scratch, { recursive: true, force: true });
});

/** A user's ~/.ssh, with an alias for the guest. */
async function sshHome(changes: { key?: string; knownHosts?: string } = {}): Promise<void> {
  const ssh = path.join(home, '.ssh');
  await writeFile(path.join(ssh, 'key'), changes.key ?? (await readFile(lab.ssh.keyFile)), { mode: 0o600 });
  await writeFile(
    path.join(ssh, 'known_hosts'),
    changes.knownHosts ?? (await readFile(lab.ssh.knownHostsFile)),
  );
  await writeFile(
    path.join(ssh, 'config'),
    `Host the-guest\n  HostName 127.0.0.1\n  Port ${lab.ssh.port}\n  User root\n  IdentityFile ~/.ssh/key\n  IdentitiesOnly yes\n`,
  );
}

const byAlias = (...flags: string[]) =>
  vfsVerify(['md5', ...flags, '--guest', 'the-guest', '--map', `/mnt/auto=${shared}`, '/mnt/auto/file'], {
    env: { HOME: home, SSH_AUTH_SOCK: '' },
  });

function expectPlain(ran: Ran, status: number, words: RegExp): void {
  expect(ran.status, ran.stderr + ran.stdout).toBe(status);
  const said = ran.stderr + ran.stdout;
  expect(said).toMatch(words);
  expect(said).not.toMatch(/^\s+at .*:\d+/m);
  expect(said).toMatch(/^next: /m);
}

/** Probes that run on this machine below this test. */
async function probesHere(): Promise<string[]> {
  const { stdout } = await execa('sh', [
    '-c',
    `for p in /proc/[0-9]*; do case "$(tr '\\0' ' ' <"$p/cmdline" 2>/dev/null)" in *vfs-probe*serve*) tr '\\0' '\\n' <"$p/environ" 2>/dev/null | grep -q '^VFS_VERIFY_FAULTS=${name}$' && echo "$p";; esac; done; true`,
  ]);
  return stdout.split('\n').filter((line) => line !== '');
}

describe('the way to the guest', () => {
  it('by an alias of the ssh configuration works', async () => {
    await sshHome();
    expect((await byAlias()).status).toBe(0);
    // Without --map the share is found, although other machines may have the same tags.
    const found = await vfsVerify(['md5', '--guest', 'the-guest', '/mnt/auto/file'], { env: { HOME: home } });
    expect(found.status, found.stderr).toBe(0);
  });

  it('with a wrong key is refused', async () => {
    await sshHome({ key: makeKey().secret });
    expectPlain(await byAlias(), 2, /key/i);
  });

  it('with a changed host key is refused, and names the file', async () => {
    const other = (await readFile(lab.ssh.knownHostsFile, 'utf8')).replace(
      /[A-Za-z0-9+/]{20}(=*)$/m,
      'AAAAAAAAAAAAAAAAAAAA$1',
    );
    await sshHome({ knownHosts: other });
    expectPlain(await byAlias('--accept-new-host-key'), 2, /known_hosts/);
  });

  it('with an unknown host key is refused until the user accepts it', async () => {
    await sshHome({ knownHosts: '' });
    expectPlain(await byAlias(), 2, /--accept-new-host-key/);
    expect((await byAlias('--accept-new-host-key')).status).toBe(0);
    expect((await byAlias()).status).toBe(0);
  });

  it('to nowhere is said', async () => {
    const asked = await reportOf(['md5', '--guest', 'ssh://root@127.0.0.1:1', '--map', '/a=/b', '/a/f']);
    expect([asked.status, asked.first.verdict.code]).toEqual([2, 'unreachable']);
    expectPlain(
      await vfsVerify(
        ['md5', '--guest', 'ssh://root@127.0.0.1:1', '--map', `/mnt/auto=${shared}`, '/mnt/auto/file'],
        { env: { HOME: home } },
      ),
      2,
      /127\.0\.0\.1:1/,
    );
  });
});

describe('the probe', () => {
  // A lab's guest has it installed; here it is to be carried over, as to any other guest.
  const [installed, aside] = ['/usr/libexec/vfs-verify', '/usr/libexec/aside'];
  beforeAll(() => inGuest(name, `mv ${installed} ${aside}`));
  afterAll(() => inGuest(name, `mv ${aside} ${installed}`));

  it('survives places where nothing may be executed', async () => {
    await inGuest(name, 'mount -t tmpfs -o noexec none /dev/shm; mount -t tmpfs -o noexec none /run');
    expect((await vfsVerify(['md5', `--lab=${name}`, '/mnt/auto/file'])).status).toBe(0);
    await inGuest(name, 'umount /run; umount /dev/shm');
  });

  it('that finds no space says where it looked', async () => {
    const places = '/dev/shm /run /tmp /var/tmp "$HOME"';
    await inGuest(
      name,
      `cp -a "$HOME/.ssh" /kept; for p in ${places}; do mkdir -p "$p"; mount -t tmpfs -o size=64k,mode=700 none "$p"; done; cp -a /kept "$HOME/.ssh"`,
    );
    const ran = await vfsVerify(['md5', `--lab=${name}`, '/mnt/auto/file']);
    const left = await inGuest(name, `for p in ${places}; do ls -A "$p"; done`);
    await inGuest(name, `for p in ${places}; do umount -l "$p"; done`);
    expectPlain(ran, 2, /space/);
    expect(left).not.toContain('vfs-probe');
  });

  it('leaves nothing in the guest', async () => {
    expect(await inGuest(name, 'ls -A /dev/shm /run /tmp /var/tmp "$HOME" 2>/dev/null; ps')).not.toContain(
      'vfs-probe',
    );
  });
});

describe('a user who is not root', () => {
  const asNobody = async (file: string) => {
    const own = path.join(scratch, 'nobody');
    await mkdir(path.join(own, '.ssh'), { recursive: true });
    await copyFile(lab.ssh.keyFile, path.join(own, '.ssh/id_ed25519'));
    await copyFile(lab.ssh.knownHostsFile, path.join(own, '.ssh/known_hosts'));
    for (const each of ['', '.ssh', '.ssh/id_ed25519', '.ssh/known_hosts'])
      await chown(path.join(own, each), 65_534, 65_534);
    await chmod(path.join(own, '.ssh/id_ed25519'), 0o600);
    const program = path.resolve(import.meta.dirname, '../../bin/vfs-verify.js');
    const { exitCode, stdout, stderr } = await execa(
      'setpriv',
      [
        '--reuid=65534',
        '--regid=65534',
        '--clear-groups',
        process.execPath,
        program,
        'md5',
        '--guest',
        `ssh://root@127.0.0.1:${lab.ssh.port}`,
        '--map',
        `/mnt/auto=${shared}`,
        file,
      ],
      {
        reject: false,
        timeout: 60_000,
        extendEnv: false,
        env: { HOME: own, PATH: process.env.PATH ?? '', TMPDIR: '/tmp' },
      },
    );
    return { status: exitCode, stdout, stderr };
  };

  it('compares what both sides may read', async () => {
    expect((await asNobody('/mnt/auto/file')).status).toBe(0);
  });

  it('is told which side may not read a file', async () => {
    await writeFile(path.join(shared, 'secret'), 'x', { mode: 0o600 });
    expectPlain(await asNobody('/mnt/auto/secret'), 2, /the host cannot read the file/);
  });
});

describe('half-way through a hash', () => {
  /** Starts a comparison of a big file and waits until bytes are hashed. */
  async function midway(...flags: string[]) {
    const info = await upLab(doomed, '--modes', 'auto,never');
    const handle = await open(path.join(info.hostDir, 'big'), 'w');
    await handle.truncate(8_000_000_000);
    await handle.close();
    const program = path.resolve(import.meta.dirname, '../../bin/vfs-verify.js');
    const running = execa(
      process.execPath,
      [program, 'md5', '--json', `--lab=${doomed}`, ...flags, '/mnt/never/big'],
      { reject: false, timeout: 100_000, env: { VFS_VERIFY_FAULTS: name } },
    );
    await expect.poll(probesHere, { timeout: 30_000 }).not.toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 4000));
    return { info, running };
  }

  it('a guest that is killed is unknown, at once', async () => {
    const { info, running } = await midway();
    process.kill(info.qemu.pid, 'SIGKILL');
    const { exitCode, stdout } = await running;
    const report = JSON.parse(String(stdout)) as Report;
    expect(report.results[0]?.verdict).toMatchObject({ kind: 'unknown', code: 'gone' });
    expect(exitCode).toBe(2);
    expect(await probesHere()).toEqual([]);
    await downLab(doomed);
  });

  it('a daemon that is killed hangs the guest: the limit fires, and the stuck process is named', async () => {
    const { info, running } = await midway('--timeout', '5');
    process.kill(info.daemons.never?.pid ?? 0, 'SIGKILL');
    const { exitCode, stdout } = await running;
    const verdict = (JSON.parse(String(stdout)) as Report).results[0]?.verdict;
    expect(verdict).toMatchObject({ kind: 'unknown', code: 'stuck' });
    expect(verdict?.evidence).toMatchObject({ killed: false, daemonGone: true });
    expect(verdict?.observed).toMatch(/only a reboot/);
    const { pid } = verdict?.evidence ?? {};
    expect(await inGuest(doomed, `cat /proc/${pid}/task/*/stat`)).toMatch(/\) D /);
    expect(exitCode).toBe(2);
    expect(await probesHere()).toEqual([]);
    // The other share of the same guest goes on working.
    await writeFile(path.join(info.hostDir, 'other'), 'x');
    expect((await vfsVerify(['md5', `--lab=${doomed}`, '/mnt/auto/other'])).status).toBe(0);
    await downLab(doomed);
  });

  it('a program that is killed leaves no probe on either side', async () => {
    const { running } = await midway();
    running.kill('SIGKILL');
    await running;
    await expect.poll(probesHere, { timeout: 10_000 }).toEqual([]);
    await expect.poll(() => inGuest(doomed, 'ps'), { timeout: 20_000 }).not.toContain('vfs-probe');
    await downLab(doomed);
  });

  it('Ctrl-C ends it in good order', async () => {
    const { running } = await midway();
    running.kill('SIGINT');
    const { exitCode } = await running;
    expect(exitCode).toBe(2);
    expect(await probesHere()).toEqual([]);
    await downLab(doomed);
  });
});
