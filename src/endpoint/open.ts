import type { Endpoint } from './endpoint.ts';
import { localEndpoint } from './local.ts';
import { connectSsh } from './ssh.ts';
import type { SshOptions } from './ssh-route.ts';
import { parseSshTarget } from './ssh-target.ts';
import { commandOf, throughEndpoint, throughPrefix } from './through.ts';

/**
 * Opens the endpoint that a user has named.
 * @param spec `local`, `ssh://user@host:port`, `user@host`, an alias of the ssh configuration, or
 * `exec:COMMAND` with any command that gives a shell.
 * @throws KnownError as `connectSsh` and `throughEndpoint` do.
 */
export async function openEndpoint(spec: string, options: SshOptions = {}): Promise<Endpoint> {
  if (spec === 'local') return localEndpoint();
  return spec.startsWith(throughPrefix) ? throughEndpoint(spec, options) : connectSsh(spec, options);
}

/**
 * Sees that a name could be opened, without reaching anybody.
 * @throws KnownError `bad-target`
 */
export function checkAddress(spec: string): void {
  if (spec.startsWith(throughPrefix)) commandOf(spec);
  else if (spec !== 'local') parseSshTarget(spec);
}
