import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { throughEndpoint } from '../../src/endpoint/through.ts';
import type { Ground } from '../../src/model/ground.ts';
import { serveBy } from '../../src/probe/install.ts';
import { type SudoPlace, sudoPlace, userName } from '../sudo-place.ts';

// The real sudo, an ordinary user, and rules of the test's own (test/sudo-place.ts). What is then counted with such
// rights is in test/lab/discover.test.ts, where a daemon of root's serves a guest.

const isThere = process.getuid?.() === 0 && spawnSync('sudo', ['--version']).status === 0;

describe.skipIf(!isThere)("an ordinary user's --sudo", { timeout: 180_000 }, () => {
  let directory: string;
  let place: SudoPlace;
  let sides: readonly string[];
  let file: string;

  beforeAll(async () => {
    directory = await mkdtemp('/tmp/vs-');
    place = await sudoPlace(directory);
    const share = path.join(directory, 'share');
    mkdirSync(share);
    file = path.join(share, 'file');
    writeFileSync(file, 'the same on both sides');
    sides = ['--map', `${share}=${share}`, '--guest', `exec:sh -c 'exec "$@"' it`];
  }, 120_000);
  afterAll(async () => {
    place?.end();
    await rm(directory, { recursive: true, force: true });
  });

  it('works by the rules that --print-privileged prints, as they are, and they allow nothing else', async () => {
    const { stdout } = await place.run('reads', file, ...sides, '--print-privileged');
    const rules = stdout.slice(stdout.indexOf('# For sudoers'));
    expect(rules).toMatch(
      new RegExp(`^${userName} ALL=\\(root\\) NOPASSWD: /usr/libexec/\\S+ privileged$`, 'm'),
    );
    place.allow(stdout);
    for (const side of ['host', 'guest', 'both']) {
      const ran = await place.run('md5', file, ...sides, '--sudo', side);
      expect(ran.status, ran.stderr).toBe(0);
    }
    const asked = await place.run('doctor', ...sides, '--sudo', 'host', '--json');
    const rights = (JSON.parse(asked.stdout) as Ground).places[0]?.facts.find(
      ({ about }) => about === 'rights',
    );
    expect(rights).toMatchObject({ state: 'ok', said: expect.stringContaining('by sudo') });

    const [program = ''] = /\/usr\/libexec\/\S+/.exec(rules) ?? [];
    const there = throughEndpoint(place.address);
    const session = await serveBy(there, ['sudo', '-n', '--', program, 'privileged']);
    const limit = { root: '/', limitMs: 10_000, limitName: 'the limit of the test' };
    const counted = await session.request('a', { do: 'counters', processes: [process.pid] }, limit);
    expect(counted).toMatchObject({
      value: { processes: [{ pid: process.pid, rchar: expect.any(Number) }] },
    });
    await expect(session.request('a', { do: 'stat', path: '/etc/shadow' }, limit)).rejects.toThrow(
      'a privileged probe does not do stat',
    );
    await session.close();
    await there.close();
    for (const argv of [[program, 'serve'], ['sh', '-c', ':'], ['true']])
      expect((await place.asUser(['sudo', '-n', ...argv])).status, argv.join(' ')).not.toBe(0);
  });

  it.each([
    ['asks for a password', `${userName} ALL=(ALL) ALL`, 'a password is required', 'NOPASSWD|no password'],
    [
      'asks for one, with a lecture before',
      `Defaults:${userName} lecture=always\n${userName} ALL=(ALL) ALL`,
      'a password is required',
      'no password',
    ],
    [
      'allows something else',
      `${userName} ALL=(root) NOPASSWD: /usr/bin/id`,
      'sudo: |not allowed',
      'no password',
    ],
    ['does not know the user', '# nothing', 'sudo: ', 'no password'],
    [
      'wants a terminal',
      `Defaults:${userName} requiretty\n${userName} ALL=(ALL) NOPASSWD: ALL`,
      'tty',
      '!requiretty',
    ],
  ])('is refused in one line where sudo %s', async (_, rules, said, cure) => {
    place.setRules(`${rules}\n`);
    const ran = await place.run('md5', file, ...sides, '--sudo', 'host');
    expect(ran.status).toBe(2);
    expect(ran.stderr).toMatch(
      new RegExp(`^vfs-verify: .*sudo does not start anything: .*(${said}).*\nnext: .*(${cure})`),
    );
    expect(ran.stderr.trim().split('\n')).toHaveLength(2);
  });

  it('is a shell of root’s where sudo allows anything', async () => {
    place.setRules(`${userName} ALL=(ALL) NOPASSWD: ALL\n`);
    const ran = await place.run('md5', file, ...sides, '--sudo', 'both');
    expect(ran.status, ran.stderr).toBe(0);
  });

  it('is refused where there is no sudo, which a command without it does not miss', async () => {
    place.asRoot('mkdir /etc/few && busybox --install -s /etc/few');
    const without = (...args: string[]) =>
      place.asUser([
        ...['env', 'PATH=/etc/few', process.execPath, path.join(directory, 'clone/bin/vfs-verify.js')],
        ...['md5', file, ...sides, ...args],
      ]);
    expect((await without()).status).toBe(0);
    const refused = await without('--sudo', 'host');
    expect(refused).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/sudo.*not found.*\nnext: Install sudo/s),
    });
  });
});
