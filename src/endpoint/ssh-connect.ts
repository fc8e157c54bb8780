import { generateKeyPairSync } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { type AuthHandlerMiddleware, Client, type ServerHostKeyAlgorithm } from 'ssh2';
import { KnownError } from '../model/error.ts';
import { hostKeyError } from './host-key-error.ts';
import {
  addKnownHost,
  hostKeyAlgorithms,
  hostKeyState,
  type KnownHost,
  knownHostsName,
  readKnownHosts,
} from './known-hosts.ts';
import { authError } from './ssh-auth-error.ts';
import { type Identities, readIdentities } from './ssh-identity.ts';
import type { SshSettings } from './ssh-settings.ts';
import { type Transport, unreachable } from './ssh-transport.ts';

/** How long each part of making a connection may take, and how its loss is noticed. */
export interface SshLimits {
  /** To the end of the handshake, and for opening a channel. */
  readonly connectMs: number;
  /** An agent may ask its owner for a confirmation. */
  readonly authMs: number;
  readonly keepaliveIntervalMs: number;
  readonly keepaliveCountMax: number;
}

/** One verified connection with a user logged in. */
export interface Connection {
  /** `user@host`, with its port unless that is 22. */
  readonly name: string;
  readonly client: Client;
  /** Why the connection is gone; undefined while it is there. */
  lost(): string | undefined;
  /** Calls back once when the connection is gone (at once if it is already). Returns a way to stop that. */
  onLost(listener: (reason: string) => void): () => void;
  /** Ends it, and what carries it. Bounded. */
  close(): Promise<void>;
}

/** `user@host:port` as messages name a machine. */
export function nameOf(settings: { user: string; host: string; port: number }): string {
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  return `${settings.user}@${host}${settings.port === 22 ? '' : `:${settings.port}`}`;
}

/**
 * Verifies the host, logs in, and watches over the connection.
 * @param open what the connection runs over; closed again if any of it fails. It is opened last, since
 * nobody listens to it before ssh2 does.
 * @throws KnownError `unreachable`, `host-key-unknown`, `host-key-changed`, `host-key-revoked`, `auth`.
 */
export async function establish(
  settings: SshSettings,
  open: () => Promise<Transport>,
  limits: SshLimits,
): Promise<Connection> {
  const [identities, knownHosts] = await Promise.all([
    readIdentities(settings),
    readKnownHosts([...settings.userKnownHostsFiles, ...settings.globalKnownHostsFiles]),
  ]);
  const transport = await open();
  try {
    const client = await login(settings, transport, limits, identities, knownHosts);
    return watch(nameOf(settings), client, transport, limits);
  } catch (error) {
    await transport.close();
    throw error;
  }
}

async function login(
  settings: SshSettings,
  transport: Transport,
  limits: SshLimits,
  identities: Identities,
  entries: readonly KnownHost[],
): Promise<Client> {
  const place = nameOf(settings);
  const names =
    settings.hostKeyAlias === undefined
      ? [knownHostsName(settings.host, settings.port), settings.host.toLowerCase()]
      : [settings.hostKeyAlias.toLowerCase()];
  const client = new Client();
  const auth = authentication(identities, settings.user);
  let phase = 'handshake' as 'handshake' | 'login';
  let untrusted: KnownError | undefined;
  let newKey: Buffer | undefined;
  let timer: NodeJS.Timeout | undefined;

  try {
    await new Promise<void>((resolve, reject) => {
      const limit = (ms: number, reason: string) => {
        clearTimeout(timer);
        timer = setTimeout(() => reject(new Error(reason)), ms);
      };
      limit(
        limits.connectMs,
        `something accepts the connection but does not answer as an ssh server within ${limits.connectMs / 1000} s`,
      );
      client.on('error', (error: Error & { level?: string }) => {
        // A key that cannot sign is passed over by ssh2 itself, which goes on to the next one.
        const goesOn =
          error.level === 'agent' ||
          (error.level === 'client-authentication' && !error.message.startsWith('All configured'));
        if (!goesOn) reject(error);
      });
      client.once('close', () => reject(new Error('the other end closed the connection')));
      client.once('ready', resolve);
      client.once('handshake', () => {
        phase = 'login';
        limit(limits.authMs, `the login did not end within ${limits.authMs / 1000} s`);
      });
      client.connect({
        sock: transport.stream,
        username: settings.user,
        readyTimeout: 0,
        authHandler: auth.handler,
        algorithms: {
          serverHostKey: hostKeyAlgorithms(entries, names, supportedAlgorithms()) as ServerHostKeyAlgorithm[],
        },
        hostVerifier: (key: Buffer) => {
          const state = hostKeyState(entries, names, key);
          if (state.kind === 'known') return true;
          if (state.kind === 'unknown' && settings.acceptNewHostKey) {
            newKey = key;
            return true;
          }
          untrusted = hostKeyError(state, place, names[0] ?? '', key);
          return false;
        },
        // Only the asking is ssh2's part, see watch(): it would also count a busy line as a dead one.
        keepaliveInterval: limits.keepaliveIntervalMs,
        keepaliveCountMax: Number.MAX_SAFE_INTEGER,
      });
    });
    if (newKey !== undefined) await saveHostKey(settings, names[0] ?? '', newKey, place);
    return client;
  } catch (error) {
    client.on('error', () => {});
    client.destroy();
    if (untrusted !== undefined) throw untrusted;
    if (!(error instanceof Error) || error instanceof KnownError) throw error;
    const reason = wordsOf(error);
    if (phase === 'login') {
      const said = reason.startsWith('All configured') ? undefined : reason; // Only that there is no more to offer.
      throw authError({ place, identities, ...auth.story(), reason: said });
    }
    const said = await transport.said();
    const whole = said === '' ? reason : `${reason}; the ProxyCommand says: ${said}`;
    throw unreachable(place, whole, '', error);
  } finally {
    clearTimeout(timer);
  }
}

/** Offers one key after the other and remembers what came of it. */
function authentication(identities: Identities, username: string) {
  let next = 0;
  let accepted: readonly string[] = [];
  let partial = false;
  const handler: AuthHandlerMiddleware = (methodsLeft, partialSuccess) => {
    // The first call knows no methods yet: asking for `none` makes the server name them.
    if (!methodsLeft) return { type: 'none', username };
    accepted = methodsLeft;
    partial ||= partialSuccess === true;
    const offer = accepted.includes('publickey') ? identities.offers[next] : undefined;
    if (offer === undefined) return false;
    next += 1;
    return offer.method;
  };
  return {
    handler,
    story: () => ({ accepted, partial, tried: identities.offers.slice(0, next).map(({ label }) => label) }),
  };
}

async function saveHostKey(settings: SshSettings, name: string, key: Buffer, place: string): Promise<void> {
  const [file] = settings.userKnownHostsFiles;
  if (file === undefined) return;
  try {
    await addKnownHost(file, name, key, settings.hashKnownHosts);
  } catch (error) {
    throw new KnownError(
      'host-key-unknown',
      `${place}: its host key cannot be kept in ${file}: ${(error as Error).message}.`,
      'Make that file writable for you.',
      { cause: error },
    );
  }
}

/**
 * Notices that the connection is gone. Any byte that arrives is a sign of life, counted in ticks of our own
 * timer: bulk data may hold an answer back for long, and after a suspend all timers are late at once.
 */
function watch(name: string, client: Client, transport: Transport, limits: SshLimits): Connection {
  const listeners = new Set<(reason: string) => void>();
  let reason: string | undefined;
  let heard = true;
  let silentTicks = 0;

  const lose = (why: string) => {
    if (reason !== undefined) return;
    reason = why;
    clearInterval(ticks);
    client.destroy();
    void transport.close();
    for (const listener of listeners) listener(why);
    listeners.clear();
  };
  const ticks = setInterval(() => {
    silentTicks = heard ? 0 : silentTicks + 1;
    heard = false;
    if (silentTicks < limits.keepaliveCountMax) return;
    lose(`no sign of life for ${(limits.keepaliveCountMax * limits.keepaliveIntervalMs) / 1000} s`);
  }, limits.keepaliveIntervalMs);
  transport.stream.on('data', () => {
    heard = true;
  });
  client.removeAllListeners('close');
  client.removeAllListeners('error');
  client.on('error', (error) => lose(wordsOf(error)));
  client.once('end', () => lose('the other end closed the connection'));
  client.once('close', () => lose('the connection was closed'));
  if (transport.stream.readableEnded) lose('the other end closed the connection');

  return {
    name,
    client,
    lost: () => reason,
    onLost: (listener) => {
      if (reason !== undefined) listener(reason);
      else listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {
      if (reason === undefined) {
        client.end();
        await ended(transport.stream, 500);
      }
      lose('it was ended by this program');
      await transport.close();
    },
  };
}

function ended(stream: Duplex, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, limitMs);
    stream.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function supportedAlgorithms(): string[] {
  const rest = [
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
  ];
  try {
    generateKeyPairSync('ed25519'); // Not allowed everywhere, and ssh2 refuses a list that names it then.
    return ['ssh-ed25519', ...rest];
  } catch {
    return rest;
  }
}

function wordsOf(error: Error & { code?: unknown }): string {
  if (error.code === 'ECONNRESET') return 'connection reset';
  if (/before handshake/.test(error.message)) {
    return 'it closes the connection at once, as a port forward does that has no ssh server behind it yet';
  }
  return error.message.replace(/\.$/, '');
}
