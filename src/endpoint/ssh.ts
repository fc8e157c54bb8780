import { KnownError } from '../model/error.ts';
import type { Endpoint, RemoteProcess } from './endpoint.ts';
import { quoteCommand } from './quote.ts';
import { describe, runToEnd } from './run-to-end.ts';
import { notStartedByShell } from './shell-words.ts';
import type { Connection } from './ssh-connect.ts';
import { programOn } from './ssh-program.ts';
import { connectTo, connectWith, limitsOf, type SshOptions } from './ssh-route.ts';
import { type SshSettings, sshSurroundings } from './ssh-settings.ts';
import { parseSshTarget } from './ssh-target.ts';
import { within } from './within.ts';

/** A machine of which everything is known, so that no ssh configuration, agent or other key is asked. */
export interface ExplicitSshTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly keyFile: string;
  readonly knownHostsFile: string;
  readonly strict: true;
}

/**
 * Connects to a machine over ssh: one connection for the whole run, a channel for each program.
 * @param target `ssh://user@host:port`, `user@host`, an alias of the ssh configuration, or all there is to know.
 * @throws KnownError `bad-target`, `ssh-config-unsupported`, `unreachable`, `host-key-unknown`,
 * `host-key-changed`, `host-key-revoked`, `auth`.
 */
export async function connectSsh(
  target: string | ExplicitSshTarget,
  options: SshOptions = {},
): Promise<Endpoint> {
  const connection =
    typeof target === 'string'
      ? await connectTo(parseSshTarget(target), options, options.surroundings ?? sshSurroundings(), 0)
      : await connectWith(
          explicitSettings(target),
          { ...options, acceptNewHostKey: false },
          sshSurroundings(),
          0,
        );
  return endpointOver(connection, limitsOf(options, undefined).connectMs);
}

function explicitSettings(target: ExplicitSshTarget): SshSettings {
  return {
    alias: target.host,
    host: target.host,
    port: target.port,
    user: target.user,
    identityFiles: [target.keyFile],
    identitiesNamed: true,
    identitiesOnly: true,
    agentSocket: undefined,
    userKnownHostsFiles: [target.knownHostsFile],
    globalKnownHostsFiles: [],
    hostKeyAlias: undefined,
    acceptNewHostKey: false,
    hashKnownHosts: false,
    connectTimeoutMs: undefined,
    keepaliveIntervalMs: undefined,
    keepaliveCountMax: undefined,
    jumps: [],
    proxyCommand: undefined,
    family: undefined,
  };
}

function endpointOver(connection: Connection, openMs: number): Endpoint {
  const { name } = connection;
  const spawn: Endpoint['spawn'] = async (argv, options = {}) => {
    const command = quoteCommand(argv, options.env);
    const gone = connection.lost();
    if (gone !== undefined) throw connectionLost(name, argv, gone);
    try {
      return await within<RemoteProcess>(
        openMs,
        () =>
          new KnownError(
            'command-timeout',
            `${name}: the ssh server did not start ${describe(argv)} within ${openMs / 1000} s.`,
            'Check whether the machine hangs or is overloaded.',
          ),
        // Taken over at once: what a quick program has written may follow in the very same packet.
        (done) =>
          connection.client.exec(command, (error, channel) => {
            if (error) done(error);
            else done(undefined, programOn(channel, connection));
          }),
        (late) => late.kill(),
      );
    } catch (error) {
      if (error instanceof KnownError) throw error;
      const lost = connection.lost();
      if (lost !== undefined) throw connectionLost(name, argv, lost);
      throw new KnownError(
        'command-not-started',
        `${name}: the ssh server does not start ${describe(argv)}: ${(error as Error).message}.`,
        'Check what its configuration lets this user run, and its limit of sessions (MaxSessions).',
        { cause: error },
      );
    }
  };
  return {
    kind: 'ssh',
    name,
    spawn,
    exec: async (argv, options) => {
      const result = await runToEnd(await spawn(argv), argv, name, options);
      const missing = notStartedByShell(argv, result);
      if (missing === undefined) return result;
      throw new KnownError(
        'command-not-started',
        `${name}: ${describe(argv.slice(0, 1))} could not be started: ${missing}.`,
        'Install it there, or put its directory into the PATH of non-interactive logins.',
        { detail: result.stderr.trim() },
      );
    },
    close: () => connection.close(),
  };
}

function connectionLost(name: string, argv: readonly string[], reason: string): KnownError {
  return new KnownError(
    'connection-lost',
    `${name}: the connection was lost before ${describe(argv)}: ${reason}.`,
    'Check that the machine is still running and reachable.',
  );
}
