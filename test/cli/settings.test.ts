import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const program = fileURLToPath(new URL('../../bin/vfs-verify.js', import.meta.url));

let directory: string;
let file: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-settings-'));
  file = path.join(directory, 'vfs-verify.config.json');
  await mkdir(path.join(directory, 'below'));
  const shares = {
    data: { guestDir: '/mnt', hostDir: '/srv', mode: 'always' },
    more: { guestDir: '/a', hostDir: '/b' },
  };
  const guests = {
    web: { address: 'exec:docker exec -i web', host: 'hv', shares: ['data'] },
    db: 'ssh://root@db',
  };
  const limits = { timeoutSeconds: 12.5, jobs: 4 };
  await writeFile(
    file,
    JSON.stringify({ guest: 'web', guests, hosts: { hv: 'ssh://hv1' }, shares, modes: ['auto'], limits }),
  );
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const cwd = path.join(directory, 'below');
  const { exitCode, stdout, stderr } = await execa(process.execPath, [program, ...args], {
    cwd,
    env,
    reject: false,
  });
  return { status: exitCode, stdout, stderr };
}

/** What is in force: the value and where it comes from, by name. */
async function inForce(args: readonly string[], env?: Record<string, string>) {
  const { status, stdout, stderr } = await run(['config', '--json', ...args], env);
  expect(status, stderr).toBe(0);
  const { settings } = JSON.parse(stdout) as { settings: { name: string; value: unknown; from: string }[] };
  return Object.fromEntries(settings.map(({ name, value, from }) => [name, [value, from]]));
}

describe('settings', () => {
  it('come from the file that is found upward, with the guest, its host and its shares by their names', async () => {
    expect(await inForce([])).toEqual({
      guest: ['exec:docker exec -i web', file],
      host: ['ssh://hv1', file],
      map: [['/mnt=/srv in mode always'], file],
      modes: ['auto', file],
      timeout: ['12.5', file],
      jobs: ['4', file],
      'guest-limit': ['3600', 'default'],
    });
  });

  it('of the environment beat those of the file, and flags beat both', async () => {
    const env = { VFS_VERIFY_GUEST: 'db', VFS_VERIFY_TIMEOUT: '7', VFS_VERIFY_JOBS: '2' };
    expect(await inForce(['--jobs', '3', '--host', 'hv'], env)).toMatchObject({
      guest: ['ssh://root@db', 'VFS_VERIFY_GUEST'],
      host: ['ssh://hv1', '--host'],
      map: [['/mnt=/srv in mode always', '/a=/b'], file],
      timeout: ['7', 'VFS_VERIFY_TIMEOUT'],
      jobs: ['3', '--jobs'],
    });
  });

  it('of a map that is given are not mixed with those of the file', async () => {
    expect((await inForce(['--map', '/mnt=/elsewhere'])).map).toEqual([['/mnt=/elsewhere'], '--map']);
  });

  it('are left out where that is asked for', async () => {
    expect((await inForce(['--no-config'])).timeout).toEqual(['30', 'default']);
  });

  it('of environment and file say nothing of guest and host where a flag asks for a lab', async () => {
    const env = { VFS_VERIFY_GUEST: 'db', VFS_VERIFY_HOST: 'hv', VFS_VERIFY_MAP: '/x=/y' };
    const { guest, host, map, timeout } = await inForce(['--lab'], env);
    expect([guest, host, map]).toEqual([undefined, ['local', 'default'], undefined]);
    expect(timeout).toEqual(['12.5', file]);
    const both = await run(['config', '--lab', '--guest', 'db']);
    expect(both).toMatchObject({ status: 2, stderr: expect.stringContaining('--lab and --guest exclude') });
  });

  it('of the shares count too where the guest is yet to be found', async () => {
    const shares = path.join(directory, 'shares.json');
    await writeFile(shares, '{ "shares": { "a": { "guestDir": "/a", "hostDir": "/b", "mode": "auto" } } }');
    expect(await inForce(['--config', shares])).toMatchObject({
      host: ['local', 'default'],
      map: [['/a=/b in mode auto'], shares],
    });
  });

  it('of a list of guests beat the guest of the environment', async () => {
    const list = path.join(directory, 'guests');
    await writeFile(list, 'web\ndb\n');
    const { guest, ...others } = await inForce(['--guests', list], { VFS_VERIFY_GUEST: 'other' });
    expect(guest).toBeUndefined();
    expect(Object.keys(others)).toEqual(expect.arrayContaining(['guest web', 'guest db']));
    expect(Object.keys(others)).not.toContain('guest other');
  });

  it('of several guests are shown for each', async () => {
    expect(await inForce(['--guest', 'web', '--guest', 'db'])).toMatchObject({
      'guest web': [['exec:docker exec -i web', 'host ssh://hv1', '/mnt=/srv in mode always'], 'by its name'],
      'guest db': [['ssh://root@db', 'host local', '/mnt=/srv in mode always', '/a=/b'], 'by its name'],
    });
  });

  it('that are wrong end every command with their place, before anybody is reached', async () => {
    const wrong = path.join(directory, 'wrong.json');
    await writeFile(wrong, '{\n  "gest": "web"\n}');
    const named = await run(['md5', '/mnt/f', '--config', wrong]);
    expect(named).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`${wrong}:2:3: "gest" is no setting`),
    });
    const explained = await run(['explain', '--config', wrong, '--', 'true']);
    expect(explained.status).toBe(125);
  });

  it('of several guests are refused by commands that ask one', async () => {
    const ran = await run(['reads', '/mnt/f', '--guest', 'web', '--guest', 'db']);
    expect(ran).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('reads asks one guest, and 2 are named'),
    });
  });
});
