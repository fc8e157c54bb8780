import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/endpoint/endpoint.ts';
import { localEndpoint } from '../../src/endpoint/local.ts';
import { startProbe } from '../../src/probe/install.ts';
import { installScript } from '../../src/probe/install-script.ts';
import { builtProbe } from './side.ts';

const work = mkdtempSync(join(tmpdir(), 'vfs-probe-install-'));
/** Where the probe may go by itself. */
const places = ['/dev/shm', '/run', '/tmp', '/var/tmp'];
/** A place of this test's own, asked for first: others may be at work in the machine's own places. */
const own = join(work, 'run');
mkdirSync(own);
const local = localEndpoint();
const mayMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
const hasBusybox = spawnSync('busybox', ['true']).status === 0;

beforeAll(async () => void (await builtProbe()), 120_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** This machine as if it were another one: the probe is carried over. `wrap` is put before each program. */
function asRemote(wrap: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Endpoint {
  return {
    ...local,
    kind: 'ssh',
    name: 'the other side',
    spawn: (argv) => local.spawn([...wrap, ...argv], { env: { XDG_RUNTIME_DIR: '', ...env } }),
  };
}

/** A side on which a shell command has been carried out in a mount namespace of its own. */
function withMounts(command: string, env: Readonly<Record<string, string>> = {}): Endpoint {
  return asRemote(['unshare', '-m', 'sh', '-ec', `${command}\nexec "$@"`, 'sh'], env);
}

function probesIn(directories: readonly string[]): string[] {
  return directories.flatMap((directory) =>
    readdirSync(directory)
      .filter((name) => /^vfs-probe-[A-Za-z0-9]{10}$|^vfs-probe-vfs-probe/.test(name))
      .map((name) => join(directory, name)),
  );
}

async function works(endpoint: Endpoint, options = {}): Promise<string> {
  const session = await startProbe(endpoint, options);
  const outcome = await session.request(
    'a',
    { do: 'stat', path: '/' },
    { root: '/', limitMs: 5000, limitName: 'test' },
  );
  await session.close();
  expect(outcome.kind).toBe('value');
  return session.hello.version;
}

test('this machine runs the built program where it lies', async () => {
  await works(local);
});

test('another side gets it over the connection, and nothing is left behind', async () => {
  const before = probesIn([own]);
  const session = await startProbe(asRemote([], { XDG_RUNTIME_DIR: own }));
  expect(probesIn([own])).toEqual(before);
  await session.close();
  expect(probesIn([own])).toEqual(before);
});

test('what a login shell says before the script does no harm', async () => {
  await works(
    asRemote(['sh', '-c', 'echo welcome; echo "{}"; printf "no end of line"; echo; exec "$@"', 'sh']),
  );
});

test.skipIf(!hasBusybox)('busybox is enough of a shell', async () => {
  const bin = join(work, 'bin');
  mkdirSync(bin);
  spawnSync('busybox', ['--install', '-s', bin]);
  await works(asRemote(['busybox', 'env', `PATH=${bin}`]));
});

test.skipIf(!hasBusybox)('busybox under no other name than sh is enough', async () => {
  const bin = join(work, 'lone');
  mkdirSync(bin);
  const busybox = spawnSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).stdout.trim();
  for (const name of ['busybox', 'sh']) symlinkSync(busybox, join(bin, name));
  await works(asRemote([], { PATH: bin }));
});

test('a side without head, mktemp and gzip is served all the same', async () => {
  const bin = join(work, 'few');
  mkdirSync(bin);
  for (const name of ['sh', 'uname', 'mkdir', 'chmod', 'dd', 'rm', 'wc', 'cat']) {
    const path = spawnSync('sh', ['-c', 'command -v "$0"', name], { encoding: 'utf8' }).stdout.trim();
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${path} "$@"\n`, { mode: 0o755 });
  }
  await works(asRemote([], { PATH: bin }));
});

test('a side whose architecture nobody built is asked to compile it', async () => {
  const empty = join(work, 'no programs');
  mkdirSync(empty);
  expect(await works(asRemote(), { directory: empty })).toBe('unversioned');
}, 60_000);

test('a side that is no Linux is named, and nothing is sent to it', async () => {
  const bin = join(work, 'darwin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'uname'), '#!/bin/sh\n[ "$1" = -s ] && echo Darwin || echo arm64\n', {
    mode: 0o755,
  });
  await expect(startProbe(asRemote([], { PATH: `${bin}:${process.env.PATH}` }))).rejects.toMatchObject({
    code: 'probe-no-linux',
    message: expect.stringContaining('this is Darwin'),
  });
});

test('without a compiler there, the error says what to install', async () => {
  const bin = join(work, 'no-compiler');
  mkdirSync(bin);
  const uname = '#!/bin/sh\n[ "$1" = -s ] && echo Linux || echo riscv64\n';
  writeFileSync(join(bin, 'uname'), uname, { mode: 0o755 });
  const sh = spawnSync('sh', ['-c', 'command -v sh'], { encoding: 'utf8' }).stdout.trim();
  copyFileSync(sh, join(bin, 'sh'));
  await expect(startProbe(asRemote([], { PATH: bin }))).rejects.toMatchObject({
    name: 'KnownError',
    code: 'probe-no-arch',
    message: expect.stringContaining('riscv64'),
    cure: expect.stringContaining('compiler'),
  });
});

test('a side that is no side at all is an error with its own words', async () => {
  const endpoint = asRemote(['sh', '-c', 'echo This account is not available. >&2; exit 1', 'sh']);
  await expect(startProbe(endpoint)).rejects.toMatchObject({
    name: 'KnownError',
    code: 'probe-not-started',
    detail: 'This account is not available.',
  });
});

describe.skipIf(!mayMount)('with mounts of its own', () => {
  const everywhere = (options: string, also = '') =>
    places.map((place) => `mount -t tmpfs -o ${options} tmpfs ${place}`).join('\n') + also;

  test('noexec places are passed over', async () => {
    const mounts = everywhere('noexec', '\nmount -t tmpfs -o exec tmpfs /mnt');
    await works(withMounts(mounts, { HOME: '/mnt' }));
  });

  test('where every place is noexec, the error names each', async () => {
    const endpoint = withMounts(everywhere('noexec'), { HOME: '/nowhere' });
    await expect(startProbe(endpoint)).rejects.toMatchObject({
      name: 'KnownError',
      code: 'probe-no-place',
      message: expect.stringMatching(/\/dev\/shm \(noexec\) .*\/nowhere \(not there\)/),
    });
  });

  test('full places are an error that says so', async () => {
    const endpoint = withMounts(everywhere('size=64k'), { HOME: '/nowhere' });
    await expect(startProbe(endpoint)).rejects.toMatchObject({
      name: 'KnownError',
      code: 'probe-no-space',
      cure: expect.stringContaining('XDG_RUNTIME_DIR'),
    });
  });
});

test('a side that has the very program installed runs it, and is sent nothing', async () => {
  const installed = join(work, 'installed');
  writeFileSync(installed, '#!/bin/sh\necho "ran $1"\n', { mode: 0o755 });
  const given = ['word', 'x86_64', `${work}/not-there ${installed}`];
  const child = spawn('sh', ['-c', installScript, 'vfs-probe', ...given], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.on('data', (text) => {
    said += text;
  });
  await new Promise((resolve) => child.once('close', resolve));
  expect(said).toBe('word start\nran serve\n');
});

test('a client that is killed half-way through sending leaves nothing behind', async () => {
  const before = probesIn([own]);
  const child = spawn('sh', ['-c', installScript, 'vfs-probe', 'word', 'x86_64 aarch64'], {
    env: { ...process.env, XDG_RUNTIME_DIR: own },
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  expect(probesIn([own])).toHaveLength(before.length + 1);
  child.stdin.write('1000000\n');
  child.stdin.write(Buffer.alloc(300_000));
  await sleep(50);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.stdin.destroy();
  await ended;
  expect(probesIn([own])).toEqual(before);
});

test('a client that is killed with kill -9 leaves no process and no file behind', async () => {
  const before = probesIn([own]);
  const script = `
    const { localEndpoint } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/endpoint/local.ts'))});
    const { startProbe } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/probe/install.ts'))});
    const session = await startProbe({ ...localEndpoint(), kind: 'ssh' });
    session.request('a', { do: 'wait', ms: 100000 }, { root: '/', limitMs: 1e6, limitName: 'x' });
    console.log(session.hello.pid);
    setInterval(() => {}, 1000);`;
  const file = join(work, 'client.mts');
  writeFileSync(file, script);
  const jiti = join(import.meta.dirname, '../../node_modules/jiti/lib/jiti-cli.mjs');
  const client = spawn(process.execPath, [jiti, file], { env: { ...process.env, XDG_RUNTIME_DIR: own } });
  const pid = Number(
    await new Promise((resolve) => client.stdout.once('data', (text) => resolve(`${text}`))),
  );
  expect(() => process.kill(pid, 0)).not.toThrow();
  client.kill('SIGKILL');
  for (let i = 0; i < 100 && isAlive(pid); i += 1) await sleep(20);
  expect(isAlive(pid)).toBe(false);
  expect(probesIn([own])).toEqual(before);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
