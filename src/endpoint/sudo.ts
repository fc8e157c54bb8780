import { KnownError } from '../model/error.ts';
import type { Endpoint } from './endpoint.ts';

/** Root needs no sudo. */
const script = '[ "$(id -u)" = 0 ] && exec "$@"; exec sudo -n -- "$@"';
/** Asks what the rules say; what they refuse is not tried, which an administrator would be told of. */
const question = '[ "$(id -u)" = 0 ] || exec sudo -n -l -- "$@"';

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

/** Whether sudo starts a command that ends with its input: its rules allow it, without a password or a terminal. */
export async function startsBySudo(endpoint: Endpoint, argv: readonly string[]): Promise<boolean> {
  if ((await endpoint.exec(['sh', '-c', question, 'sh', ...argv])).status !== 0) return false;
  return (await bySudo(endpoint).exec(argv, { input: '' })).status === 0;
}

/** The same place as somebody who sees everything there, where sudo starts a shell; else as it is. */
export async function seeingBySudo(endpoint: Endpoint): Promise<Endpoint> {
  return (await startsBySudo(endpoint, ['sh'])) ? bySudo(endpoint) : endpoint;
}

/**
 * Sees that sudo starts anything there, without a password and without a terminal.
 * @throws KnownError `sudo-refused`, and as the endpoint does.
 */
export async function requireSudo(endpoint: Endpoint): Promise<void> {
  const { status, stderr } = await bySudo(endpoint).exec(['true']);
  if (status !== 0) throw sudoRefused(endpoint.name, stderr);
}

/** Why sudo starts nothing, in its own words, with the cure of that. */
function sudoRefused(name: string, stderr: string): KnownError {
  const lines = stderr.trim().split('\n');
  // A lecture and warnings come before what it was.
  const said = lines.findLast((line) => /\bsudo: |^sorry, /i.test(line)) ?? lines.at(-1) ?? '';
  return new KnownError(
    'sudo-refused',
    `${name}: sudo does not start anything: ${said === '' ? 'it says nothing' : said}`,
    `${cureOf(said)}, or leave --sudo away: what needs root is then named and left out.`,
  );
}

function cureOf(said: string): string {
  if (/\btty\b/.test(said)) return 'Let sudo do without a terminal there (Defaults:USER !requiretty)';
  if (/not found/.test(said)) return 'Install sudo there, log in as root';
  return 'Let sudo ask for no password there (--print-privileged prints a rule for sudoers that is enough)';
}
