import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const program = fileURLToPath(new URL('../bin/vfs-verify.js', import.meta.url));
const platform = new URL('elsewhere.mjs', import.meta.url).href;

/** Programs that every Unix has. Nothing of Linux's own (util-linux, perf, strace), nor of GNU's. */
const posix =
  'cat chmod dd env false find grep gzip head id ls mkdir mktemp printf rm sed sh sleep ssh tail test touch true uname wc';

/** As the stat of BSD answers what GNU's would understand. */
const bsdStat = `#!/bin/sh
echo 'stat: illegal option -- c' >&2
echo 'usage: stat [-FLnq] [-f format | -l | -r | -s | -x] [-t timefmt] [file ...]' >&2
exit 1
`;

/**
 * $1: an empty directory; $2: PATH; the rest: what is run. Its root has everything that this machine's has, but
 * neither /proc nor /sys; the whole machine, with both, is below /linux.
 */
const enter = `
mount -t tmpfs elsewhere "$1"
for each in /*; do
  case $each in /proc | /sys) continue ;; esac
  if [ -L "$each" ]; then cp -P "$each" "$1$each"
  elif [ -d "$each" ]; then mkdir "$1$each"; mount --rbind "$each" "$1$each"
  fi
done
mkdir "$1/linux"
mount --rbind / "$1/linux"
new=$1 PATH=$2:$PATH
shift 2
chroot=$(command -v chroot)
export PATH="\${PATH%%:*}"
exec "$chroot" "$new" "$@"
`;

/** Whether this user may make such a place. */
export const mayBeElsewhere =
  spawnSync('unshare', ['-m', 'sh', '-ec', 'mount -t tmpfs t /mnt; chroot / true']).status === 0;

/**
 * A host that is no Linux, as far as one can be had on Linux: node says so, /proc and /sys are not there, and of
 * programs only those of POSIX.
 */
export interface Elsewhere {
  /** Runs the built program there; every exit status is a result. */
  run(...args: readonly string[]): Promise<{ status: number | undefined; stdout: string; stderr: string }>;
}

/** @param directory a scratch directory, for what the place is made of. */
export function elsewhere(directory: string): Elsewhere {
  const [root, bin] = ['elsewhere', 'elsewhere-bin'].map((each) => path.join(directory, each)) as [
    string,
    string,
  ];
  for (const each of [root, bin]) mkdirSync(each);
  for (const name of posix.split(' ')) {
    const file = ['/usr/bin', '/bin'].map((each) => path.join(each, name)).find(existsSync);
    if (file !== undefined) symlinkSync(file, path.join(bin, name));
  }
  writeFileSync(path.join(bin, 'stat'), bsdStat);
  chmodSync(path.join(bin, 'stat'), 0o755);
  return {
    async run(...args) {
      const result = await execa(
        'unshare',
        ['-m', 'sh', '-ec', enter, 'elsewhere', root, bin, process.execPath, program, ...args],
        {
          ...{ reject: false, stdin: 'ignore', timeout: 180_000 },
          env: { NODE_OPTIONS: `--import ${platform}` },
        },
      );
      return { status: result.exitCode, stdout: result.stdout, stderr: result.stderr };
    },
  };
}

/**
 * `--guest` for the machine that this test runs on, seen from elsewhere: Linux, with everything of it.
 * @param prepare run first, as a shell has it, in a mount namespace of the guest's own.
 */
export function linuxGuest(prepare: string): string {
  return `exec:/usr/bin/unshare -m /usr/sbin/chroot /linux /bin/sh -ec 'export PATH=/usr/sbin:/usr/bin:/sbin:/bin; ${prepare}; exec "$@"' guest`;
}
