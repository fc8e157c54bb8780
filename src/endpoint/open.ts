import type { Endpoint } from './endpoint.ts';
import { localEndpoint } from './local.ts';
import { connectSsh } from './ssh.ts';
import type { SshOptions } from './ssh-route.ts';

/**
 * Opens the endpoint that a user has named.
 * @param spec `local`, `ssh://user@host:port`, `user@host`, or an alias of the ssh configuration.
 * @throws KnownError as `connectSsh` does.
 */
export async function openEndpoint(spec: string, options: SshOptions = {}): Promise<Endpoint> {
  return spec === 'local' ? localEndpoint() : connectSsh(spec, options);
}
