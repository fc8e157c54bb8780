import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server as NetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { AgentProtocol, type Connection, type ParsedKey, Server, type ServerChannel, utils } from 'ssh2';

/** A key pair made for one test. */
export interface TestKey {
  readonly secret: string;
  /** As a line of authorized_keys: type and base64. */
  readonly line: string;
  readonly parsed: ParsedKey;
}

export function makeKey(type: 'ed25519' | 'ecdsa' = 'ed25519', passphrase?: string): TestKey {
  const encryption = passphrase === undefined ? {} : { passphrase, cipher: 'aes256-cbc', rounds: 1 };
  const pair =
    type === 'ed25519'
      ? utils.generateKeyPairSync('ed25519', { comment: 'test key', ...encryption } as never)
      : utils.generateKeyPairSync('ecdsa', { bits: 256, ...encryption } as never);
  const parsed = utils.parseKey(pair.private, passphrase) as ParsedKey;
  return { secret: pair.private, line: pair.public.split(' ').slice(0, 2).join(' '), parsed };
}

/** A real ssh server in this process; commands are run by a real shell. */
export interface TestServer {
  readonly port: number;
  /** Bytes that programs have written to channels so far. */
  written(): number;
  /** Logins that have been made. */
  logins(): number;
  /** Cuts every connection without a word. */
  cut(): void;
  close(): Promise<void>;
}

export interface ServerScript {
  readonly hostKeys: readonly TestKey[];
  readonly authorized: readonly TestKey[];
  readonly methods?: readonly ('publickey' | 'password')[];
  readonly triesMax?: number;
  readonly refuseSessions?: boolean;
  readonly forward?: boolean;
}

export async function startSshServer(script: ServerScript): Promise<TestServer> {
  let written = 0;
  let logins = 0;
  const sockets = new Set<Socket>();
  const onConnection = (connection: Connection) => {
    let tries = 0;
    connection.on('error', () => {});
    connection.on('authentication', (attempt) => {
      const methods = [...(script.methods ?? ['publickey'])];
      const allowed =
        attempt.method === 'publickey' &&
        methods.includes('publickey') &&
        script.authorized.some((key) => key.parsed.getPublicSSH().equals(attempt.key.data));
      if (allowed) {
        const { key } = attempt;
        const known = utils.parseKey(`${key.algo} ${key.data.toString('base64')}`) as ParsedKey;
        const { blob, signature, hashAlgo } = attempt;
        if (blob === undefined || signature === undefined) return attempt.accept();
        if (known.verify(blob, signature, hashAlgo) === true) return attempt.accept();
      }
      if (attempt.method !== 'none') tries += 1;
      if (script.triesMax !== undefined && tries >= script.triesMax) return connection.end();
      attempt.reject(methods);
    });
    connection.on('ready', () => {
      logins += 1;
    });
    connection.on('session', (accept, reject) => {
      if (script.refuseSessions === true) return reject();
      let pid: number | undefined;
      const session = accept();
      session.on('exec', (acceptExec, _reject, info) => {
        pid = run(info.command, acceptExec(), (bytes) => {
          written += bytes;
        });
      });
      session.on('signal', (acceptSignal, _reject, info) => {
        if (pid !== undefined) process.kill(-pid, `SIG${info.name}` as NodeJS.Signals);
        acceptSignal?.();
      });
    });
    connection.on('tcpip', (accept, reject, info) => {
      if (script.forward !== true) return reject();
      const socket = connect(info.destPort, info.destIP, () => {
        const channel = accept();
        channel.pipe(socket).pipe(channel);
        socket.on('close', () => channel.close());
        channel.on('error', () => socket.destroy()).on('close', () => socket.destroy());
      });
      socket.on('error', () => reject());
    });
  };
  const ssh = new Server({ hostKeys: script.hostKeys.map((key) => key.secret) }, onConnection);
  const front = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    ssh.injectSocket(socket);
  });
  const port = await listen(front);
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port,
    written: () => written,
    logins: () => logins,
    cut,
    close: () => {
      cut();
      return closeServer(front);
    },
  };
}

function run(command: string, channel: ServerChannel, count: (bytes: number) => void): number | undefined {
  const child = spawn('sh', ['-c', command], { detached: true });
  channel.pipe(child.stdin);
  child.stdin.on('error', () => {});
  channel.on('error', () => {});
  for (const [source, target] of [
    [child.stdout, channel],
    [child.stderr, channel.stderr],
  ] as const) {
    source.on('data', (chunk: Buffer) => {
      count(chunk.length);
      if (target.write(chunk)) return;
      source.pause();
      target.once('drain', () => source.resume());
    });
  }
  child.on('close', (status, signal) => {
    if (signal === null) channel.exit(status ?? 0);
    else channel.exit(signal.slice(3), false, '');
    channel.end();
  });
  channel.on('close', () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  });
  return child.pid;
}

/** A relay that can be frozen: both sides stay connected and hear nothing any more. */
export async function startRelay(
  port: number,
): Promise<{ port: number; freeze(): void; close(): Promise<void> }> {
  const pairs: Socket[][] = [];
  const front = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    near.pipe(far).pipe(near);
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    pairs.push([near, far]);
  });
  return {
    port: await listen(front),
    freeze: () => {
      for (const socket of pairs.flat()) socket.unpipe().pause();
    },
    close: () => {
      for (const socket of pairs.flat()) socket.destroy();
      return closeServer(front);
    },
  };
}

/** A server of anything. */
export async function startTcpServer(
  onSocket: (socket: Socket) => void,
): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  const port = await listen(server);
  return {
    port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return closeServer(server);
    },
  };
}

/** An ssh agent that holds these keys, on a socket. */
export async function startAgent(
  path: string,
  keys: readonly TestKey[],
): Promise<{ close(): Promise<void> }> {
  const server = createServer((socket: Duplex) => {
    const protocol = new AgentProtocol(false);
    protocol.on('identities', (request) =>
      protocol.getIdentitiesReply(
        request,
        keys.map((key) => key.parsed),
      ),
    );
    protocol.on('sign', (request, pubKey, data, options) => {
      const wanted = (pubKey as ParsedKey).getPublicSSH();
      const key = keys.find((each) => each.parsed.getPublicSSH().equals(wanted));
      if (key === undefined) protocol.failureReply(request);
      else protocol.signReply(request, key.parsed.sign(data, options.hash));
    });
    socket.pipe(protocol).pipe(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { close: () => closeServer(server) };
}

/** A home directory with these files below it, removed by `remove`. */
export async function makeHome(): Promise<{
  path: string;
  write(name: string, text: string): Promise<string>;
  remove(): Promise<void>;
}> {
  const path = await mkdtemp(join(tmpdir(), 'vfs-verify-home-'));
  return {
    path,
    write: async (name, text) => {
      const file = join(path, name);
      await writeFile(file, text, { mode: 0o600 });
      return file;
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

function listen(server: NetServer): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function closeServer(server: NetServer): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
