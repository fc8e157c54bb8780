import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Endpoint } from '../../src/endpoint/endpoint.ts';
import { openEndpoint } from '../../src/endpoint/open.ts';
import { connectSsh, type ExplicitSshTarget } from '../../src/endpoint/ssh.ts';
import { labDown } from '../../src/lab/down.ts';
import type { LabInfo } from '../../src/lab/info.ts';
import { labUp } from '../../src/lab/up.ts';
import type { Report } from '../../src/model/report.ts';
import { shellWord } from '../../src/model/shell-word.ts';
import { startProbe } from '../../src/probe/install.ts';
import { elsewhere, mayBeElsewhere } from '../elsewhere.ts';
import { makeKey } from '../endpoint/ssh-server.ts';

// dropbear in a real guest: what an ssh server of another maker does with what ssh2 asks.
const hasSsh = spawnSync('ssh', ['-V']).status === 0;
const name = `endpoint-${process.pid}`;
let lab: LabInfo;
let directory: string;
let guest: Endpoint;
const target = (changed: Partial<ExplicitSshTarget> = {}): ExplicitSshTarget => ({
  ...lab.ssh,
  strict: true,
  ...changed,
});

/** The guest by the ssh program, as `--guest` takes it. */
function bySshProgram(knownHostsFile: string): string {
  const { host, port, user, keyFile } = lab.ssh;
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=yes', `UserKnownHostsFile=${knownHostsFile}`];
  const flags = ['-F', '/dev/null', '-i', keyFile, '-p', String(port), ...options.map((each) => `-o${each}`)];
  return `exec:${['ssh', ...flags, `${user}@${host}`].map(shellWord).join(' ')}`;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'vfs-verify-endpoint-'));
  lab = await labUp({ name, modes: ['auto'] }, () => {});
  guest = await connectSsh(target());
});
afterAll(async () => {
  await guest?.close();
  await labDown(name);
  await rm(directory, { recursive: true, force: true });
});

test('a program runs to its end, with input, both outputs and its status', async () => {
  expect(await guest.exec(['sh', '-c', 'cat; echo oops >&2; exit 3'], { input: 'in' })).toEqual({
    status: 3,
    signal: undefined,
    stdout: 'in',
    stderr: 'oops\n',
    truncated: false,
  });
  expect(await guest.exec(['sh', '-c', 'kill -9 $$'])).toMatchObject({ signal: 'SIGKILL' });
  await expect(guest.exec(['no-such-program'])).rejects.toMatchObject({ code: 'command-not-started' });
});

test("the guest's shell hands words on as they are", async () => {
  const words = ['', "it's", '\\', '!', '$(id)', 'a\nb', '-n', '*', 'é😀'];
  const { stdout } = await guest.exec(['printf', '[%s]', ...words]);
  expect(stdout).toBe(words.map((word) => `[${word}]`).join(''));
});

test('bytes of every value go through in both directions', async () => {
  const bytes = Buffer.alloc(2 << 20, Buffer.from(Array.from({ length: 256 }, (_, index) => index)));
  const cat = await guest.spawn(['cat']);
  cat.stdin.end(bytes);
  expect(Buffer.concat(await cat.stdout.toArray()).equals(bytes)).toBe(true);
  expect(await cat.ended).toEqual({ status: 0 });
});

test('a program that outlives its limit is ended in the guest', async () => {
  await expect(guest.exec(['sleep', '4321'], { timeoutMs: 500 })).rejects.toMatchObject({
    code: 'command-timeout',
  });
  await expect
    .poll(async () => (await guest.exec(['sh', '-c', 'grep -l 432[1] /proc/[0-9]*/cmdline'])).stdout, {
      timeout: 10_000,
    })
    .toBe('');
});

test('a wrong key is refused, and says which it was', async () => {
  const keyFile = join(directory, 'key');
  await writeFile(keyFile, makeKey().secret, { mode: 0o600 });
  await expect(connectSsh(target({ keyFile }))).rejects.toMatchObject({
    code: 'auth',
    detail: expect.stringContaining(`refused: ${keyFile} SHA256:`),
  });
});

test('a changed host key is an error with file and line, an unknown one with its fingerprint', async () => {
  const knownHostsFile = join(directory, 'known_hosts');
  const [names] = (await readFile(lab.ssh.knownHostsFile, 'utf8')).split(' ');
  await writeFile(knownHostsFile, `${names} ${makeKey().line}\n`);
  await expect(connectSsh(target({ knownHostsFile }))).rejects.toMatchObject({
    code: 'host-key-changed',
    message: expect.stringContaining(`${knownHostsFile}, line 1`),
  });
  await writeFile(knownHostsFile, '');
  await expect(connectSsh(target({ knownHostsFile }))).rejects.toMatchObject({ code: 'host-key-unknown' });
});

test("a user's own configuration leads there too", async () => {
  const { host, port, user, keyFile, knownHostsFile } = lab.ssh;
  const config = join(directory, 'config');
  const lines = [
    'Host the-lab',
    `HostName ${host}`,
    `Port ${port}`,
    `User ${user}`,
    `IdentityFile "${keyFile}"`,
    `UserKnownHostsFile "${knownHostsFile}"`,
  ];
  await writeFile(config, `${lines.join('\n')}\n`);
  const surroundings = { home: directory, user: 'nobody', env: {}, configFiles: [config] };
  const endpoint = await openEndpoint('the-lab', { surroundings });
  expect((await endpoint.exec(['uname', '-s'])).stdout).toBe('Linux\n');
  await endpoint.close();
});

test.skipIf(!hasSsh)(
  'the ssh program is a command that gives a shell, which carries the probe too',
  async () => {
    const endpoint = await openEndpoint(bySshProgram(lab.ssh.knownHostsFile));
    const words = ['', "it's", '\\', '!', '$(id)', 'a\nb', '-n', '*', 'é😀'];
    const { stdout } = await endpoint.exec(['printf', '[%s]', ...words]);
    expect(stdout).toBe(words.map((word) => `[${word}]`).join(''));
    const session = await startProbe(endpoint);
    expect(session.hello.kernel).toBe((await guest.exec(['uname', '-r'])).stdout.trim());
    await session.close();
    await endpoint.close();
    await writeFile(join(directory, 'nobody'), '');
    const stranger = await openEndpoint(bySshProgram(join(directory, 'nobody')));
    await expect(stranger.exec(['true'])).rejects.toMatchObject({
      code: 'auth',
      detail: expect.stringContaining('Host key verification failed'),
    });
  },
);

test.skipIf(!hasSsh || !mayBeElsewhere)(
  'a host that is no Linux compares and checks a share of a virtual machine',
  async () => {
    const host = elsewhere(directory);
    const guestDir = lab.mounts.auto ?? '';
    const guestFlag = ['--guest', bySshProgram(lab.ssh.knownHostsFile)];
    const both = [...guestFlag, '--map', `${guestDir}=${lab.hostDir}`];
    await writeFile(join(lab.hostDir, 'file'), Buffer.alloc(3_000_000, 'the same'));
    const md5 = await host.run('md5', join(guestDir, 'file'), ...both);
    expect(md5.status, md5.stdout + md5.stderr).toBe(0);
    expect(md5.stdout).toMatch(/^same .*mode unknown/s);
    const check = await host.run('check', 'host-append', 'lookup', ...both, '--mode', 'auto', '--json');
    expect(check.status, check.stdout + check.stderr).toBe(0);
    const cases = (JSON.parse(check.stdout) as Report).results.flatMap((each) => each.cases);
    expect(new Set(cases.map(({ verdict }) => verdict.kind))).toEqual(new Set(['pass']));
    const unmapped = await host.run('md5', join(guestDir, 'file'), ...guestFlag);
    expect(unmapped.status).toBe(2);
    expect(unmapped.stderr).toContain(`on ${guestDir}, and nothing that is seen on this machine serves it`);
  },
);

test('a guest that is killed loses its programs within the limit of keepalive', async () => {
  const endpoint = await connectSsh(target(), { keepaliveIntervalMs: 300, keepaliveCountMax: 3 });
  const cat = await endpoint.spawn(['cat']);
  process.kill(lab.qemu.pid, 'SIGSTOP');
  try {
    expect(await cat.ended).toEqual({ lost: expect.stringContaining('no sign of life') });
    await expect(connectSsh(target(), { connectTimeoutMs: 500 })).rejects.toMatchObject({
      code: 'unreachable',
    });
  } finally {
    process.kill(lab.qemu.pid, 'SIGCONT');
  }
  process.kill(lab.qemu.pid, 'SIGKILL');
  await expect(guest.exec(['sleep', '60'])).rejects.toMatchObject({ code: 'connection-lost' });
  // The port closes when the kernel has cleared the machine away, which may take it a moment.
  const refusal = () =>
    connectSsh(target()).then(
      () => 'connected',
      (error: Error) => error.message,
    );
  await expect.poll(refusal, { timeout: 10_000 }).toContain('connection refused');
});
