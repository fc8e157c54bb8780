import type { Endpoint } from '../../endpoint/endpoint.ts';

/** A process of the guest that has something of a share open. */
export interface Holder {
  readonly pid: number;
  /** The program's name. */
  readonly program: string;
  /** A path that it holds, and as what. */
  readonly what: string;
}

/** Each looks at links of /proc only: nothing of the share is opened or asked for. */
const script = `ls -l /proc/[0-9]*/fd /proc/[0-9]*/cwd /proc/[0-9]*/root 2>/dev/null
echo '== maps'
grep -F -- "$1" /proc/[0-9]*/maps /dev/null 2>/dev/null
echo '== end'`;

/**
 * Who in the guest has files of a mount open: descriptors, working directories, mappings. Without root only the
 * user's own processes are seen. What the kernel holds itself (swap, a loop device, an export) is not: it is
 * refused by umount.
 */
export async function holdersOf(guest: Endpoint, point: string): Promise<readonly Holder[]> {
  const { stdout } = await guest.exec(['sh', '-c', script, 'sh', point], { maxBytes: 16 * 1024 * 1024 });
  const found = parseHolders(stdout, point);
  if (found.length === 0) return [];
  const files = found.map(({ pid }) => `/proc/${pid}/comm`);
  const named = await guest.exec(['grep', '', ...files, '/dev/null']);
  const programs = new Map(
    named.stdout.split('\n').flatMap((line) => {
      const [, pid, name] = /^\/proc\/(\d+)\/comm:(.*)$/.exec(line) ?? [];
      return pid === undefined || name === undefined ? [] : [[Number(pid), name] as const];
    }),
  );
  // Whoever has ended meanwhile holds nothing.
  return found.flatMap((each) => {
    const program = programs.get(each.pid);
    return program === undefined ? [] : [{ ...each, program }];
  });
}

/** Reads what the script prints: the first thing that each process holds. */
export function parseHolders(text: string, point: string): readonly Omit<Holder, 'program'>[] {
  const found = new Map<number, string>();
  const add = (pid: string | undefined, path: string, as: string) => {
    const inside = path === point || path.startsWith(point === '/' ? '/' : `${point}/`);
    if (pid !== undefined && inside && !found.has(Number(pid))) found.set(Number(pid), `${path} (${as})`);
  };
  let directory: string | undefined;
  for (const line of text.split('\n')) {
    directory = /^\/proc\/(\d+)\/fd:$/.exec(line)?.[1] ?? directory;
    const [, name = '', target] = /^l.* (\S+) -> (.*)$/.exec(line) ?? [];
    const link = /^\/proc\/(\d+)\/(cwd|root)$/.exec(name);
    if (target !== undefined && link !== null)
      add(link[1], target, link[2] === 'cwd' ? 'its working directory' : 'its root');
    else if (target !== undefined && /^\d+$/.test(name)) add(directory, target, `descriptor ${name}`);
    const map = /^\/proc\/(\d+)\/maps:\S+ \S+ \S+ \S+ \d+ +(\/.*)$/.exec(line);
    if (map !== null) add(map[1], map[2] ?? '', 'mapped');
  }
  return [...found].map(([pid, what]) => ({ pid, what }));
}

/** For people: `tail (812): /mnt/data/log (descriptor 3)`. */
export function holdersInWords(holders: readonly Holder[]): string {
  const shown = holders.slice(0, 10).map(({ pid, program, what }) => `${program} (${pid}): ${what}`);
  const more = holders.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('\n');
}
