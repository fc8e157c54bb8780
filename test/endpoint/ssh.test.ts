import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/endpoint/endpoint.ts';
import { openEndpoint } from '../../src/endpoint/open.ts';
import { connectSsh } from '../../src/endpoint/ssh.ts';
import type { SshOptions } from '../../src/endpoint/ssh-route.ts';
import { runningWith } from './running.ts';
import {
  makeHome,
  makeKey,
  type ServerScript,
  startAgent,
  startRelay,
  startSshServer,
  startTcpServer,
  type TestKey,
} from './ssh-server.ts';

// Real connections to real ssh servers in this process; see test/lab for those of other makers.
const hostKey = makeKey();
const userKey = makeKey();

let home: Awaited<ReturnType<typeof makeHome>>;
const cleanups: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  home = await makeHome();
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await home.remove();
});

async function serve(script: Partial<ServerScript> = {}) {
  const server = await startSshServer({ hostKeys: [hostKey], authorized: [userKey], ...script });
  cleanups.push(() => server.close());
  return server;
}

/** Connects as a user whose home directory is `home`. */
async function connectAs(target: string, options: SshOptions & { env?: Record<string, string> } = {}) {
  const endpoint = await openEndpoint(target, {
    connectTimeoutMs: 3000,
    surroundings: {
      home: home.path,
      user: 'me',
      env: options.env ?? {},
      configFiles: [join(home.path, 'config')],
    },
    ...options,
  });
  cleanups.push(() => endpoint.close());
  return endpoint;
}

/** The configuration of a user who has a key and knows the host. */
async function configure(port: number, more = '', { key = userKey.secret, known = hostKey } = {}) {
  const keyFile = await home.write('key', key);
  const knownHosts = await home.write('known_hosts', `[127.0.0.1]:${port} ${known.line}\n`);
  await home.write(
    'config',
    `Host guest\n HostName 127.0.0.1\n Port ${port}\nHost *\n User root\n IdentityFile ${keyFile}\n UserKnownHostsFile ${knownHosts}\n GlobalKnownHostsFile none\n${more}`,
  );
}

async function connected(script: Partial<ServerScript> = {}, options: SshOptions = {}) {
  const server = await serve(script);
  await configure(server.port);
  return { server, endpoint: await connectAs('guest', options) };
}

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: { code: string }) => error.code,
  );

describe('running a program', () => {
  test('one connection carries many programs at once', async () => {
    const { server, endpoint } = await connected();
    expect(endpoint).toMatchObject({ kind: 'ssh', name: `root@127.0.0.1:${server.port}` });
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        endpoint.exec(['sh', '-c', 'cat; echo oops >&2; exit 3'], { input: `${index}` }),
      ),
    );
    for (const [index, result] of results.entries()) {
      expect(result).toEqual({
        status: 3,
        signal: undefined,
        stdout: `${index}`,
        stderr: 'oops\n',
        truncated: false,
      });
    }
    expect(server.logins()).toBe(1);
  });

  test('bytes of every value go through in both directions', async () => {
    const { endpoint } = await connected();
    const bytes = Buffer.alloc(3 << 20, Buffer.from(Array.from({ length: 256 }, (_, index) => index)));
    const cat = await endpoint.spawn(['cat']);
    cat.stdin.end(bytes);
    expect(Buffer.concat(await cat.stdout.toArray()).equals(bytes)).toBe(true);
    expect(await cat.ended).toEqual({ status: 0 });
  });

  test('no shell acts on the arguments or the environment', async () => {
    const { endpoint } = await connected();
    const weird = ['$(id)', "it's", 'a\nb', '', '-n', '*', '\\', '!'];
    expect((await endpoint.exec(['printf', '[%s]', ...weird])).stdout).toBe(
      weird.map((word) => `[${word}]`).join(''),
    );
    const env = await endpoint.spawn(['sh', '-c', 'printf %s "$V"'], { env: { V: weird.join(' ') } });
    expect(Buffer.concat(await env.stdout.toArray()).toString()).toBe(weird.join(' '));
  });

  test('a signal is told by its name', async () => {
    const { endpoint } = await connected();
    expect(await endpoint.exec(['sh', '-c', 'kill -9 $$'])).toMatchObject({ signal: 'SIGKILL' });
  });

  test('a program that is not there is told from one that ends with 127', async () => {
    const { endpoint } = await connected();
    await expect(endpoint.exec(['no-such-program'])).rejects.toMatchObject({
      code: 'command-not-started',
      message: expect.stringContaining('no-such-program could not be started: not found'),
    });
    await expect(endpoint.exec(['/etc/passwd'])).rejects.toMatchObject({
      message: expect.stringContaining('no permission'),
    });
    for (const script of ['exit 127', 'no-such-program', 'exec no-such-program']) {
      expect(await endpoint.exec(['sh', '-c', script])).toMatchObject({ status: 127 });
    }
  });

  test('output beyond the limit is dropped', async () => {
    const { endpoint } = await connected();
    const result = await endpoint.exec(['head', '-c', '3000000', '/dev/zero'], { maxBytes: 1000 });
    expect(result).toMatchObject({ status: 0, truncated: true });
    expect(result.stdout).toHaveLength(1000);
  });

  test('a program that outlives its limit is ended there', async () => {
    const { endpoint } = await connected();
    const marker = `8${process.pid}.5`;
    expect(await codeOf(endpoint.exec(['sleep', marker], { timeoutMs: 200 }))).toBe('command-timeout');
    await expect.poll(() => runningWith(marker), { timeout: 3000 }).toEqual([]);
  });

  test('kill ends a program', async () => {
    const { endpoint } = await connected();
    const cat = await endpoint.spawn(['cat']);
    cat.kill();
    expect(await cat.ended).toEqual({ signal: 'SIGTERM' });
  });

  test('a write after the end of the program fails and does not hang', async () => {
    const { endpoint } = await connected();
    const program = await endpoint.spawn(['true']);
    await program.ended;
    const error = await new Promise((resolve) => program.stdin.write('x', resolve));
    expect(error).toBeInstanceOf(Error);
  });

  test('a reader who does not read holds the program back, not the others', async () => {
    const { server, endpoint } = await connected();
    const zeros = await endpoint.spawn(['sh', '-c', 'echo note >&2; exec cat /dev/zero']);
    let before = -1;
    while (before !== server.written()) {
      before = server.written();
      await sleep(300);
    }
    expect(before).toBeLessThan(12 << 20);
    expect((await endpoint.exec(['echo', 'still here'])).stdout).toBe('still here\n');
    let read = 0;
    for await (const chunk of zeros.stdout) {
      read += chunk.length;
      if (read > 32 << 20) break;
    }
    expect(read).toBeGreaterThan(32 << 20);
    zeros.kill();
    await zeros.ended;
  });

  test('an error output that nobody reads does not grow either', async () => {
    const { server, endpoint } = await connected();
    const both = await endpoint.spawn(['sh', '-c', 'while :; do head -c 60000 /dev/zero >&2; echo x; done']);
    both.stdout.resume();
    let before = -1;
    while (before !== server.written()) {
      before = server.written();
      await sleep(300);
    }
    both.kill();
    await both.ended;
  });

  test('a server that opens no session is named', async () => {
    const { endpoint } = await connected({ refuseSessions: true });
    expect(await codeOf(endpoint.exec(['true']))).toBe('command-not-started');
  });
});

describe('losing the connection', () => {
  test('a running program is lost with it, and so is what comes after', async () => {
    const { server, endpoint } = await connected();
    const cat = await endpoint.spawn(['cat']);
    const pending = codeOf(endpoint.exec(['sleep', '60']));
    await sleep(100);
    server.cut();
    expect(await cat.ended).toEqual({ lost: 'connection reset' });
    expect(await pending).toBe('connection-lost');
    expect(await codeOf(endpoint.exec(['true']))).toBe('connection-lost');
    expect(await codeOf(endpoint.spawn(['true']))).toBe('connection-lost');
    for await (const _ of cat.stdout); // Ends.
    await endpoint.close();
  });

  test('silence is noticed by keepalive', async () => {
    const server = await serve();
    const relay = await startRelay(server.port);
    cleanups.push(() => relay.close());
    await configure(relay.port);
    const endpoint = await connectAs('guest', { keepaliveIntervalMs: 100, keepaliveCountMax: 3 });
    const cat = await endpoint.spawn(['cat']);
    await sleep(1000);
    expect((await endpoint.exec(['echo', 'x'])).stdout).toBe('x\n');
    relay.freeze();
    const began = Date.now();
    expect(await cat.ended).toEqual({ lost: 'no sign of life for 0.3 s' });
    expect(Date.now() - began).toBeLessThan(1500);
  });

  test('close ends what runs, and may be called twice', async () => {
    const { endpoint } = await connected();
    const cat = await endpoint.spawn(['cat']);
    await endpoint.close();
    await endpoint.close();
    expect(await cat.ended).toEqual({ lost: expect.any(String) });
  });
});

describe('a machine that cannot be reached', () => {
  async function refusal(port: number, options: SshOptions = {}) {
    await configure(port);
    return connectAs('guest', options).catch((error) => error);
  }

  test('nothing listens there', async () => {
    const server = await startTcpServer(() => {});
    await server.close();
    expect(await refusal(server.port)).toMatchObject({
      code: 'unreachable',
      message: `127.0.0.1:${server.port} cannot be reached: connection refused.`,
      cure: expect.stringContaining('running'),
    });
  });

  test('its name is not known', async () => {
    await configure(22);
    const error = await connectAs('no-such-host.invalid').catch((each) => each);
    expect(error).toMatchObject({ code: 'unreachable' });
  });

  test.each([
    ['says nothing', () => {}, 'does not answer as an ssh server within 0.3 s'],
    ['closes at once', (socket: { end(): void }) => socket.end(), 'closes the connection at once'],
    [
      'speaks another protocol',
      (socket: { end(text: string): void }) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
      'cannot be reached',
    ],
  ])('something listens that %s', async (_, onSocket, words) => {
    const server = await startTcpServer(onSocket);
    cleanups.push(() => server.close());
    expect(await refusal(server.port, { connectTimeoutMs: 300 })).toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining(words),
    });
  });
});

describe('the host key', () => {
  test('of an unknown host is an error with its fingerprint', async () => {
    const server = await serve();
    await configure(1);
    const error = await connectAs(`ssh://127.0.0.1:${server.port}`).catch((each) => each);
    expect(error).toMatchObject({
      code: 'host-key-unknown',
      cure: expect.stringContaining('--accept-new-host-key'),
    });
    expect(error.message).toMatch(/ED25519 key SHA256:[A-Za-z0-9+/]{43}, /);
    expect(server.logins()).toBe(0);
  });

  test('is added on request, once, and verified from then on', async () => {
    const server = await serve();
    await configure(1);
    const target = `ssh://127.0.0.1:${server.port}`;
    await connectAs(target, { acceptNewHostKey: true });
    await connectAs(target, { acceptNewHostKey: true });
    await connectAs(target);
    const text = await readFile(join(home.path, 'known_hosts'), 'utf8');
    expect(text.split('\n').slice(1)).toEqual([`[127.0.0.1]:${server.port} ${hostKey.line}`, '']);
  });

  test('is not added where there is no place for it', async () => {
    const server = await serve();
    await configure(1, ` StrictHostKeyChecking accept-new\n`);
    await home.write('config', `IdentityFile ${home.path}/key\nUserKnownHostsFile /dev/null/known_hosts\n`);
    const connecting = connectAs(`ssh://127.0.0.1:${server.port}`, { acceptNewHostKey: true });
    expect(await codeOf(connecting)).toBe('host-key-unknown');
  });

  test('that has changed is an error even on request, with file and line', async () => {
    const server = await serve();
    await configure(server.port, '', { known: makeKey() });
    const error = await connectAs('guest', { acceptNewHostKey: true }).catch((each) => each);
    expect(error).toMatchObject({
      code: 'host-key-changed',
      message: expect.stringContaining(`not the one of ${home.path}/known_hosts, line 1`),
      cure: expect.stringContaining(
        `ssh-keygen -f ${home.path}/known_hosts -R '['127.0.0.1']':${server.port}`,
      ),
    });
    expect(server.logins()).toBe(0);
  });

  test('of the known type is asked for, whatever the server would rather show', async () => {
    const ecdsa = makeKey('ecdsa');
    const server = await serve({ hostKeys: [hostKey, ecdsa] });
    await configure(server.port, '', { known: ecdsa });
    expect((await (await connectAs('guest')).exec(['echo', 'x'])).stdout).toBe('x\n');
  });

  test('of another type does not make a known host new', async () => {
    const server = await serve();
    await configure(server.port, '', { known: makeKey('ecdsa') });
    expect(await codeOf(connectAs('guest', { acceptNewHostKey: true }))).toBe('host-key-changed');
  });

  test('that is revoked is refused', async () => {
    const server = await serve();
    await configure(server.port);
    await home.write(
      'known_hosts',
      `@revoked * ${hostKey.line}\n[127.0.0.1]:${server.port} ${hostKey.line}\n`,
    );
    expect(await codeOf(connectAs('guest'))).toBe('host-key-revoked');
  });

  test('can be kept under an alias', async () => {
    const server = await serve();
    await configure(server.port, ' HostKeyAlias vm\n');
    await home.write('known_hosts', `vm ${hostKey.line}\n`);
    await connectAs('guest');
  });
});

describe('logging in', () => {
  async function refused(script: Partial<ServerScript>, more = '', key: TestKey = userKey) {
    const server = await serve(script);
    await configure(server.port, more, { key: key.secret });
    return connectAs('guest').catch((error) => error);
  }

  test('a refused key is named with its file and fingerprint', async () => {
    const error = await refused({ authorized: [] });
    expect(error).toMatchObject({
      code: 'auth',
      message: expect.stringContaining('none of the 1 key offered'),
    });
    expect(error.detail).toMatch(/refused: .*\/key SHA256:/);
    expect(error.cure).toContain('ssh-copy-id -p');
  });

  test('an encrypted key without an agent is named with its cure', async () => {
    const error = await refused({}, '', makeKey('ed25519', 'secret'));
    expect(error).toMatchObject({
      code: 'auth',
      message: expect.stringContaining('is encrypted and no agent holds it'),
      cure: `Unlock it once: ssh-add ${home.path}/key`,
    });
  });

  test('no key at all is said', async () => {
    const server = await serve();
    await home.write('kh', `[127.0.0.1]:${server.port} ${hostKey.line}\n`);
    await home.write('config', `IdentityFile /nonexistent/key\nUserKnownHostsFile ${home.path}/kh\n`);
    expect(await connectAs(`ssh://127.0.0.1:${server.port}`).catch((each) => each)).toMatchObject({
      code: 'auth',
      message: expect.stringContaining('there is no key to log in with'),
      detail: expect.stringContaining('not usable: /nonexistent/key (no such file)'),
    });
  });

  test('a server that wants a password is said to be out of reach', async () => {
    const error = await refused({ methods: ['password'] });
    expect(error).toMatchObject({
      code: 'auth',
      message: expect.stringContaining('takes no key, only password'),
    });
  });

  test('keys of the agent come first, also for an encrypted file', async () => {
    const encrypted = makeKey('ed25519', 'secret');
    const server = await serve({ authorized: [encrypted] });
    await configure(server.port, '', { key: encrypted.secret });
    const socket = join(home.path, 'agent');
    const agent = await startAgent(socket, [makeKey(), encrypted]);
    cleanups.push(() => agent.close());
    await connectAs('guest', { env: { SSH_AUTH_SOCK: socket } });
  });

  test('IdentitiesOnly keeps the agent to the keys that are named', async () => {
    const named = makeKey();
    const server = await serve({ authorized: [named], triesMax: 2 });
    await configure(server.port, ' IdentitiesOnly yes\n', { key: `${named.line}\n` });
    const socket = join(home.path, 'agent');
    const agent = await startAgent(socket, [makeKey(), makeKey(), makeKey(), named]);
    cleanups.push(() => agent.close());
    await connectAs('guest', { env: { SSH_AUTH_SOCK: socket } });
  });

  test('a server that has had enough of keys is told from one that refuses them all', async () => {
    const server = await serve({ triesMax: 2 });
    await configure(server.port);
    const socket = join(home.path, 'agent');
    const agent = await startAgent(socket, [makeKey(), makeKey(), makeKey()]);
    cleanups.push(() => agent.close());
    const error = await connectAs('guest', { env: { SSH_AUTH_SOCK: socket } }).catch((each) => each);
    expect(error).toMatchObject({ code: 'auth', cure: expect.stringContaining('IdentitiesOnly') });
    expect(error.detail).toMatch(/not tried: .*\/key/);
  });

  test('an agent that is not there is no obstacle', async () => {
    const server = await serve();
    await configure(server.port);
    await connectAs('guest', { env: { SSH_AUTH_SOCK: '/nonexistent/agent' } });
  });
});

describe('ways to a machine', () => {
  test('through two hops, each verified', async () => {
    const target = await serve({ hostKeys: [makeKey()] });
    const second = await serve({ forward: true });
    const first = await serve({ forward: true });
    await configure(first.port);
    const [key, known] = [join(home.path, 'key'), join(home.path, 'known_hosts')];
    const line = (port: number, at: TestKey) => `[127.0.0.1]:${port} ${at.line}\n`;
    const all = `User root\nIdentityFile ${key}\nUserKnownHostsFile ${known}\nHost deep\n HostName 127.0.0.1\n Port ${target.port}\n ProxyJump one,two\nHost one\n HostName 127.0.0.1\n Port ${first.port}\nHost two\n HostName 127.0.0.1\n Port ${second.port}\n HostKeyAlias second\n`;
    await home.write('config', all);

    await home.write('known_hosts', line(first.port, hostKey));
    await expect(connectAs('deep')).rejects.toMatchObject({
      code: 'host-key-unknown',
      message: expect.stringContaining(`root@127.0.0.1:${second.port} shows`),
    });
    await home.write('known_hosts', `${line(first.port, hostKey)}second ${hostKey.line}\n`);
    await expect(connectAs('deep')).rejects.toMatchObject({ code: 'host-key-unknown' });
    const endpoint = await connectAs('deep', { acceptNewHostKey: true });
    expect((await endpoint.exec(['echo', 'far'])).stdout).toBe('far\n');
    expect([first.logins(), second.logins(), target.logins()]).toEqual([3, 2, 1]);

    const cat = await endpoint.spawn(['cat']);
    first.cut();
    expect(await cat.ended).toEqual({ lost: expect.any(String) });
  });

  test('a hop that may not forward is named', async () => {
    const hop = await serve();
    await configure(hop.port, 'Host far\n HostName 127.0.0.1\n Port 9\n ProxyJump guest\n');
    await expect(connectAs('far')).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining(`root@127.0.0.1:${hop.port} could not connect to it`),
    });
  });

  test('hops in a circle end in an error', async () => {
    await configure(1, 'Host a\n ProxyJump b\nHost b\n ProxyJump a\n');
    await expect(connectAs('a')).rejects.toThrow('ProxyJump goes in a circle');
  });

  test("by the user's own command", async () => {
    const server = await serve();
    const relay = `const s=require('net').connect(process.argv[2],process.argv[1]);process.stdin.pipe(s).pipe(process.stdout)`;
    await configure(server.port, ` ProxyCommand ${process.execPath} -e "${relay}" %h %p\n`);
    const endpoint = await connectAs('guest');
    expect((await endpoint.exec(['cat'], { input: 'x'.repeat(100_000) })).stdout).toHaveLength(100_000);
    await endpoint.close();
  });

  test('a command that fails says why', async () => {
    await configure(2, ' ProxyCommand sh -c "echo no such relay >&2; exit 1"\n');
    await expect(connectAs('guest')).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('the ProxyCommand says: no such relay'),
    });
  });

  test('an explicit target asks no configuration, agent or other file', async () => {
    const server = await serve();
    await configure(server.port);
    const explicit = {
      host: '127.0.0.1',
      port: server.port,
      user: 'root',
      keyFile: join(home.path, 'key'),
      knownHostsFile: join(home.path, 'known_hosts'),
      strict: true as const,
    };
    const endpoint: Endpoint = await connectSsh(explicit, { acceptNewHostKey: true });
    cleanups.push(() => endpoint.close());
    expect((await endpoint.exec(['echo', 'x'])).stdout).toBe('x\n');
    const empty = await home.write('empty', '');
    await expect(
      connectSsh({ ...explicit, knownHostsFile: empty }, { acceptNewHostKey: true }),
    ).rejects.toMatchObject({ code: 'host-key-unknown' });
    expect((await stat(empty)).size).toBe(0);
  });
});
