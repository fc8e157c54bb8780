import { randomBytes } from 'node:crypto';
import type { Endpoint } from '../../endpoint/endpoint.ts';
import { KnownError } from '../../model/error.ts';

/** A process of the host that may serve a share, or be a machine that has one. */
export interface SurveyedProcess {
  readonly pid: number;
  readonly parent: number | undefined;
  readonly uid: number | undefined;
  readonly argv: readonly string[];
  /** Undefined where the process is not ours to look into. */
  readonly directory: string | undefined;
  /** Inodes of the sockets that it holds; none where it is not ours to look into. */
  readonly sockets: readonly string[];
  /** It belongs to somebody's lab (the lab's mark is in its environment). */
  readonly ofLab: boolean;
}

/** What one look at a host showed. */
export interface HostSurvey {
  readonly processes: readonly SurveyedProcess[];
  /** A unix socket's address → the inodes of those that have it. */
  readonly sockets: ReadonlyMap<string, readonly string[]>;
  /** Who looked. */
  readonly uid: number | undefined;
}

const surveyMs = 20_000;
/** Command lines of machines with hundreds of disks are some 10 KiB each. */
const mostBytes = 16 * 1024 * 1024;

/**
 * POSIX sh with what busybox has, few processes for each that is found. Its words are NUL-terminated in
 * /proc, so each part begins with a line of a word that nobody can know before ($1).
 */
const script = `
word=$1
part() { printf '\\n%s %s\\n' "$word" "$*"; }
part me; id -u
part unix
grep ' /' /proc/net/unix
for file in $(grep -lsE 'vhost-user|virtio-9p|virtfs|mount_tag|shared-dir|source=' /proc/[0-9]*/cmdline); do
  pid=\${file#/proc/} pid=\${pid%/cmdline}
  [ "$pid" != $$ ] || continue
  part words "$pid"; cat "$file" 2>/dev/null
  part status; grep -E '^(PPid|Uid):' "/proc/$pid/status" 2>/dev/null
  part cwd; readlink "/proc/$pid/cwd" 2>/dev/null
  part sockets; ls -l "/proc/$pid/fd" 2>/dev/null | grep -o 'socket:\\[[0-9]*\\]'
  part mark; grep -c VFS_VERIFY_LAB= "/proc/$pid/environ" 2>/dev/null
done
part end
`;

/**
 * Looks at the processes of a host that may serve shares or have them, by their command lines alone: nothing of
 * theirs is touched. Any user sees the command lines; working directories and sockets only of his own processes.
 * @throws KnownError `no-survey`, and as the endpoint does.
 */
export async function surveyHost(host: Endpoint): Promise<HostSurvey> {
  const word = randomBytes(8).toString('hex');
  const { stdout, stderr } = await host.exec(['sh', '-c', script, 'vfs-verify-survey', word], {
    timeoutMs: surveyMs,
    maxBytes: mostBytes,
  });
  if (!stdout.includes(`\n${word} end`))
    throw new KnownError(
      'no-survey',
      `${host.name}: its processes cannot be listed`,
      'Mount /proc there, or say which directories are one share: --map GUESTDIR=HOSTDIR.',
      { detail: stderr },
    );
  return parseSurvey(stdout, word);
}

/** Reads what the script printed. */
export function parseSurvey(text: string, word: string): HostSurvey {
  const sockets = new Map<string, string[]>();
  const processes: SurveyedProcess[] = [];
  let uid: number | undefined;
  let process: { -readonly [key in keyof SurveyedProcess]: SurveyedProcess[key] } | undefined;
  for (const part of text.split(`\n${word} `)) {
    const [head = '', ...rest] = part.split('\n');
    const body = rest.join('\n');
    const [what, pid] = head.split(' ');
    if (what === 'me') uid = Number(body);
    if (what === 'unix')
      for (const [address, inode] of socketsOf(body))
        sockets.set(address, [...(sockets.get(address) ?? []), inode]);
    if (what === 'words') {
      process = {
        ...{ pid: Number(pid), parent: undefined, uid: undefined, argv: body.replace(/\0$/, '').split('\0') },
        ...{ directory: undefined, sockets: [], ofLab: false },
      };
      processes.push(process);
    }
    if (process === undefined) continue;
    if (what === 'status') {
      process.parent = numberAfter(body, 'PPid');
      process.uid = numberAfter(body, 'Uid');
    }
    if (what === 'cwd' && body !== '') process.directory = body.replace(/\n$/, '');
    if (what === 'sockets') process.sockets = [...body.matchAll(/\[(\d+)\]/g)].map(([, inode = '']) => inode);
    if (what === 'mark') process.ofLab = Number(body) > 0;
  }
  // One that ended meanwhile has no words.
  return { processes: processes.filter(({ argv }) => argv[0] !== ''), sockets, uid };
}

function socketsOf(table: string): (readonly [string, string])[] {
  return table.split('\n').flatMap((line) => {
    const [, inode, address] = /^\S+ \S+ \S+ \S+ \S+ \S+ +(\d+) (\/.*)$/.exec(line) ?? [];
    return inode === undefined || address === undefined ? [] : [[address, inode] as const];
  });
}

function numberAfter(text: string, name: string): number | undefined {
  const found = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
