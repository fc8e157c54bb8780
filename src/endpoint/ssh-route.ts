import type { Duplex } from 'node:stream';
import { KnownError } from '../model/error.ts';
import { type Connection, establish, nameOf, type SshLimits } from './ssh-connect.ts';
import { readSshSettings, type SshSettings, type SshSurroundings } from './ssh-settings.ts';
import type { SshTarget } from './ssh-target.ts';
import { commandTransport, type Transport, tcpTransport, unreachable } from './ssh-transport.ts';
import { within } from './within.ts';

export interface SshOptions {
  /** Adds the key of a host that is in no known_hosts file yet to the user's. */
  readonly acceptNewHostKey?: boolean;
  /** Default: ConnectTimeout of the ssh configuration, else 15,000 ms. For each hop. */
  readonly connectTimeoutMs?: number;
  /** Default 5,000 ms; after `keepaliveCountMax` (3) of them without a sign of life, the connection is lost. */
  readonly keepaliveIntervalMs?: number;
  readonly keepaliveCountMax?: number;
  /** Default: those of whoever runs this program. */
  readonly surroundings?: SshSurroundings;
}

const hopsMax = 8;

/** Connects to a target by way of the jump hosts or the command that the ssh configuration names. */
export async function connectTo(
  target: SshTarget,
  options: SshOptions,
  around: SshSurroundings,
  depth: number,
  jumps?: readonly SshTarget[],
): Promise<Connection> {
  const settings = await readSshSettings(target, around);
  return connectWith(jumps === undefined ? settings : { ...settings, jumps }, options, around, depth);
}

export async function connectWith(
  settings: SshSettings,
  options: SshOptions,
  around: SshSurroundings,
  depth: number,
): Promise<Connection> {
  const limits = limitsOf(options, settings);
  const acceptNewHostKey = settings.acceptNewHostKey || options.acceptNewHostKey === true;
  return establish(
    { ...settings, acceptNewHostKey },
    () => open(settings, limits, options, around, depth),
    limits,
  );
}

async function open(
  settings: SshSettings,
  limits: SshLimits,
  options: SshOptions,
  around: SshSurroundings,
  depth: number,
): Promise<Transport> {
  const { host, port, family, jumps, proxyCommand } = settings;
  if (proxyCommand !== undefined) return commandTransport(proxyCommand, around.env.SHELL || '/bin/sh');
  const hop = jumps.at(-1);
  if (hop === undefined) return tcpTransport(host, port, family, limits.connectMs);
  if (depth >= hopsMax) {
    throw unreachable(nameOf(settings), `more than ${hopsMax} jump hosts; ProxyJump goes in a circle`);
  }
  // As ssh -J a,b: b is reached through a; the first hop goes by its own configuration.
  const before = jumps.slice(0, -1);
  const through = await connectTo(hop, options, around, depth + 1, before.length > 0 ? before : undefined);
  try {
    const stream = await within<Duplex>(
      limits.connectMs,
      () => unreachable(nameOf(settings), `${through.name} did not connect to it within the limit`),
      (done) => through.client.forwardOut('127.0.0.1', 0, host, port, done),
    );
    return { stream, said: async () => '', close: () => through.close() };
  } catch (error) {
    await through.close();
    if (error instanceof KnownError) throw error;
    const why = (error as Error).message.replace(/^\(SSH\) Channel open failure: /, '');
    throw unreachable(nameOf(settings), `${through.name} could not connect to it: ${why}`, '', error);
  }
}

export function limitsOf(options: SshOptions, settings: SshSettings | undefined): SshLimits {
  return {
    connectMs: options.connectTimeoutMs ?? settings?.connectTimeoutMs ?? 15_000,
    authMs: Math.max(30_000, options.connectTimeoutMs ?? 0),
    keepaliveIntervalMs: options.keepaliveIntervalMs ?? settings?.keepaliveIntervalMs ?? 5000,
    keepaliveCountMax: options.keepaliveCountMax ?? settings?.keepaliveCountMax ?? 3,
  };
}
