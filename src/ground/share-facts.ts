import type { GroundFact } from '../model/ground.ts';
import { hasWindow, type Mode } from '../model/mode.ts';
import { shellWord } from '../model/shell-word.ts';

/** What was seen of one share; undefined where it could not be told. */
export interface SeenShare {
  readonly guestDir: string;
  readonly hostDir: string;
  readonly type: 'virtiofs' | '9p' | undefined;
  readonly tag: string | undefined;
  readonly server: string | undefined;
  readonly mode: Mode | undefined;
  readonly modeHow: string;
  /** The process that serves it, and whether its counters may be read (an errno's name where not). */
  readonly daemon: { readonly pid: number; readonly refused?: string } | undefined;
  /** On no other system anything is seen of who serves it. */
  readonly hostIsLinux: boolean;
  /** Inodes of its root. */
  readonly inodes: { readonly guest: string | undefined; readonly host: string | undefined };
  readonly readOnly: boolean | undefined;
  readonly freeBytes: number | undefined;
  /** Whether the guest's memory is shared with the daemon. */
  readonly memoryShared: boolean | undefined;
  /** What `mode --set` could use. */
  readonly via: string | undefined;
  /** Directories of runs that were killed. */
  readonly leftDirectories: readonly string[];
}

/** Checks make files of some MiB, and trees of thousands of names. */
const fewBytes = 256 * 1024 * 1024;

/** What can be told of a share, and the cure of what cannot. */
export function shareFacts(share: SeenShare): readonly GroundFact[] {
  return [
    placeFact(share),
    modeFact(share),
    daemonFact(share),
    ...(share.type === 'virtiofs' ? memoryFact(share) : []),
    ...directFact(share),
    ...windowFact(share),
    spaceFact(share),
    ...leftoverFact(share),
  ];
}

function placeFact({ type, tag, inodes, guestDir, hostDir }: SeenShare): GroundFact {
  const about = 'place';
  const kind = `${type ?? 'a share'}${tag === undefined ? '' : `, tag ${tag}`}`;
  if (inodes.host === undefined)
    return {
      ...{ about, state: 'missing', said: `${kind}: the host has no ${hostDir}, or does not let us see it` },
      cure: `--map ${shellWord(guestDir)}=HOSTDIR`,
    };
  if (inodes.guest === undefined)
    return {
      ...{ about, state: 'missing', said: `${kind}: the guest does not answer for ${guestDir}` },
      cure: 'see whether its daemon still runs; if not, reboot the guest',
    };
  return inodes.guest === inodes.host
    ? { about, state: 'ok', said: `${kind}: the same inode on both sides (${inodes.host})` }
    : {
        ...{ about, state: 'limited' },
        said: `${kind}: its root is inode ${inodes.guest} in the guest and ${inodes.host} on the host: perhaps not the same directory`,
        cure: `--map ${shellWord(guestDir)}=HOSTDIR, if it is another`,
      };
}

function modeFact({ mode, modeHow, server }: SeenShare): GroundFact {
  const about = 'mode';
  const by = server === undefined ? '' : `, ${server}`;
  return mode === undefined
    ? {
        ...{ about, state: 'limited', said: `${modeHow}${by}: what the share promises is not known` },
        cure: '--mode NAME, as in: --mode auto',
      }
    : { about, state: 'ok', said: `${mode.name} (${modeHow})${by}` };
}

function daemonFact({ daemon, type, mode, hostIsLinux }: SeenShare): GroundFact {
  const about = 'daemon';
  if (mode?.server === 'local')
    return { about, state: 'ok', said: 'nobody serves it: both sides are one kernel' };
  if (!hostIsLinux)
    return {
      ...{ about, state: 'limited' },
      said: 'who serves it is not seen on this system: where reads come from is told by latency only',
    };
  if (daemon === undefined)
    return {
      ...{
        about,
        state: 'limited',
        said: 'who serves it is not seen: where reads come from is told by latency only',
      },
      cure: 'sudo vfs-verify … on the host where the daemon runs',
    };
  const who = `${type === '9p' ? 'QEMU' : 'the daemon'} is the process ${daemon.pid}`;
  return daemon.refused === undefined
    ? { about, state: 'ok', said: `${who}, whose reads can be counted` }
    : {
        ...{ about, state: 'limited' },
        said: `${who}, whose counters are refused (${daemon.refused}): where reads come from is told by latency only`,
        cure: 'root on the host: sudo vfs-verify …, or --sudo',
      };
}

function memoryFact({ memoryShared }: SeenShare): readonly GroundFact[] {
  const about = 'memory';
  if (memoryShared === undefined) return [];
  return [
    memoryShared
      ? { about, state: 'ok', said: "the guest's memory is shared with the daemon" }
      : {
          ...{
            about,
            state: 'missing',
            said: "the guest's memory is not shared: no virtiofs daemon can serve it",
          },
          cure: '-object memory-backend-memfd,id=mem,size=SIZE,share=on -numa node,memdev=mem',
        },
  ];
}

function directFact({ mode }: SeenShare): readonly GroundFact[] {
  if (mode === undefined || !isVirtiofs(mode)) return [];
  const reaches = mode.flags.some((each) => each.replaceAll('_', '-') === 'allow-direct-io');
  return [
    reaches
      ? { about: 'direct-io', state: 'ok', said: "the guest's O_DIRECT reads past the host's page cache" }
      : {
          ...{ about: 'direct-io', state: 'limited' as const },
          said: "the guest's O_DIRECT reads from the host's page cache, not from the disk",
          cure: 'virtiofsd --allow-direct-io, to measure the disk from the guest',
        },
  ];
}

function isVirtiofs({ server }: Mode): boolean {
  return server === 'rust' || server === 'c';
}

function windowFact({ mode }: SeenShare): readonly GroundFact[] {
  if (mode === undefined || !isVirtiofs(mode)) return [];
  return [
    {
      about: 'window',
      state: 'ok',
      said: hasWindow(mode) ? `a DAX window (dax=${mode.dax})` : 'no DAX window',
    },
  ];
}

function spaceFact({ readOnly, freeBytes, hostDir }: SeenShare): GroundFact {
  const about = 'space';
  if (readOnly === true)
    return {
      ...{ about, state: 'missing', said: 'it cannot be written: checks make files of their own in it' },
      cure: `mount it read-write; on the host ${hostDir} must be ours to write`,
    };
  if (freeBytes === undefined) return { about, state: 'limited', said: 'how much space it has is not told' };
  const said = `${Math.floor(freeBytes / (1024 * 1024)).toLocaleString('en')} MiB are free`;
  return freeBytes < fewBytes
    ? {
        about,
        state: 'limited',
        said: `only ${said}: checks may run out of space`,
        cure: `df -h ${shellWord(hostDir)}`,
      }
    : { about, state: 'ok', said: `can be written; ${said}` };
}

function leftoverFact({ leftDirectories, hostDir }: SeenShare): readonly GroundFact[] {
  if (leftDirectories.length === 0) return [];
  return [
    {
      ...{ about: 'leftovers', state: 'limited' },
      said: `left behind by runs that were killed: ${leftDirectories.join(', ')} (the next check removes it)`,
      cure: `rm -r ${leftDirectories.map((each) => shellWord(`${hostDir}/${each}`)).join(' ')}`,
    },
  ];
}
