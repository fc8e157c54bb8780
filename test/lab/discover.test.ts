import {
  appendFileSync,
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { utils } from 'ssh2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Ground } from '../../src/model/ground.ts';
import { doctorFaults } from '../../src/report/validate.ts';
import { makeKey, startSshServer } from '../endpoint/ssh-server.ts';
import { sudoPlace } from '../sudo-place.ts';
import { type Ran, reportOf, vfsVerify } from './cli.ts';
import { type MachineParts, machineParts, startMachine, type TestMachine } from './discover/machine.ts';

// Two machines that no lab knows of, and three directories, one of them inside another.

let directory: string;
let parts: MachineParts;
let first: TestMachine;
let second: TestMachine | undefined;
let env: Record<string, string>;
const dir = (...names: readonly string[]) => path.join(directory, ...names);

beforeAll(async () => {
  // Short: the paths of unix sockets hold 107 bytes.
  // Where an ordinary user may go, which the suite's own folder for temporary files is not.
  directory = await mkdtemp('/tmp/vd-');
  chmodSync(directory, 0o755);
  for (const each of ['home/.ssh', 'state', 'tmp', 'outer/deep', 'outer/tmp', 'outer/inner', 'other'])
    mkdirSync(dir(each), { recursive: true });
  for (const [file, text] of [
    ['outer/file', 'outer'],
    ['outer/deep/file', 'deep'],
    ['outer/inner/file', 'inner'],
    ['other/file', 'other'],
  ] as const)
    writeFileSync(dir(file), text);
  parts = await machineParts(directory);
  env = { HOME: dir('home'), XDG_STATE_HOME: dir('state'), TMPDIR: dir('tmp') };
  first = await startMachine(parts, 'one', [
    { tag: 'data', mode: 'auto', hostDir: dir('outer') },
    { tag: 'deep', mode: 'always', hostDir: dir('outer/deep') },
  ]);
  writeSshConfig(dir('home'), parts.keys.clientKeyFile);
  await first.run(
    [
      'mount | grep -q /mnt/deep && umount /mnt/deep',
      'mount -t virtiofs deep /mnt/data/deep',
      'mkdir /mnt/bound && mount --bind /mnt/data/inner /mnt/bound',
      'mount -t tmpfs none /mnt/data/tmp',
      'ln -s /mnt/data/inner /tmp/link',
    ].join('; '),
  );
});

afterAll(async () => {
  first?.end();
  second?.end();
  await rm(directory, { recursive: true, force: true });
});

/** A user whose ssh knows the guests by their ports, and these machines by a name. */
function writeSshConfig(home: string, keyFile: string, ports: Readonly<Record<string, number>> = {}): void {
  const named = Object.entries(ports).flatMap(([name, port]) => [
    ...[`Host ${name}`, 'HostName 127.0.0.1', `Port ${port}`],
  ]);
  const all = ['Host *', 'User root', `IdentityFile ${keyFile}`, `UserKnownHostsFile ${dir('known_hosts')}`];
  writeFileSync(path.join(home, '.ssh/config'), `${[...named, ...all].join('\n')}\n`, { mode: 0o600 });
}

function doctorOf(ran: Ran): Ground {
  const ground: unknown = JSON.parse(ran.stdout);
  expect(doctorFaults(ground)).toEqual([]);
  return ground as Ground;
}

function factOf(ground: Ground, where: string, about: string) {
  const place = ground.places.find((each) => each.where === where || each.name.startsWith(where));
  return place?.facts.find((each) => each.about === about);
}

describe('where one guest can be meant', () => {
  test('md5 needs no flags: nested shares, bind mounts and links are each compared with their own file', async () => {
    const files = [
      '/mnt/data/file',
      '/mnt/data/inner/file',
      '/mnt/data/deep/file',
      '/mnt/bound/file',
      '/tmp/link/file',
    ];
    const { status, report, stderr } = await reportOf(['md5', ...files], { env });
    expect(status, stderr).toBe(0);
    expect(report.results.map(({ mode, verdict }) => [mode, verdict.kind])).toEqual(
      ['auto', 'auto', 'always', 'auto', 'auto'].map((mode) => [mode, 'pass']),
    );
    expect(
      report.environment.shares.map(({ guestDir, hostDir, server }) => [guestDir, hostDir, server]),
    ).toEqual(
      [
        ['/mnt/data', dir('outer')],
        ['/mnt/data/deep', dir('outer/deep')],
        ['/mnt/bound', dir('outer/inner')],
      ].map((each) => [...each, expect.stringMatching(/^virtiofsd \d/)]),
    );
  });

  test('a path that is in no share is told with where it lies', async () => {
    const { status, first: result } = await reportOf(['md5', '/mnt/data/tmp/file'], { env });
    expect(status).toBe(2);
    expect(result.verdict).toMatchObject({ code: 'outside-share', reason: expect.stringContaining('tmpfs') });
  });

  test('the daemon of each share is known, so that its reads are counted', async () => {
    const { status, first: result, stderr } = await reportOf(['reads', '/mnt/data/file'], { env });
    expect(status, stderr).toBe(0);
    expect(JSON.stringify(result)).toContain('rchar');
  });

  test('doctor says what there is, and changes nothing on either side', async () => {
    const before = await stateOfBothSides();
    const ran = await vfsVerify(['doctor', '--json'], { env });
    expect(ran.status, ran.stderr).toBe(0);
    const ground = doctorOf(ran);
    expect(ground.abilities.find(({ command }) => command === 'md5')).toEqual({ command: 'md5', can: 'yes' });
    expect(ground.abilities.find(({ command }) => command === 'reads')?.can).toBe('yes');
    expect(factOf(ground, 'guest', 'rights')?.said).toBe('root');
    expect(factOf(ground, '/mnt/data =', 'place')?.said).toContain('the same inode on both sides');
    expect(factOf(ground, '/mnt/data =', 'memory')?.state).toBe('ok');
    expect(factOf(ground, '/mnt/data/deep =', 'mode')?.said).toContain('always');
    expect(await stateOfBothSides()).toEqual(before);
  });

  test('both sides may be reached by ssh, and then the guest is named', async () => {
    const hostKey = makeKey();
    const key = utils.parseKey(readFileSync(parts.keys.clientKeyFile));
    if (key instanceof Error) throw key;
    const authorized = { secret: '', line: '', parsed: key };
    const server = await startSshServer({ hostKeys: [hostKey], authorized: [authorized] });
    try {
      appendFileSync(dir('known_hosts'), `[127.0.0.1]:${server.port} ${hostKey.line}\n`);
      writeSshConfig(dir('home'), parts.keys.clientKeyFile, { 'the-host': server.port });
      const flags = ['--host', 'the-host', '--guest', `ssh://127.0.0.1:${first.port}`];
      const { status, report, stderr } = await reportOf(['md5', '/mnt/data/file', ...flags], { env });
      expect(status, stderr).toBe(0);
      expect(report.environment.host?.name).toContain(String(server.port));
      expect(report.environment.shares.map(({ hostDir }) => hostDir)).toContain(dir('outer'));
      const nobody = await vfsVerify(['md5', '/mnt/data/file', '--host', 'the-host'], { env });
      expect([nobody.status, nobody.stderr]).toEqual([
        2,
        expect.stringContaining('no way into the machine "one"'),
      ]);
    } finally {
      await server.close();
    }
  });

  test('an ordinary user without sudo compares, and each thing that he cannot is said with its reason', async () => {
    mkdirSync(dir('user'));
    const place = await sudoPlace(dir('user'));
    try {
      const { home } = place;
      mkdirSync(path.join(home, '.ssh'), { recursive: true });
      copyFileSync(parts.keys.clientKeyFile, path.join(home, 'key'));
      writeSshConfig(home, path.join(home, 'key'));
      const { uid, gid } = statSync(home);
      for (const each of ['.ssh', '.ssh/config', 'key']) chownSync(path.join(home, each), uid, gid);
      chmodSync(dir('known_hosts'), 0o644);
      // He does not see which machines are of other users' labs.
      const guest = ['--guest', `ssh://127.0.0.1:${first.port}`];
      const compared = await place.run('md5', '/mnt/data/file', ...guest);
      expect(compared.status, compared.stderr).toBe(0);
      expect(compared.stdout).toMatch(/^same /);
      const asked = await place.run('doctor', '--json', ...guest);
      expect(asked.status, asked.stderr).toBe(0);
      const ground = doctorOf(asked);
      expect(ground.abilities.filter(({ can }) => can !== 'yes').map(({ command }) => command)).toEqual(
        expect.arrayContaining(['reads', 'explain', 'drop --system-wide']),
      );
      expect(factOf(ground, 'host', 'rights')).toMatchObject({ state: 'limited', cure: expect.any(String) });
      expect(factOf(ground, '/mnt/data =', 'daemon')).toMatchObject({ state: 'limited' });
      const sudo = ['--sudo', 'host'];
      const refused = await place.run('md5', '/mnt/data/file', ...guest, ...sudo);
      expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining('sudo does not start')]);
      const uncounted = await place.run('reads', '/mnt/data/file', '--json', ...guest);
      expect(uncounted.stdout).not.toContain('rchar');

      // With what is listed beforehand, and nothing else.
      const listed = await place.run('reads', '/mnt/data/file', '--print-privileged', ...guest);
      place.allow(listed.stdout);
      const counted = await place.run('reads', '/mnt/data/file', '--json', ...guest, ...sudo);
      expect(counted.status, counted.stderr).toBe(0);
      expect(counted.stdout).toContain('rchar');
      const well = doctorOf(await place.run('doctor', '--json', ...guest, ...sudo));
      expect(factOf(well, 'host', 'rights')?.state).toBe('ok');
      expect(factOf(well, '/mnt/data =', 'daemon')?.state).toBe('ok');
    } finally {
      place.end();
    }
  }, 300_000);
});

describe('where two guests can be meant', () => {
  beforeAll(async () => {
    second = await startMachine(parts, 'two', [
      { tag: 'data', mode: 'never', hostDir: dir('other') },
      { tag: 'deep', mode: 'auto', hostDir: dir('outer/deep') },
    ]);
    writeSshConfig(dir('home'), parts.keys.clientKeyFile, { 'the-second': second.port });
  });

  test('both are listed with the flag that picks each', async () => {
    const ran = await vfsVerify(['md5', '/mnt/data/file'], { env });
    expect(ran.status).toBe(2);
    expect(ran.stderr).toContain('could be meant');
    expect(ran.stderr).toContain(`--guest ssh://127.0.0.1:${first.port}  the machine "one"`);
    expect(ran.stderr).toContain(`--guest ssh://127.0.0.1:${second?.port}  the machine "two"`);
  });

  test('a guest is known by its port, and by what it sees where only its name is given', async () => {
    for (const guest of [`ssh://root@127.0.0.1:${second?.port}`, 'the-second']) {
      const { status, report, stderr } = await reportOf(['md5', '/mnt/data/file', '--guest', guest], { env });
      expect(status, stderr).toBe(0);
      expect(report.environment.shares.map(({ hostDir, mode }) => [hostDir, mode])).toContainEqual([
        dir('other'),
        'never',
      ]);
    }
  });

  test('one directory that two guests share in two modes is found, and its mode is not guessed', async () => {
    const { status, report } = await reportOf(['md5', '/mnt/deep/file', '--guest', 'the-second'], { env });
    expect(status).toBe(0);
    const deep = report.environment.shares.find(({ guestDir }) => guestDir === '/mnt/deep');
    expect(deep).toMatchObject({ hostDir: dir('outer/deep'), mode: 'unknown' });
  });
});

/** Everything of both sides that a program could leave behind, but for what the kernel counts by itself. */
async function stateOfBothSides(): Promise<Readonly<Record<string, string>>> {
  const line = [
    'ls -lAR /mnt/data /mnt/bound /tmp /run /dev/shm /var/tmp 2>/dev/null',
    'cat /proc/mounts',
    'ps -o comm | grep -c vfs-probe || true',
  ].join('; ');
  return {
    guest: await first.run(line),
    files: readdirSync(directory, { recursive: true }).map(String).sort().join('\n'),
    mounts: readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter((each) => each.includes(directory))
      .join('\n'),
  };
}
