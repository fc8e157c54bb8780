import { KnownError } from './error.ts';

/**
 * How a share is cached: the daemon's cache policy and its own flag names, plus the mount's options.
 * Written `auto`, `always+writeback`, `auto+allow-direct-io`, `auto+dax=always`, `9p:loose`, `c:auto`
 * (the C daemon of QEMU 7.2 and older). Where both views are one file system of one kernel: `local:bind`.
 */
export interface Mode {
  /** The canonical name, as `formatMode` writes it. */
  readonly name: string;
  /**
   * Who serves the share. `rust` and `c` are the two virtiofsd implementations; 9p is served by QEMU; `local` is
   * nobody: both views are mounts of one superblock.
   */
  readonly server: 'rust' | 'c' | '9p' | 'local';
  /** The cache policy in its server's own word. */
  readonly cache: string;
  /**
   * Daemon flags without their leading dashes, sorted: `allow-direct-io`, `writeback`. Those of the C daemon are
   * the words behind its `-o`, with underscores: `allow_direct_io`, `posix_lock`.
   */
  readonly flags: readonly string[];
  /** The guest's `-o dax=` mount option, where one was given. */
  readonly dax: 'always' | 'inode' | 'never' | undefined;
}

const policies: Record<Mode['server'], readonly string[]> = {
  rust: ['never', 'metadata', 'auto', 'always'],
  c: ['none', 'auto', 'always'],
  '9p': ['none', 'readahead', 'mmap', 'loose', 'fscache'],
  local: ['bind'],
};

/** The modes that a plain lab brings up, in the order in which reports print them. */
export const labModes: readonly string[] = [
  'never',
  'metadata',
  'auto',
  'auto+writeback',
  'always',
  'always+writeback',
];

/**
 * Everything that a lab brings up in one machine when it is asked for all, in the same order; what cannot be had
 * where it runs is left out.
 */
export const allModes: readonly string[] = [
  ...labModes,
  'never+writeback',
  'metadata+writeback',
  'never+allow-mmap',
  'auto+allow-direct-io',
  'auto+dax=always',
  'auto+dax=inode',
  'auto+dax=never',
  'c:none',
  'c:auto',
  'c:always',
  '9p:none',
  '9p:readahead',
  '9p:mmap',
  '9p:loose',
  '9p:fscache',
];

/**
 * Reads a mode's name.
 * @throws KnownError `bad-mode` for a policy that its server does not have, an empty or a doubled flag.
 */
export function parseMode(text: string): Mode {
  const [head = '', ...options] = text.split('+');
  const [prefix, rest] = head.includes(':')
    ? [head.slice(0, head.indexOf(':')), head.slice(head.indexOf(':') + 1)]
    : ['rust', head];
  const server =
    prefix === 'rust' || prefix === 'c' || prefix === '9p' || prefix === 'local' ? prefix : undefined;
  if (server === undefined || !policies[server].includes(rest)) {
    const known = server === undefined ? Object.values(policies).flat() : policies[server];
    throw new KnownError(
      'bad-mode',
      `"${text}" is not a mode`,
      `A mode is a cache policy (${[...new Set(known)].join(', ')}) with flags joined by "+", such as always+writeback, 9p:loose or c:auto.`,
    );
  }
  let dax: Mode['dax'];
  const flags: string[] = [];
  for (const given of options) {
    const option = server === 'c' ? cWord(given) : given;
    const value = option.startsWith('dax=') ? option.slice(4) : undefined;
    if (value === 'always' || value === 'inode' || value === 'never') dax = value;
    else if (
      value !== undefined ||
      !/^[a-z][a-z0-9_-]*(=[a-z0-9._-]+)?$/.test(option) ||
      flags.includes(option)
    ) {
      throw new KnownError(
        'bad-mode',
        `"${text}" is not a mode: "${option}" is no flag, or is there twice`,
        "Write flags in the daemon's own words, such as writeback, allow-direct-io or dax=always.",
      );
    } else flags.push(option);
  }
  flags.sort();
  return { name: formatMode({ server, cache: rest, flags, dax }), server, cache: rest, flags, dax };
}

/** The C daemon's `-o` words are written with underscores; its long options are not among them. */
function cWord(flag: string): string {
  const at = flag.indexOf('=');
  const [name, value] = at < 0 ? [flag, ''] : [flag.slice(0, at), flag.slice(at)];
  const isLong = name === 'thread-pool-size' || name === 'rlimit-nofile';
  return `${isLong ? name : name.replaceAll('-', '_')}${value}`;
}

/** Whether a mode's files may be in a DAX window: `dax=never` is the control. */
export function hasWindow(mode: Mode | undefined): boolean {
  return mode?.dax === 'always' || mode?.dax === 'inode';
}

/** The same daemon's mode, mounted with this `-o dax=`. */
export function withDax(mode: Mode, dax: NonNullable<Mode['dax']>): Mode {
  const other = { ...mode, dax };
  return { ...other, name: formatMode(other) };
}

/** The flag of a mode that says 9p's security model. */
export function securityModelFlag(model: string): string {
  return `security_model=${model}`;
}

/** Whether a flag of a 9p mode is an option of the guest's mount: all are but QEMU's own. */
export function isOfMount(flag: string): boolean {
  return !flag.startsWith(securityModelFlag(''));
}

/**
 * How QEMU's 9p server keeps owners, permissions and special files (`-fsdev …,security_model=`), where the mode says
 * it. `mapped-xattr` and `mapped-file` keep them beside the file: the host sees QEMU's own instead.
 */
export function securityModelOf({ server, flags }: Mode): string | undefined {
  const prefix = securityModelFlag('');
  return server === '9p' ? flags.find((flag) => flag.startsWith(prefix))?.slice(prefix.length) : undefined;
}

/**
 * The mode of a 9p mount.
 * @param cache its `cache=` option; undefined: none was given.
 * @param model what QEMU's words say. Only the models that map are part of a mode: without one, what the guest sets is
 * what the host sees.
 */
export function ninepMode(cache: string | undefined, model?: string): Mode {
  const mapped = model === 'mapped' ? 'mapped-xattr' : model;
  const flag = mapped?.startsWith('mapped') === true ? `+${securityModelFlag(mapped)}` : '';
  return parseMode(`9p:${cache ?? 'none'}${flag}`);
}

/** How that mode is known, in words. */
export function howNinepIsKnown(mode: Mode): string {
  const ofQemu = securityModelOf(mode) === undefined ? '' : " and QEMU's command line";
  return `the guest's mount options${ofQemu}`;
}

/** The canonical name of a mode. */
function formatMode(mode: Omit<Mode, 'name'>): string {
  const head = mode.server === 'rust' ? mode.cache : `${mode.server}:${mode.cache}`;
  return [head, ...mode.flags, ...(mode.dax === undefined ? [] : [`dax=${mode.dax}`])].join('+');
}
