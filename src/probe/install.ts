import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Endpoint } from '../endpoint/endpoint.ts';
import { withinMs } from '../endpoint/within.ts';
import { KnownError } from '../model/error.ts';
import { builtProbes, installedDirectory, installedName, localArch, probeSource } from './binaries.ts';
import { type Channel, openChannel } from './channel.ts';
import { installScript } from './install-script.ts';
import { openJsonSession, type SessionLimits } from './json-session.ts';
import { startNodeHost } from './node-host.ts';
import type { ProbeHello, ProbeSession } from './session.ts';

const compressed = promisify(gzip);
const protocol = 1;
/** Limits of each wait. A slow line may take a while for a megabyte, a slow guest for the compiler. */
const placeMs = 30_000;
const uploadMs = 120_000;
const compileMs = 300_000;

export interface StartOptions {
  /** Where the built probes are, instead of the package's own. */
  readonly directory?: string;
  readonly limits?: SessionLimits;
}

/**
 * Starts the probe on a side and opens its session. This machine runs the built program where it lies; any
 * other side, unless it is installed there already, gets it over a channel of its own, into a private directory
 * that is gone again by the time this returns. On this machine plain node stands in where the program cannot be had (its `arch` is `node`).
 * @throws KnownError `probe-not-built`, `probe-no-linux`, `probe-no-arch`, `probe-no-space`, `probe-no-place`,
 * `probe-not-started`, `probe-start-timeout`, and what the endpoint throws.
 */
export async function startProbe(endpoint: Endpoint, options: StartOptions = {}): Promise<ProbeSession> {
  if (endpoint.kind !== 'local') return install(endpoint, options);
  if (process.platform !== 'linux') return startNodeHost();
  try {
    return (await runWhereItLies(endpoint, options)) ?? (await install(endpoint, options));
  } catch (error) {
    if (error instanceof KnownError && error.code.startsWith('probe-no')) return startNodeHost();
    throw error;
  }
}

/** On this machine. Undefined where it is not built, or may not be executed there (noexec, no x bit). */
async function runWhereItLies(
  endpoint: Endpoint,
  { directory, limits }: StartOptions,
): Promise<ProbeSession | undefined> {
  const program = (await builtProbes(directory)).get(localArch);
  if (program === undefined) return undefined;
  try {
    return await serveBy(endpoint, [program, 'serve'], limits);
  } catch (error) {
    if (error instanceof KnownError && error.code === 'command-not-started') return undefined;
    throw error;
  }
}

/** Starts a probe that is there, by its own command. Throws as `startProbe` does. */
export async function serveBy(
  endpoint: Endpoint,
  argv: readonly string[],
  limits?: SessionLimits,
): Promise<ProbeSession> {
  const channel = openChannel(await endpoint.spawn(argv));
  const hello = await readHello(channel, endpoint.name, placeMs);
  return openJsonSession(channel, hello, endpoint.name, limits);
}

async function install(endpoint: Endpoint, { directory, limits }: StartOptions): Promise<ProbeSession> {
  const { name } = endpoint;
  const probes = await builtProbes(directory);
  if (probes.size === 0 && (await probeSource()) === undefined) throw notBuilt();
  const programs = new Map<string, Buffer>();
  for (const [arch, file] of probes) programs.set(arch, await readFile(file));
  const installed = [...programs.values()].map((each) => `${installedDirectory}/${installedName(each)}`);
  const word = `vfs-probe-${randomBytes(16).toString('hex')}`;
  const lists = [[...programs.keys()], installed].map((each) => each.join(' '));
  const argv = ['sh', '-c', installScript, 'vfs-probe', word, ...lists];
  const channel = openChannel(await endpoint.spawn(argv));
  try {
    let limitMs = placeMs;
    for (;;) {
      const [what, encoding, arch = ''] = await readWords(channel, word, name, limitMs);
      if (what === 'start') break;
      const program = what === 'ready' ? programs.get(arch) : undefined;
      const plain = program ?? Buffer.from((await probeSource()) ?? '');
      const bytes = encoding === 'gzip' ? await compressed(plain) : plain;
      // Nothing more until it asks or is there: the side's `head` may read further than it writes.
      channel.send(`${bytes.length}\n`);
      channel.send(bytes);
      limitMs = what === 'ready' ? uploadMs : compileMs;
    }
    return openJsonSession(channel, await readHello(channel, name, placeMs), name, limits);
  } catch (error) {
    await channel.end(0);
    throw error;
  }
}

/** The script's next words; its `failed` is an error. */
async function readWords(channel: Channel, word: string, name: string, limitMs: number): Promise<string[]> {
  const words = await nextLine(channel, name, limitMs, (line) =>
    line.startsWith(`${word} `) ? line.slice(word.length + 1) : undefined,
  );
  const [what, ...rest] = words.split(' ');
  if (what !== 'failed') return [what ?? '', ...rest];
  const [why, ...more] = rest;
  throw installFailed(why ?? '', more.join(' ').trim(), name, channel.stderrTail());
}

async function readHello(channel: Channel, name: string, limitMs: number): Promise<ProbeHello> {
  const hello = await nextLine(channel, name, limitMs, (line) => {
    if (!line.startsWith('{"hello":')) return undefined;
    return (JSON.parse(line) as { hello: ProbeHello }).hello;
  });
  if (hello.protocol === protocol) return hello;
  channel.kill();
  throw new Error(`the probe on ${name} speaks protocol ${hello.protocol}, not ${protocol}`);
}

/** Waits for a line that means something here; others, such as a login shell's greeting, are passed over. */
async function nextLine<T>(
  channel: Channel,
  name: string,
  limitMs: number,
  read: (line: string) => T | undefined,
): Promise<T> {
  let heard = '';
  const found = new Promise<T>((resolve, reject) => {
    channel.listen((line) => {
      const meant = read(line);
      if (meant === undefined) heard = `${heard}${line}\n`.slice(-1000);
      else {
        // The next line may be here already, and is not ours.
        channel.listen(undefined);
        resolve(meant);
      }
    });
    channel.ended.then((reason) => reject(notStarted(name, reason, channel.stderrTail() || heard.trim())));
  });
  const line = await withinMs(found, limitMs);
  if (line !== undefined) return line;
  channel.kill();
  throw new KnownError(
    'probe-start-timeout',
    `${name}: the probe did not start within ${limitMs / 1000} s.`,
    'Check that the machine is not overloaded or hanging; a login there should answer at once.',
    detailOf(channel.stderrTail()),
  );
}

function installFailed(why: string, what: string, name: string, said: string): KnownError {
  const detail = detailOf(said);
  switch (why) {
    case 'no-space':
      return new KnownError(
        'probe-no-space',
        `${name}: there is no space for the probe (1 MB): ${what}.`,
        'Free some space in one of these directories, or set XDG_RUNTIME_DIR to a directory that has some.',
        detail,
      );
    case 'no-place':
      return new KnownError(
        'probe-no-place',
        `${name}: no directory is both writable and executable: ${what}.`,
        'Set XDG_RUNTIME_DIR or HOME there to a directory that is, or remount one of these without noexec.',
        detail,
      );
    case 'no-linux':
      return new KnownError(
        'probe-no-linux',
        `${name}: the probe needs Linux, and this is ${what}.`,
        'Run vfs-verify on that machine itself: there plain node stands in for the probe.',
        detail,
      );
    case 'no-arch':
      return new KnownError(
        'probe-no-arch',
        `${name}: there is no probe for ${what}, and no C compiler to make one.`,
        'Install a compiler there (gcc libssl-dev libxxhash-dev), or run "npm run build" here where the packages for it can be had.',
        detail,
      );
    case 'compile':
      return new KnownError(
        'probe-no-arch',
        `${name}: there is no probe for ${what}, and the compiler there could not make one.`,
        'Install what it misses, usually libssl-dev and libxxhash-dev.',
        detail,
      );
    default:
      return notStarted(name, 'it does not run there', said);
  }
}

function notStarted(name: string, reason: string, said: string): KnownError {
  return new KnownError(
    'probe-not-started',
    `${name}: the probe did not start: ${reason}.`,
    'The side needs a POSIX shell and a Linux kernel, and must let this user run programs of his own.',
    detailOf(said),
  );
}

function notBuilt(): KnownError {
  return new KnownError('probe-not-built', 'the probe has not been built', 'Run: npm run build');
}

function detailOf(said: string): { detail: string } | undefined {
  return said === '' ? undefined : { detail: said };
}
