import { KnownError } from '../model/error.ts';
import { type Mode, parseMode } from '../model/mode.ts';

/**
 * Flags that decide what is cached, and so are part of a mode's name wherever a daemon has them. What else it is
 * told (its sandbox, its log, extended attributes) stays as it is, unless a mode names it.
 */
const modeFlags = ['writeback', 'allow-direct-io', 'allow-mmap'];

/** A virtiofsd's command line, taken apart. */
interface DaemonWords {
  /** The C daemon of QEMU 7.2 and older, or the Rust one. */
  readonly server: 'rust' | 'c';
  readonly cache: string;
  /** `writeback`, `inode-file-handles=never`. */
  readonly flags: readonly string[];
  readonly sharedDir: string | undefined;
  readonly socket: string | undefined;
  /** Everything else, in its order. */
  readonly others: readonly string[];
}

/** Options of the Rust daemon that take their value from the next word. */
const withValue =
  /^(--(socket-path|shared-dir|tag|socket-group|thread-pool-size|cache|sandbox|seccomp|inode-file-handles|modcaps|rlimit-nofile|fd|log-level|xattrmap|uid-map|gid-map|translate-uid|translate-gid|syslog-facility|migration-mode|migration-on-error)|-o)$/;

/**
 * Takes a daemon's command line apart; undefined for one that serves no directory.
 * @param namesOfMode flags that go to `flags`.
 */
function takenApart(
  argv: readonly string[],
  namesOfMode: readonly string[] = modeFlags,
): DaemonWords | undefined {
  const others: string[] = [];
  const options: string[] = [];
  let words: { cache?: string; sharedDir?: string; socket?: string } = {};
  const flags: string[] = [];
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at] ?? '';
    const value = withValue.test(word) ? argv[at + 1] : undefined;
    if (value !== undefined) at += 1;
    const whole = value === undefined ? word : `${word}=${value}`;
    const [, name = '', given] = /^--?([a-z-]+)(?:=(.*))?$/s.exec(whole) ?? [];
    if (name === 'cache' && given !== undefined) words = { ...words, cache: given };
    else if (name === 'o' && given !== undefined) options.push(...given.split(/(?<!\\),/));
    else if (name === 'socket-path' && given !== undefined) words = { ...words, socket: given };
    else if (namesOfMode.includes(name)) flags.push(given === undefined ? name : `${name}=${given}`);
    else others.push(...(value === undefined ? [word] : [word, value]));
    if (name === 'shared-dir' && given !== undefined) words = { ...words, sharedDir: given };
  }
  const kept: string[] = [];
  for (const option of options) {
    const [name = '', given] = split(option);
    // The C daemon writes its own with underscores.
    const flag = name.replaceAll('_', '-');
    const known = namesOfMode.some((each) => each.replaceAll('_', '-') === flag);
    if (name === 'cache' && given !== undefined) words = { ...words, cache: given };
    else if (known) flags.push(option);
    else if (name === 'no_writeback') continue;
    else kept.push(option);
    if (name === 'source' && given !== undefined)
      words = { ...words, sharedDir: words.sharedDir ?? given.replace(/\\(.)/g, '$1') };
  }
  const { cache = 'auto', sharedDir, socket } = words;
  if (sharedDir === undefined) return undefined;
  // The Rust daemon takes the C daemon's words too, but whoever writes for it uses its own.
  const server = others.some((word) => /^--shared-dir(=|$)/.test(word)) ? 'rust' : 'c';
  const rest = kept.flatMap((option) => ['-o', option]);
  const own = server === 'c' ? flags : flags.map((flag) => flag.replaceAll('_', '-'));
  return { server, cache, flags: own, sharedDir, socket, others: [...others, ...rest] };
}

function split(option: string): [string, string | undefined] {
  const at = option.indexOf('=');
  return at < 0 ? [option, undefined] : [option.slice(0, at), option.slice(at + 1)];
}

/**
 * The mode that a virtiofsd's command line asks for; undefined where it is none that is known.
 * @param server which implementation it is, where that is known: the Rust one takes the C one's words too.
 */
export function modeOfWords(argv: readonly string[], server?: 'rust' | 'c'): Mode | undefined {
  const words = takenApart(argv);
  if (words === undefined) return undefined;
  const isRust = (server ?? words.server) === 'rust';
  const cache = isRust && words.cache === 'none' ? 'never' : words.cache;
  try {
    return parseMode([isRust ? cache : `c:${cache}`, ...new Set(words.flags)].join('+'));
  } catch {
    return undefined;
  }
}

/** The directory that a virtiofsd's command line serves. */
export function directoryOfWords(argv: readonly string[]): string | undefined {
  return takenApart(argv)?.sharedDir;
}

/** Where a virtiofsd's command line tells it to listen; undefined where it was given a descriptor instead. */
export function socketOfWords(argv: readonly string[]): string | undefined {
  return takenApart(argv)?.socket;
}

/** The tag that a virtiofsd tells its machine by itself (`--tag`). */
export function tagOfWords(argv: readonly string[]): string | undefined {
  const at = argv.findIndex((word) => /^--tag(=|$)/.test(word));
  return at < 0 ? undefined : (argv[at]?.split('=')[1] ?? argv[at + 1]);
}

/**
 * The command line that serves the same directory in another mode, on another socket.
 * @throws KnownError `other-server` for a mode of another program than this.
 */
export function wordsInMode(argv: readonly string[], mode: Mode, socket: string): readonly string[] {
  const named = mode.flags.map((flag) => split(flag)[0]);
  const words = takenApart(argv, [...modeFlags, ...named]);
  if (words === undefined || words.server !== mode.server) {
    const serves =
      words === undefined ? 'no virtiofsd' : words.server === 'c' ? 'the C virtiofsd' : 'the Rust virtiofsd';
    throw new KnownError(
      'other-server',
      `the daemon of this share is ${serves}: it cannot serve the mode ${mode.name}`,
      'Choose a mode of that daemon (vfs-verify contract lists them), or change the daemon by --via hook:COMMAND.',
    );
  }
  if (words.server === 'rust')
    return [
      ...words.others,
      `--socket-path=${socket}`,
      `--cache=${mode.cache}`,
      ...mode.flags.map((flag) => `--${flag}`),
    ];
  const options = [`cache=${mode.cache}`, ...mode.flags];
  return [...words.others, `--socket-path=${socket}`, ...options.flatMap((option) => ['-o', option])];
}
