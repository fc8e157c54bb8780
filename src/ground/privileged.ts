type Flags = Readonly<Record<string, unknown>>;

/** One thing that takes root, and what is known without it. */
export interface PrivilegedDeed {
  readonly sides: readonly ('host' | 'guest')[];
  /** As a person would do it. */
  readonly does: string;
  /** For what it is needed. */
  readonly why: string;
  /** What happens without it. */
  readonly without: string;
  /** Only where the command's flags are so. */
  readonly when?: (flags: Flags) => boolean;
  readonly commands: readonly string[];
  /**
   * How `--sudo` does it: by a probe that does nothing else, which a rule for sudoers can name, or by a shell, which
   * takes a rule for anything. `login`: not at all; the side must be reached as root.
   */
  readonly by: 'probe' | 'shell' | 'login';
}

const accounts = ['reads', 'explain', 'check'];
const findsShares = ['md5', 'reads', 'residency', 'drop', 'explain', 'check', 'mode', 'doctor'];

/** Nobody names them. */
const looksForShares = (flags: Flags) => flags.map === undefined && flags.lab !== true;
const has = (name: string) => (flags: Flags) => flags[name] !== undefined && flags[name] !== false;

/** Everything that vfs-verify does as root where it may, and nothing else. */
const deeds: readonly PrivilegedDeed[] = [
  {
    ...{ sides: ['host'], commands: findsShares, when: looksForShares, by: 'shell' },
    does: 'ls -l /proc/PID/fd; readlink /proc/PID/cwd; cat /proc/net/unix',
    why: 'which daemon serves which machine, where libvirt gave it a descriptor or it was told a relative path',
    without: 'libvirt is asked (virsh); else --map says it',
  },
  {
    ...{ sides: ['host'], commands: accounts, by: 'probe' },
    does: "cat /proc/PID/io   (the daemon's; QEMU's for 9p)",
    why: 'how many bytes crossed to the daemon, and how many the disk gave',
    without: 'told by latency only',
  },
  {
    ...{ sides: ['guest'], commands: ['explain'], by: 'probe' },
    does: 'perf_event_open of a kprobe at fuse_fsync   (9p: v9fs_file_fsync_dotl)',
    why: 'how often a program syncs, and how long that takes',
    without: "fio's own count, where it has one",
  },
  {
    ...{
      sides: ['guest', 'host'],
      commands: ['reads', 'drop', 'check'],
      when: has('systemWide'),
      by: 'probe',
    },
    does: 'echo 3 > /proc/sys/vm/drop_caches',
    why: '--system-wide',
    without: 'refused; a file is dropped without root',
  },
  {
    ...{ sides: ['guest'], commands: ['mode'], when: has('set'), by: 'login' },
    does: 'umount; mount',
    why: 'another mode takes another mount',
    without: 'refused',
  },
  {
    ...{ sides: ['guest'], commands: ['check'], when: has('via'), by: 'login' },
    does: 'umount; mount',
    why: 'another mode takes another mount',
    without: 'refused',
  },
];

/** What a command with these flags does as root. */
export function privilegedDeeds(command: string, flags: Flags): readonly PrivilegedDeed[] {
  return deeds.filter(({ commands, when }) => commands.includes(command) && (when?.(flags) ?? true));
}
