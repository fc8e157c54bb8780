import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { KnownError } from '../model/error.ts';
import { localEndpoint } from './local.ts';

/** The bytes that an ssh connection runs over. */
export interface Transport {
  readonly stream: Duplex;
  /** What a ProxyCommand has said on its standard error, once it has said all (bounded). */
  said(): Promise<string>;
  /** Ends what carries the bytes: a process, another connection. Bounded. */
  close(): Promise<void>;
}

/** A TCP connection. @throws KnownError `unreachable`. */
export function tcpTransport(
  host: string,
  port: number,
  family: 4 | 6 | undefined,
  limitMs: number,
): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true, ...(family === undefined ? {} : { family }) });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(unreachable(`${host}:${port}`, `no answer within ${limitMs / 1000} s`, 'ETIMEDOUT'));
    }, limitMs);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(unreachable(`${host}:${port}`, wordsOf(error), error.code, error));
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve({ stream: socket, said: async () => '', close: async () => void socket.destroy() });
    });
  });
}

/** The user's own ProxyCommand, run by the user's own shell as ssh does it. */
export async function commandTransport(command: string, shell: string): Promise<Transport> {
  const local = localEndpoint();
  const child = await local.spawn([shell, '-c', `exec ${command}`]);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-2000);
  });
  const saidAll = new Promise((resolve) => child.stderr.once('end', resolve));
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  return {
    stream,
    said: async () => {
      await Promise.race([saidAll, sleep(500, undefined, { ref: false })]);
      return said.trim();
    },
    close: () => local.close(),
  };
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to its network',
  ETIMEDOUT: 'no answer',
  ENOTFOUND: 'no such name',
  EAI_AGAIN: 'its name cannot be looked up now',
  ECONNRESET: 'connection reset',
};

function wordsOf(error: NodeJS.ErrnoException): string {
  return words[error.code ?? ''] ?? error.message;
}

const cures: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'Check that the machine is running, that its ssh server has been started, and the port (for a guest: the forwarded one).',
  ENOTFOUND: 'Check the spelling, or add a Host entry with its HostName to ~/.ssh/config.',
  EAI_AGAIN: 'Check the network and the name server, or use the address.',
};

/** @param code errno, for the cure. */
export function unreachable(place: string, why: string, code?: string, cause?: unknown): KnownError {
  return new KnownError(
    'unreachable',
    `${place} cannot be reached: ${why}.`,
    cures[code ?? ''] ?? 'Check that the machine is running, its address, and firewalls on the way.',
    { cause },
  );
}
