import { KnownError } from '../model/error.ts';
import type { Endpoint } from './endpoint.ts';

/** Root needs no sudo. */
const script = '[ "$(id -u)" = 0 ] && exec "$@"; exec sudo -n -- "$@"';

/** The same place, where each program is started as root by sudo. Closing it leaves the place open. */
export function bySudo(endpoint: Endpoint): Endpoint {
  const asRoot = (argv: readonly string[]) => ['sh', '-c', script, 'sh', ...argv];
  return {
    ...endpoint,
    exec: (argv, options) => endpoint.exec(asRoot(argv), options),
    spawn: (argv, options) => endpoint.spawn(asRoot(argv), options),
    close: async () => {},
  };
}

/**
 * Sees that sudo works there without a password.
 * @throws KnownError `sudo-refused`, and as the endpoint does.
 */
export async function requireSudo(endpoint: Endpoint): Promise<void> {
  const { status, stderr } = await bySudo(endpoint).exec(['true']);
  if (status === 0) return;
  throw new KnownError(
    'sudo-refused',
    `${endpoint.name}: sudo does not start anything: ${stderr.trim().split('\n').at(-1) || 'it says nothing'}`,
    'Let sudo ask for no password there (NOPASSWD), or leave --sudo away: what needs root is then named and left out.',
  );
}
