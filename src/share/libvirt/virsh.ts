import { setTimeout as sleep } from 'node:timers/promises';
import type { Endpoint } from '../../endpoint/endpoint.ts';
import { KnownError } from '../../model/error.ts';
import { shellWord } from '../../model/shell-word.ts';

/** A libvirt of the host, by its own client: what it is called there, and where it is. */
export interface Libvirt {
  readonly host: Endpoint;
  /** As `virsh -c` takes it; undefined for what virsh takes by itself. */
  readonly uri: string | undefined;
}

const commandMs = 60_000;
/** Domains' descriptions are some 10 KiB; those with hundreds of disks are more. */
const mostBytes = 16 * 1024 * 1024;

/** The words of a virsh command, as a person would type them. */
export function virshByHand({ uri }: Pick<Libvirt, 'uri'>, words: readonly string[]): string {
  return ['virsh', ...(uri === undefined ? [] : ['-c', uri]), ...words].map(shellWord).join(' ');
}

/**
 * Runs virsh and gives what it printed.
 * @param input what it reads from its standard input, as the file /dev/stdin.
 * @throws KnownError `no-virsh`, `libvirt-refused` with libvirt's own words, and as the endpoint does.
 */
export async function virsh(
  { host, uri }: Libvirt,
  words: readonly string[],
  input?: string,
): Promise<string> {
  // In English, whatever the user's language is: some answers are read here.
  const argv = ['env', 'LC_ALL=C', 'virsh', ...(uri === undefined ? [] : ['-c', uri]), '-q', ...words];
  const options = { timeoutMs: commandMs, maxBytes: mostBytes, ...(input === undefined ? {} : { input }) };
  // What an endpoint gives as standard input may be a socket, which cannot be opened by name; a pipe can.
  const piped = input === undefined ? argv : ['sh', '-c', 'cat | "$@"', 'sh', ...argv];
  const { status, stdout, stderr } = await host.exec(piped, options);
  if (status === 0) return stdout;
  if (status === 127 && /virsh/.test(stderr))
    throw new KnownError(
      'no-virsh',
      `${host.name} has no virsh`,
      "Install libvirt's client there (Debian: libvirt-clients), or name the host where the domain runs (--host).",
    );
  const said = stderr.replaceAll(/^error:\s*/gm, '').trim();
  throw new KnownError(
    'libvirt-refused',
    `virsh ${words[0]} failed: ${said.split('\n').at(-1) ?? `exit status ${status}`}`,
    'Try it by hand: libvirt may say more in its log.',
    { detail: `${virshByHand({ uri }, words)}\n${said}` },
  );
}

/** `running`, `shut off`, `paused`, and what else virsh-domstate(1) knows. */
export async function stateOf(libvirt: Libvirt, domain: string): Promise<string> {
  return (await virsh(libvirt, ['domstate', domain])).trim();
}

/** The names of the domains that run. */
export async function runningDomains(libvirt: Libvirt): Promise<readonly string[]> {
  return (await virsh(libvirt, ['list', '--name'])).split('\n').filter((name) => name !== '');
}

/** A domain's description as it runs now. */
export function liveXml(libvirt: Libvirt, domain: string): Promise<string> {
  return virsh(libvirt, ['dumpxml', domain]);
}

/** What it will be started from, passwords included: without them a new definition would lose them. */
export function definitionOf(libvirt: Libvirt, domain: string): Promise<string> {
  return virsh(libvirt, ['dumpxml', '--inactive', '--security-info', domain]);
}

/** Makes this a domain's definition; what runs goes on as it is. */
export async function define(libvirt: Libvirt, xml: string): Promise<void> {
  await virsh(libvirt, ['define', '/dev/stdin'], xml);
}

/** Waits until a domain is in a state; false when it was not within the limit. */
export async function reaches(
  libvirt: Libvirt,
  domain: string,
  state: string,
  limitMs: number,
): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    if ((await stateOf(libvirt, domain)) === state) return true;
    if (performance.now() > deadline) return false;
    await sleep(200);
  }
}
