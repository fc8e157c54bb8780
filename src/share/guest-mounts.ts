import type { Endpoint } from '../endpoint/endpoint.ts';
import { KnownError } from '../model/error.ts';
import { hiddenMounts } from './hidden-mounts.ts';
import { isInside } from './inside.ts';

/** One mount of the guest, from its /proc/self/mountinfo. */
export interface GuestMount {
  readonly point: string;
  /** What of the file system is mounted there: `/`, or a directory of it (a bind mount). */
  readonly root: string;
  readonly type: string;
  /** For virtiofs and 9p the device's tag. */
  readonly source: string;
  /** Mounts of the same number are of the same superblock. */
  readonly device: string;
  /** Of the mount, then of the superblock, without what is there twice; `cache=` of 9p by its name. */
  readonly options: readonly string[];
  /** No path leads there any more: another was mounted on it, or on a directory above it. */
  readonly isHidden: boolean;
}

/**
 * The mounts that the guest has now.
 * @throws KnownError as the endpoint does, and `no-proc`.
 */
export async function mountsOfGuest(guest: Endpoint): Promise<readonly GuestMount[]> {
  const { stdout, status, stderr } = await guest.exec(['cat', '/proc/self/mountinfo']);
  if (status === 0) return parseMountinfo(stdout);
  throw new KnownError(
    'no-proc',
    'the guest does not show its mounts (/proc/self/mountinfo)',
    'Mount /proc in the guest.',
    { detail: stderr },
  );
}

/** Reads /proc/PID/mountinfo (proc_pid_mountinfo(5)); what does not look like it is left out. */
export function parseMountinfo(text: string): readonly GuestMount[] {
  const rows = text.split('\n').flatMap((line) => {
    const [before = '', after] = line.split(' - ');
    const [id = '', parent = '', device, root, point, options] = before.split(' ');
    const [type, source, superOptions = ''] = after?.split(' ') ?? [];
    if (device === undefined || point === undefined || type === undefined || source === undefined) return [];
    const all = [...(options ?? '').split(','), ...superOptions.split(',')].filter((each) => each !== '');
    const mount = {
      ...{ device, type },
      root: unescaped(root ?? '/'),
      point: unescaped(point),
      source: unescaped(source),
      options: [...new Set(all.map((each) => (type === '9p' ? named9pCache(each) : each)))],
    };
    return { place: { id, parent, point: mount.point }, mount };
  });
  const hidden = hiddenMounts(rows.map(({ place }) => place));
  return rows.map(({ place, mount }) => ({ ...mount, isHidden: hidden.has(place.id) }));
}

/** Space, tab, newline and backslash are written in octal. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Linux 6.4 and newer shows the bits of the policy (fs/9p/v9fs.h). */
const caches9p: Readonly<Record<number, string>> = {
  0: 'none',
  1: 'readahead',
  5: 'mmap',
  15: 'loose',
  143: 'fscache',
};

function named9pCache(option: string): string {
  const bits = /^cache=(?:0x)?([0-9a-f]+)$/.exec(option)?.[1];
  const name = bits === undefined ? undefined : caches9p[Number.parseInt(bits, 16)];
  return name === undefined ? option : `cache=${name}`;
}

/** The mount that a directory of the guest is in. */
export function mountOf(directory: string, mounts: readonly GuestMount[]): GuestMount | undefined {
  const holding = mounts.filter(({ point, isHidden }) => !isHidden && isInside(directory, point));
  const longest = Math.max(...holding.map(({ point }) => point.length));
  return holding.filter(({ point }) => point.length === longest).at(-1);
}

/** The value of an option `NAME=VALUE` of a mount. */
export function optionOf({ options }: Pick<GuestMount, 'options'>, name: string): string | undefined {
  return options.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** A mount's options with one of the form `NAME=VALUE` set, or without it. */
export function withOption(
  options: readonly string[],
  name: string,
  value: string | undefined,
): readonly string[] {
  const others = options.filter((each) => !each.startsWith(`${name}=`));
  return value === undefined ? others : [...others, `${name}=${value}`];
}
