import { createConnection, type Socket } from 'node:net';
import { KnownError } from '../model/error.ts';

/** A virtual machine's own line: QEMU's machine protocol over its Unix socket. */
export interface Qmp {
  /** QEMU's version: `11.1.3`. */
  readonly version: string;
  /**
   * Carries out one command. Commands are answered in their order.
   * @throws KnownError `qmp-refused` (QEMU's own words), `qmp-silent`, `qmp-lost`.
   */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** Calls the listener with the data of every event of this name from now on: `DEVICE_DELETED`. */
  onEvent(name: string, listener: (data: Readonly<Record<string, unknown>>) => void): void;
  close(): void;
}

export interface QmpOptions {
  /** For the connection and for each answer. Default 5,000 ms: QEMU answers in one, unless it is stuck. */
  readonly timeoutMs?: number;
}

/** More than this without an end of line is no QMP. */
const maxLineBytes = 16 * 1024 * 1024;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: KnownError) => void;
}

/**
 * Connects to a QMP socket. A socket serves one client at a time: while another one is connected, nothing
 * greets us, and the limit says so.
 * @throws KnownError `qmp-unreachable`, `qmp-silent`, `qmp-lost`.
 */
export async function connectQmp(socketPath: string, options: QmpOptions = {}): Promise<Qmp> {
  const timeoutMs = options.timeoutMs ?? 5000;
  const socket = await connected(socketPath, timeoutMs);
  const waiting: Waiting[] = [];
  const listeners: { readonly name: string; readonly listener: Parameters<Qmp['onEvent']>[1] }[] = [];
  const tell = ({ event, data }: Record<string, unknown>) => {
    for (const { name, listener } of listeners)
      if (name === event) listener((data ?? {}) as Record<string, unknown>);
  };
  let lost: KnownError | undefined;
  const fail = (error: KnownError) => {
    lost ??= error;
    socket.destroy();
    for (const each of waiting.splice(0)) each.reject(error);
  };
  const gone = () =>
    new KnownError(
      'qmp-lost',
      `QEMU closed its machine protocol socket ${socketPath}`,
      'See whether QEMU still runs; the console or its log says why it ended.',
    );
  const next = () =>
    new Promise<unknown>((resolve, reject) => {
      if (lost !== undefined) return reject(lost);
      const timer = setTimeout(() => {
        fail(
          new KnownError(
            'qmp-silent',
            `QEMU said nothing on ${socketPath} for ${timeoutMs / 1000} s`,
            'The socket serves one client at a time: end the other one (virsh, a monitor), or see whether QEMU is stopped.',
          ),
        );
      }, timeoutMs);
      waiting.push({
        resolve: (value) => {
          clearTimeout(timer);
          resolve(value);
        },
        reject: (reason) => {
          clearTimeout(timer);
          reject(reason);
        },
      });
    });
  let line = '';
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    line += text;
    if (line.length > maxLineBytes) fail(gone());
    const lines = line.split('\n');
    line = lines.pop() ?? '';
    for (const each of lines) {
      const message = parsed(each);
      // Events come at any time, and are nobody's answer.
      if (message !== undefined && 'event' in message) tell(message);
      else if (message !== undefined) waiting.shift()?.resolve(message);
    }
  });
  socket.on('error', () => fail(gone()));
  socket.on('close', () => fail(gone()));

  const send = async (command: string, args: Readonly<Record<string, unknown>> = {}) => {
    const answer = next();
    socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    const message = (await answer) as { return?: unknown; error?: { desc?: unknown } };
    if (message.error === undefined) return message.return;
    throw new KnownError(
      'qmp-refused',
      `QEMU refused ${command}: ${String(message.error.desc)}`,
      'This QEMU may be too old for it.',
    );
  };
  const greeting = (await next()) as {
    QMP?: { version?: { qemu?: { major: number; minor: number; micro: number } } };
  };
  await send('qmp_capabilities');
  const number = greeting.QMP?.version?.qemu;
  return {
    version: number === undefined ? 'unknown' : `${number.major}.${number.minor}.${number.micro}`,
    execute: send,
    onEvent: (name, listener) => void listeners.push({ name, listener }),
    close: () => fail(gone()),
  };
}

function connected(socketPath: string, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(socketPath);
    const refuse = (why: string, cause?: unknown) => {
      socket.destroy();
      reject(
        new KnownError(
          'qmp-unreachable',
          `no QEMU answers at ${socketPath}: ${why}`,
          'Name the socket of a QEMU that runs (-qmp unix:PATH,server=on,wait=off), as a user who may use it.',
          { cause },
        ),
      );
    };
    const timer = setTimeout(() => refuse(`nothing for ${timeoutMs / 1000} s`), timeoutMs);
    socket.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      refuse(error.code ?? error.message, error);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
