import type { Endpoint } from '../endpoint/endpoint.ts';
import type { ProbeHello } from '../probe/session.ts';

/** What a side says of itself. */
export interface SideGround {
  readonly user: string;
  /** `free`: it asks for no password. */
  readonly sudo: 'none' | 'asks' | 'free';
  /** The guest's kernel tells of each FUSE request (tracefs, root). */
  readonly fuseTracepoints: boolean;
  /** Private directories of probes that were killed long ago. */
  readonly leftDirectories: readonly string[];
  /** Processes of probes that nothing can end, since they wait for a share that is gone. */
  readonly stuckProbes: readonly number[];
}

/**
 * POSIX sh with what busybox has; it writes nothing. `sudo -k` with a command neither uses nor renews what sudo
 * remembers of its user. A probe that is just being installed has a directory too: only old ones are left behind.
 */
const script = `
echo "user $(id -un 2>/dev/null || id -u)"
if [ "$(id -u)" != 0 ] && command -v sudo >/dev/null 2>&1; then
  if sudo -n -k true >/dev/null 2>&1 </dev/null; then echo 'sudo free'; else echo 'sudo asks'; fi
fi
[ -r /sys/kernel/tracing/events/fuse/fuse_request_send/id ] && echo tracepoints
for place in "\${XDG_RUNTIME_DIR:-}" /dev/shm /run /tmp /var/tmp "\${HOME:-}"; do
  case $place in /?*) find "$place" -maxdepth 1 -type d -name 'vfs-probe-*' -mmin +10 2>/dev/null | sed 's/^/left /' ;; esac
done
grep -hE '^[0-9]+ \\(vfs-probe[^)]*\\) D 1 ' /proc/[0-9]*/stat 2>/dev/null | sed 's/^\\([0-9]*\\) .*/stuck \\1/'
true
`;

/** Asks a side what it has. @throws KnownError as the endpoint does. */
export async function lookAtSide(side: Endpoint): Promise<SideGround> {
  const { stdout } = await side.exec(['sh', '-c', script]);
  return parseSide(stdout);
}

/** Reads what the script printed. */
export function parseSide(text: string): SideGround {
  const lines = text.split('\n');
  const after = (word: string) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const [sudo] = after('sudo');
  return {
    user: after('user')[0] ?? 'unknown',
    sudo: sudo === 'free' || sudo === 'asks' ? sudo : 'none',
    fuseTracepoints: lines.includes('tracepoints'),
    leftDirectories: [...new Set(after('left'))],
    stuckProbes: after('stuck').map(Number),
  };
}

/** Plain node answers in place of the probe. */
export function isNode({ arch }: ProbeHello): boolean {
  return arch === 'node';
}

/** The probe runs on Linux only; plain node says which system it is on. */
export function isLinux(hello: ProbeHello): boolean {
  return !isNode(hello) || hello.kernel.startsWith('linux ');
}

/** What a side's facts are made from. */
export interface SeenSide {
  readonly where: 'host' | 'guest';
  /** As `--guest` or `--host` names it; for cures. */
  readonly flag: string;
  /** It was reached by ssh, which verifies the host key. */
  readonly bySsh: boolean;
  /** What takes root is done by sudo there (--sudo). */
  readonly bySudo?: boolean;
  readonly hello: ProbeHello;
  readonly ground: SideGround;
}
