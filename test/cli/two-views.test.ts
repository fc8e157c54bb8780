import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ground } from '../../src/model/ground.ts';
import type { Report } from '../../src/model/report.ts';
import { type LocalShare, localShare } from './program.ts';

// Two views of one directory on this machine: this one, and that of a mount namespace that is entered by a command,
// as a container is. One is a bind mount, and one an overlay, which keeps to itself what is written there.

const mayOverlay =
  spawnSync('unshare', [
    '-m',
    'sh',
    '-ec',
    'mount -t tmpfs t /mnt; mkdir /mnt/l /mnt/u /mnt/w /mnt/m; mount -t overlay o -o lowerdir=/mnt/l,upperdir=/mnt/u,workdir=/mnt/w /mnt/m',
  ]).status === 0;

const mounts = `
mount --bind "$1/share" "$1/bound"
mount -t tmpfs tmpfs "$1/upper"
mkdir "$1/upper/u" "$1/upper/w"
mount -t overlay overlay -o "lowerdir=$1/share,upperdir=$1/upper/u,workdir=$1/upper/w" "$1/overlaid"
echo ready
exec sleep 600
`;

describe.skipIf(!mayOverlay)('two views of one directory', { timeout: 60_000 }, () => {
  let local: LocalShare;
  let container: ChildProcess;
  const at = (...names: string[]) => path.join(local.directory, ...names);
  /** Runs the program with the container as the guest. */
  const run = (command: string, view: string, ...args: string[]) =>
    local.run(
      command,
      ...['--guest', `exec:nsenter -t ${container.pid} -m`],
      ...['--map', `${at(view)}=${at('share')}`],
      ...args,
    );

  beforeAll(async () => {
    local = await localShare();
    for (const name of ['bound', 'overlaid', 'upper']) mkdirSync(at(name));
    writeFileSync(at('share', 'file'), 'as it was\n');
    container = spawn('unshare', ['-m', 'sh', '-ec', mounts, 'sh', local.directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (container.stdout !== null) await once(container.stdout, 'data');
  });
  afterAll(() => {
    container.kill('SIGKILL');
    rmSync(local.directory, { recursive: true, force: true });
  });

  it('of a bind mount are the same, and their mode is seen', async () => {
    const { status, stdout } = await run('md5', 'bound', at('bound', 'file'), '--json');
    expect(status).toBe(0);
    const { environment, results } = JSON.parse(stdout) as Report;
    expect(environment.shares[0]).toMatchObject({
      mode: 'local:bind',
      how: 'one kernel, one device, one inode',
    });
    expect(results[0]?.verdict.kind).toBe('pass');
  });

  it('of a bind mount are what doctor and mode say too', async () => {
    const another = ['--map', `${local.checks}=${local.checks}`];
    const doctor = await run('doctor', 'bound', ...another, '--json');
    const shares = (JSON.parse(doctor.stdout) as Ground).places.filter(({ where }) => where === 'share');
    expect(shares).toHaveLength(2);
    for (const { facts } of shares) {
      const said = Object.fromEntries(facts.map(({ about, state, said }) => [about, [state, said]]));
      expect(said.mode).toEqual(['ok', expect.stringMatching(/^local:bind /)]);
      expect(said.daemon).toEqual(['ok', 'nobody serves it: both sides are one kernel']);
    }
    for (const flags of [[], ['--no-prove']]) {
      const mode = await run('mode', 'bound', at('bound'), ...flags);
      expect([mode.status, mode.stdout, mode.stderr]).toEqual([0, expect.stringMatching(/^local:bind /), '']);
    }
  });

  it('of a bind mount keep every promise of one kernel', async () => {
    const ran = await run('check', 'bound', 'guest-write', 'host-append', 'locks');
    expect(ran.status, ran.stdout).toBe(0);
    expect(ran.stdout).toMatch(/^every promise was kept/);
  });

  it('have an account of what is read, without a daemon', async () => {
    const ran = await run('reads', 'bound', at('bound', 'file'));
    expect(ran).toMatchObject({ status: 0, stdout: expect.stringContaining('mode local:bind') });
    expect(ran.stdout).toContain('unexplained');
  });

  it('of an overlay are a mode that nobody knows: what differs is told, what is promised is not', async () => {
    spawnSync('nsenter', [
      '-t',
      `${container.pid}`,
      '-m',
      'sh',
      '-c',
      'echo changed > "$0"',
      at('overlaid', 'file'),
    ]);
    const md5 = await run('md5', 'overlaid', at('overlaid', 'file'));
    expect(md5).toMatchObject({ status: 1, stdout: expect.stringMatching(/^DIFFERENT/) });
    expect(md5.stdout).toContain('mode unknown');
    const check = await run('check', 'overlaid', 'guest-write', '--json');
    expect(check.status).toBe(2);
    const kinds = (JSON.parse(check.stdout) as Report).results.map(({ mode, verdict }) => [
      mode,
      verdict.kind,
    ]);
    expect(kinds).toEqual([['unknown', 'unknown']]);
  });

  it('of an overlay that is taken for a bind mount break what is promised', async () => {
    const ran = await run('check', 'overlaid', 'guest-write', '--mode', 'local:bind', '--json');
    expect(ran.status).toBe(1);
    const [result] = (JSON.parse(ran.stdout) as Report).results;
    expect(result?.verdict).toMatchObject({ kind: 'fail', code: 'stale' });
  });
});
