import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readSshSettings, type SshSettings } from '../../src/endpoint/ssh-settings.ts';
import { parseSshTarget } from '../../src/endpoint/ssh-target.ts';
import { makeHome } from './ssh-server.ts';

let home: Awaited<ReturnType<typeof makeHome>>;
beforeEach(async () => {
  home = await makeHome();
  await mkdir(join(home.path, '.ssh/conf.d'), { recursive: true });
  await mkdir(join(home.path, 'etc'));
});
afterEach(() => home.remove());

async function settingsOf(
  target: string,
  config = '',
  { system = '', env = {} as Record<string, string> } = {},
): Promise<SshSettings> {
  return readSshSettings(parseSshTarget(target), {
    home: home.path,
    user: 'me',
    env,
    configFiles: [await home.write('.ssh/config', config), await home.write('etc/ssh_config', system)],
  });
}

describe('without a configuration', () => {
  test('the defaults of ssh hold', async () => {
    expect(await settingsOf('guest', '', { env: { SSH_AUTH_SOCK: '/agent' } })).toMatchObject({
      host: 'guest',
      port: 22,
      user: 'me',
      identityFiles: ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(home.path, '.ssh', name)),
      identitiesOnly: false,
      agentSocket: '/agent',
      userKnownHostsFiles: [join(home.path, '.ssh/known_hosts'), join(home.path, '.ssh/known_hosts2')],
      globalKnownHostsFiles: ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'],
      acceptNewHostKey: false,
      jumps: [],
    });
  });
});

describe('the first value wins', () => {
  test('over later blocks, and the user over the system', async () => {
    const config = 'Host guest\n  Port 2222\nHost *\n  Port 9\n  User late\n';
    expect(await settingsOf('guest', config, { system: 'User system\nConnectTimeout 7\n' })).toMatchObject({
      port: 2222,
      user: 'late',
      connectTimeoutMs: 7000,
    });
  });

  test('and what the user says now over all', async () => {
    const config = 'User from-file\nPort 9\n';
    expect(await settingsOf('ssh://now@guest:2', config)).toMatchObject({ user: 'now', port: 2 });
  });

  test('but identity files add up, each once', async () => {
    const config =
      'Host guest\n IdentityFile ~/a\n IdentityFile "~/with space"\nHost *\n IdentityFile ~/a\n IdentityFile ~/c\n';
    expect((await settingsOf('guest', config)).identityFiles).toEqual(
      ['a', 'with space', 'c'].map((name) => join(home.path, name)),
    );
  });
});

describe('Host', () => {
  test.each([
    ['gu*', true],
    ['gues?', true],
    ['guest?', false],
    ['!guest *', false],
    ['other guest', true],
    ['"guest"', true],
    ['GUEST', false],
  ])('%s applies to guest: %s', async (patterns, applies) => {
    const { port } = await settingsOf('guest', `Host ${patterns}\n\tPort=2222 # here\n`);
    expect(port).toBe(applies ? 2222 : 22);
  });

  test('patterns are held against the name as given, not against HostName', async () => {
    const config = 'Host guest\n HostName %h.example.org\nHost *.example.org\n Port 9\n';
    expect(await settingsOf('guest', config)).toMatchObject({ host: 'guest.example.org', port: 22 });
  });
});

describe('Include', () => {
  test('takes files where it stands, by patterns, relative to ~/.ssh', async () => {
    await home.write('.ssh/conf.d/20-b.conf', 'Port 20\n');
    await home.write('.ssh/conf.d/10-a.conf', 'Host other\n Port 1\nHost guest\n Port 10\n');
    await home.write('.ssh/conf.d/.hidden.conf', 'User hidden\n');
    const config = 'Include conf.d/*.conf missing\nHost guest\n Port 99\n';
    expect(await settingsOf('guest', config)).toMatchObject({ port: 10, user: 'me' });
  });

  test('inside a block counts only where the block does, and does not end it', async () => {
    await home.write('.ssh/more', 'Host *\n User included\n');
    const config = 'Host guest\n Include more\n Port 7\nHost x\n User last\n';
    expect(await settingsOf('guest', config)).toMatchObject({ port: 7, user: 'included' });
    expect(await settingsOf('other', config)).toMatchObject({ port: 22, user: 'me' });
  });

  test('takes absolute paths and ~, and sets of characters', async () => {
    await home.write('.ssh/c1', 'Port 1\n');
    await home.write('.ssh/c2', 'User two\n');
    const config = `Include ${home.path}/.ssh/c[1-9] ~/.ssh/c2\n`;
    expect(await settingsOf('guest', config)).toMatchObject({ port: 1, user: 'two' });
  });

  test('of itself ends in an error', async () => {
    await expect(settingsOf('guest', 'Include config\n')).rejects.toMatchObject({
      code: 'ssh-config-unsupported',
      message: expect.stringContaining('more than 16 Includes'),
    });
  });
});

describe('Match', () => {
  test.each([
    ['all', true],
    ['host guest.org', true],
    ['host guest', false],
    ['originalhost guest', true],
    ['!originalhost guest', false],
    ['user root', true],
    ['user a,r*', true],
    ['localuser me', true],
    ['localuser you', false],
    ['user root localuser you', false],
    ['user root host *.org !user x', true],
    ['final', true],
    ['canonical all', false],
    ['!final all', true],
    ['localuser you exec "false"', false],
  ])('%s applies: %s', async (criteria, applies) => {
    const config = `Host guest\n HostName guest.org\n User root\nMatch ${criteria}\n Port 2222\n`;
    expect((await settingsOf('guest', config)).port).toBe(applies ? 2222 : 22);
  });

  test('final is a second pass that does not override the first', async () => {
    const config = 'Match final all\n Port 1\n ConnectTimeout 3\nHost guest\n Port 2\n';
    expect(await settingsOf('guest', config)).toMatchObject({ port: 2, connectTimeoutMs: 3000 });
  });

  test.each(['exec', 'localnetwork', 'tagged'])('%s is refused by name, file and line', async (criterion) => {
    const config = `Port 2\n\nMatch user me ${criterion} "x y"\n Port 1\n`;
    await expect(settingsOf('guest', config)).rejects.toMatchObject({
      code: 'ssh-config-unsupported',
      message: `${home.path}/.ssh/config, line 3: Match ${criterion} is not supported.`,
    });
  });
});

describe('what cannot be honoured is refused by name', () => {
  test.each([
    ['StrictHostKeyChecking no', 'always verified'],
    ['StrictHostKeyChecking off', 'always verified'],
    ['CanonicalizeHostname yes', 'CanonicalizeHostname'],
    ['RevokedHostKeys /etc/revoked', 'RevokedHostKeys'],
    ['Port many', 'a number'],
    ['IdentityFile ~/%z', 'token %z'],
    [`IdentityFile ${'$'}{NO_SUCH_VARIABLE}/x`, 'NO_SUCH_VARIABLE'],
    ['User "open', 'cannot be read'],
    ['ProxyCommand x\nProxyUseFdpass yes', 'ProxyUseFdpass'],
  ])('%s', async (line, words) => {
    await expect(settingsOf('guest', `# one\n${line}\n`)).rejects.toMatchObject({
      code: 'ssh-config-unsupported',
      message: expect.stringMatching(/\.ssh\/config, line [23]: /),
    });
    await expect(settingsOf('guest', line)).rejects.toThrow(words);
  });

  test('but not where it is said of another host', async () => {
    const config = 'Host other\n StrictHostKeyChecking no\n CanonicalizeHostname yes\n';
    expect((await settingsOf('guest', config)).acceptNewHostKey).toBe(false);
  });
});

describe('keys and known hosts', () => {
  test('tokens and variables are expanded', async () => {
    const config = [
      'HostName h.org',
      'Port 2222',
      'IdentityFile ~/%r@%h-%n-%p-%u-%%',
      `IdentityFile ${'$'}{KEYS}/k`,
      'UserKnownHostsFile ~/kh-%k "/b c"',
      'GlobalKnownHostsFile none',
      'HostKeyAlias alias',
    ].join('\n');
    expect(await settingsOf('root@guest', config, { env: { KEYS: '/keys' } })).toMatchObject({
      identityFiles: [join(home.path, 'root@h.org-guest-2222-me-%'), '/keys/k'],
      userKnownHostsFiles: [join(home.path, 'kh-alias'), '/b c'],
      globalKnownHostsFiles: [],
      hostKeyAlias: 'alias',
    });
  });

  test.each([
    ['none', undefined],
    ['SSH_AUTH_SOCK', '/from/env'],
    ['$OTHER', '/other'],
    ['~/agent', 'HOME/agent'],
  ])('IdentityAgent %s', async (value, expected) => {
    const env = { SSH_AUTH_SOCK: '/from/env', OTHER: '/other' };
    const { agentSocket } = await settingsOf('guest', `IdentityAgent ${value}\n`, { env });
    expect(agentSocket).toBe(expected?.replace('HOME', home.path));
  });

  test('accept-new and HashKnownHosts are honoured', async () => {
    const config =
      'StrictHostKeyChecking accept-new\nHashKnownHosts yes\nIdentitiesOnly yes\nAddressFamily inet\n';
    expect(await settingsOf('guest', config)).toMatchObject({
      acceptNewHostKey: true,
      hashKnownHosts: true,
      identitiesOnly: true,
      family: 4,
    });
  });
});

describe('ways to the host', () => {
  test('ProxyJump is a list of hops', async () => {
    expect((await settingsOf('guest', 'ProxyJump a@one:1,ssh://two:2\n')).jumps).toEqual([
      { host: 'one', user: 'a', port: 1 },
      { host: 'two', port: 2 },
    ]);
  });

  test('none ends a ProxyJump that a later block has', async () => {
    const config = 'Host hop\n ProxyJump none\nHost *\n ProxyJump hop\n';
    expect((await settingsOf('hop', config)).jumps).toEqual([]);
    expect((await settingsOf('guest', config)).jumps).toEqual([{ host: 'hop' }]);
  });

  test('nobody jumps through himself', async () => {
    expect((await settingsOf('hop', 'Host *\n ProxyJump hop\n')).jumps).toEqual([]);
  });

  test('ProxyCommand is kept as written, with its tokens', async () => {
    const config = `ProxyCommand sh -c "nc  '%h' %p # x=1" -l %r %n %%\n`;
    expect((await settingsOf('ssh://root@guest:2', config)).proxyCommand).toBe(
      `sh -c "nc  'guest' 2 # x=1" -l root guest %`,
    );
    expect((await settingsOf('guest', 'ProxyCommand none\n')).proxyCommand).toBeUndefined();
  });

  test('of ProxyJump and ProxyCommand the first counts', async () => {
    expect(await settingsOf('guest', 'ProxyJump hop\nProxyCommand nc\n')).toMatchObject({
      jumps: [{ host: 'hop' }],
      proxyCommand: undefined,
    });
    expect(await settingsOf('guest', 'ProxyCommand nc\nProxyJump hop\n')).toMatchObject({
      jumps: [],
      proxyCommand: 'nc',
    });
  });
});
