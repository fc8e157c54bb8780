import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

/**
 * The machine as it is, with its own sudo, and with an ordinary user and rules that it does not have: what is written
 * to /etc and /usr/libexec there is seen in a mount namespace alone, and gone with it, however a test ends.
 */
export interface SudoPlace {
  /** What a user may be given to write to. */
  readonly home: string;
  /** The user there, as `--guest` names a side. */
  readonly address: string;
  /** The rules of /etc/sudoers.d; refused as visudo refuses them. */
  setRules(text: string): void;
  /** Does what `--print-privileged` printed: its rules, and the program that they name where they name it. */
  allow(printed: string): void;
  /** As root. */
  asRoot(script: string): string;
  /** Any program as the user, who has no terminal. */
  asUser(argv: readonly string[]): Promise<Ran>;
  /** The built program as the user. */
  run(...args: readonly string[]): Promise<Ran>;
  end(): void;
}

interface Ran {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export const userName = 'vfs-verify-user';
const uid = 4242;
const clone = fileURLToPath(new URL('..', import.meta.url));

const script = `
mount -t tmpfs tmpfs "$1/own"
for each in etc usr/libexec; do
  mkdir -p "$1/own/$each/upper" "$1/own/$each/work"
  mount -t overlay overlay -o "lowerdir=/$each,upperdir=$1/own/$each/upper,workdir=$1/own/$each/work" "/$each"
done
mount --bind "$2" "$1/clone"
echo "$3:x:$4:$4::$1/home:/bin/sh" >>/etc/passwd
echo "$3:x:$4:" >>/etc/group
echo "$3:*:19000:0:99999:7:::" >>/etc/shadow
echo ready
exec sleep 1200
`;

/** @param directory where an ordinary user may go; it is removed by whoever made it. */
export async function sudoPlace(
  directory: string,
  env: Readonly<Record<string, string>> = {},
): Promise<SudoPlace> {
  const at = (...names: string[]) => path.join(directory, ...names);
  for (const each of ['own', 'clone', 'home']) mkdirSync(at(each));
  chmodSync(directory, 0o755);
  chownSync(at('home'), uid, uid);
  const words = [directory, clone, userName, `${uid}`];
  const place: ChildProcess = spawn('unshare', ['--mount', 'sh', '-ec', script, 'sh', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [told] =
    place.stdout === null ? [] : await Promise.race([once(place.stdout, 'data'), once(place, 'exit')]);
  if (String(told) !== 'ready\n') throw new Error('no /etc of its own can be had here');
  const inPlace = ['-t', `${place.pid}`, '-m'];
  const asRoot = (text: string) =>
    execFileSync('nsenter', [...inPlace, 'sh', '-ec', text], { encoding: 'utf8' });
  const user = [...inPlace, 'setpriv', '--reuid', `${uid}`, '--regid', `${uid}`, '--clear-groups'];
  const asUser = async (argv: readonly string[]) => {
    const result = await execa('nsenter', [...user, ...argv], {
      ...{ reject: false, stdin: 'ignore', timeout: 100_000 },
      env: { HOME: at('home'), TMPDIR: at('home'), XDG_RUNTIME_DIR: '', XDG_STATE_HOME: at('home'), ...env },
    });
    return { status: result.exitCode, stdout: result.stdout, stderr: result.stderr };
  };
  const setRules = (text: string) => {
    const file = '/etc/sudoers.d/vfs-verify-test';
    const put = `cat >${file}; chmod 440 ${file}; visudo -cqf ${file}`;
    execFileSync('nsenter', [...inPlace, 'sh', '-ec', put], { input: text });
  };
  return {
    home: at('home'),
    address: `exec:nsenter ${user.join(' ')}`,
    setRules,
    allow(printed) {
      const rules = printed.slice(printed.indexOf('# For sudoers'));
      setRules(`${rules}\n`);
      for (const [, install = ''] of rules.matchAll(/^# \w+: sudo (install .*)$/gm)) asRoot(install);
    },
    asRoot,
    asUser,
    run: (...args) => asUser([process.execPath, at('clone/bin/vfs-verify.js'), ...args]),
    end: () => void place.kill('SIGKILL'),
  };
}
