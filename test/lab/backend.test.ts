import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/endpoint/endpoint.ts';
import { connectSsh } from '../../src/endpoint/ssh.ts';
import type { LabInfo } from '../../src/lab/info.ts';
import { labModes } from '../../src/model/mode.ts';
import type { Result } from '../../src/model/report.ts';
import { backend, countsOf, setFaults } from './backend.ts';
import { downLab, reportOf, upLab } from './cli.ts';
import { switchedOn, toldToRemember } from './told/others.ts';

// The lab's own backend: without a fault as good as the released daemon, and with one wrong in just that way.

const name = `backend-${process.pid}`;
const modes = [...labModes, 'auto+xattr', 'auto+locks', 'never+killpriv-v2'];
let lab: LabInfo;
let guest: Endpoint;

beforeAll(async () => {
  lab = await upLab(name, '--virtiofsd', backend, '--modes', modes.join(','));
  guest = await connectSsh({ ...lab.ssh, strict: true });
});
afterAll(async () => {
  await guest?.close();
  await downLab(name);
});

describe('without a fault', () => {
  it('it serves each mode as the released daemon does', async () => {
    const { status, report } = await reportOf([
      'check',
      `--lab=${name}`,
      'mode-in-force',
      'md5',
      '--modes',
      labModes.join(','),
      '--seed',
      '5',
    ]);
    expect(status, JSON.stringify(report.results.map(({ verdict }) => verdict))).toBe(0);
    expect(new Set(report.results.map(({ mode }) => mode))).toEqual(new Set(labModes));
  });

  it('it clears set-user-ID bits whenever the guest leaves that to it, and never otherwise', async () => {
    const asked = ['check', `--lab=${name}`, 'set-user-id', '--modes', 'never+killpriv-v2', '--seed', '5'];
    const { report } = await reportOf(asked);
    const verdicts = report.results.flatMap(({ cases }) =>
      cases.map((each) => `${each.name} ${each.verdict.kind}`),
    );
    expect(verdicts.length).toBeGreaterThan(10);
    expect(verdicts.filter((each) => !each.endsWith(' pass'))).toEqual([]);
  });

  it('it lets a user make files in a directory of a group of theirs', async () => {
    const lines = [
      'mkdir /mnt/never/of-group && cd /mnt/never/of-group',
      'chown 0:2000 . && chmod 2770 .',
      'echo shared:x:2000:user >> /etc/group',
      "su user -c 'touch file && mkdir directory && stat -c %u:%g file directory'",
    ];
    const { stdout, stderr } = await guest.exec(['sh', '-c', lines.join(' && ')]);
    expect(stdout.trim(), stderr).toBe('1000:2000\n1000:2000');
  });

  it('it counts what it serves', async () => {
    await writeFile(path.join(lab.hostDir, 'counted'), Buffer.alloc(300_000, 'x'));
    const before = await countsOf(lab, 'never');
    await guest.exec(['cat', '/mnt/never/counted']);
    const after = await countsOf(lab, 'never');
    expect((after.get('bytes-read') ?? 0) - (before.get('bytes-read') ?? 0)).toBe(300_000);
    expect((after.get('OPEN') ?? 0) - (before.get('OPEN') ?? 0)).toBe(1);
    expect(after.get('faults')).toBe(0);
  });
});

/** The code of each case that failed, by `check/case`. */
function codesIn(results: readonly Result[]): Record<string, string | undefined> {
  return Object.fromEntries(
    results.flatMap(({ check, cases }) =>
      cases.flatMap((each) =>
        each.verdict.kind === 'fail' ? [[`${check}/${each.name}`, each.verdict.code] as const] : [],
      ),
    ),
  );
}

interface Lie {
  readonly fault: string;
  /** In the guest, in a directory of its own of the mode never; `$o` is the same through another daemon. */
  readonly guest: string;
  /** Files that are there before, made on the host. */
  readonly files?: Readonly<Record<string, string>>;
  /** On the host afterwards, in the same directory; else what the guest printed is looked at. */
  readonly host?: (directory: string) => Promise<string>;
  readonly honest: string;
  readonly lying: string;
}

const contentOf = (file: string) => (directory: string) =>
  readFile(path.join(directory, file), 'utf8').catch(() => 'no such file');
const sizeOf = (file: string) => async (directory: string) =>
  String((await stat(path.join(directory, file))).size);
const names = async (directory: string) => (await readdir(directory)).sort().join(' ');
const f = { f: 'hello, world' };
const zeros = 'tr "\\0" 0';

const lies: readonly Lie[] = [
  // Attributes.
  { fault: 'size-short=3', files: f, guest: 'stat -c %s f', honest: '12', lying: '9' },
  { fault: 'blocks-zero', files: f, guest: 'stat -c %b f', honest: '8', lying: '0' },
  { fault: 'nlink-one', files: f, guest: 'ln f g; stat -c %h f', honest: '2', lying: '1' },
  {
    fault: 'ino-changes',
    files: f,
    guest: '[ $(stat -c %i f) = $(stat -c %i f) ] && echo same || echo other',
    honest: 'same',
    lying: 'other',
  },
  {
    fault: 'mtime-frozen',
    files: f,
    guest: 'stat f >/dev/null; touch -d @86400 f; stat -c %Y f | grep -qx 86400 && echo new || echo old',
    honest: 'new',
    lying: 'old',
  },
  {
    fault: 'mtime-coarse=10',
    files: f,
    guest: 'touch -d @86409 f; stat -c %Y f',
    honest: '86409',
    lying: '86400',
  },
  {
    fault: 'mode-stale',
    files: f,
    guest: 'stat f >/dev/null; chmod 600 f; stat -c %a f',
    honest: '600',
    lying: '644',
  },
  { fault: 'chmod-ignored', files: f, guest: 'chmod 600 f; stat -c %a f', honest: '600', lying: '644' },
  {
    fault: 'utimens-ignored',
    files: f,
    guest: 'touch -d @86400 f; [ $(stat -c %Y f) = 86400 ] && echo set || echo not set',
    honest: 'set',
    lying: 'not set',
  },
  {
    fault: 'truncate-ignored',
    files: f,
    guest: 'truncate -s 3 f',
    host: sizeOf('f'),
    honest: '3',
    lying: '12',
  },
  // Names.
  { fault: 'lookup-gone', files: f, guest: 'cat f || echo gone', honest: 'hello, world', lying: 'gone' },
  {
    fault: 'lookup-wrong-inode',
    files: { a: 'bytes of a', b: 'bytes of b' },
    guest: 'cat a >/dev/null; cat b',
    honest: 'bytes of b',
    lying: 'bytes of a',
  },
  { fault: 'create-lost', guest: 'echo x > f; echo y > g', host: names, honest: 'f g', lying: '' },
  { fault: 'mkdir-error', guest: 'mkdir d || echo failed', honest: '', lying: 'failed' },
  { fault: 'link-error', files: f, guest: 'ln f g || echo failed', honest: '', lying: 'failed' },
  {
    fault: 'link-new-inode',
    files: f,
    guest: 'ln f g; echo more >> g; cat f',
    honest: 'hello, worldmore',
    lying: 'hello, world',
  },
  { fault: 'rename-lost', files: f, guest: 'mv f g', host: names, honest: 'g', lying: 'f' },
  { fault: 'rename-copies', files: f, guest: 'mv f g', host: names, honest: 'g', lying: 'f g' },
  { fault: 'unlink-silent', files: f, guest: 'rm f', host: names, honest: '', lying: 'f' },
  { fault: 'rmdir-silent', guest: 'mkdir d; rmdir d', host: names, honest: '', lying: 'd' },
  {
    fault: 'symlink-other-target',
    guest: 'ln -s one a; ln -s two b; readlink a >/dev/null; readlink b',
    honest: 'two',
    lying: 'one',
  },
  { fault: 'readdir-drop=1', files: { a: '', b: '' }, guest: 'ls', honest: 'a\nb', lying: '' },
  { fault: 'readdir-duplicate=1', files: { a: '', b: '' }, guest: 'ls', honest: 'a\nb', lying: 'a\na\nb\nb' },
  { fault: 'readdir-stale', guest: 'ls; touch new; ls', honest: 'new', lying: '' },
  { fault: 'readdir-error', files: f, guest: 'ls', honest: 'f', lying: '' },
  // Data.
  {
    fault: 'open-error=EIO',
    files: f,
    guest: 'cat f || echo failed',
    honest: 'hello, world',
    lying: 'failed',
  },
  {
    fault: 'o-trunc-ignored',
    files: f,
    guest: 'printf HELLO > f',
    host: contentOf('f'),
    honest: 'HELLO',
    lying: 'HELLO, world',
  },
  { fault: 'read-error', files: f, guest: 'cat f || echo failed', honest: 'hello, world', lying: 'failed' },
  { fault: 'read-zeros', files: f, guest: `${zeros} < f`, honest: 'hello, world', lying: '000000000000' },
  { fault: 'read-flip', files: f, guest: 'cat f', honest: 'hello, world', lying: 'hello,0world' },
  { fault: 'read-shift=7', files: f, guest: 'cat f', honest: 'hello, world', lying: 'world' },
  {
    fault: 'read-old',
    files: f,
    guest: 'cat f >/dev/null; printf "HELLO, WORLD" > $o/f; cat f',
    honest: 'HELLO, WORLD',
    lying: 'hello, world',
  },
  {
    fault: 'read-other-file',
    files: { a: 'bytes of a', b: 'bytes of b' },
    guest: 'cat a >/dev/null; cat b',
    honest: 'bytes of b',
    lying: 'bytes of a',
  },
  { fault: 'write-error=ENOSPC', guest: 'printf x > f || echo failed', honest: '', lying: 'failed' },
  { fault: 'write-drop', guest: 'printf hello > f', host: contentOf('f'), honest: 'hello', lying: '' },
  {
    fault: 'write-short-silently',
    guest: 'printf hello! > f',
    host: contentOf('f'),
    honest: 'hello!',
    lying: 'hel',
  },
  { fault: 'write-flip', guest: 'printf hello > f', host: contentOf('f'), honest: 'hello', lying: 'he|lo' },
  {
    fault: 'write-shift=2',
    guest: 'printf hello > f',
    host: contentOf('f'),
    honest: 'hello',
    lying: '\0\0hello',
  },
  { fault: 'write-pages', guest: 'printf hello > f', host: sizeOf('f'), honest: '5', lying: '4096' },
  {
    fault: 'write-delay=60000',
    guest: 'printf hello > f; sync',
    host: contentOf('f'),
    honest: 'hello',
    lying: '',
  },
  {
    fault: 'append-at-zero',
    files: f,
    guest: 'printf HELLO >> f',
    host: contentOf('f'),
    honest: 'hello, worldHELLO',
    lying: 'HELLO, world',
  },
  { fault: 'fallocate-ignored', guest: 'fallocate -l 8192 f', host: sizeOf('f'), honest: '8192', lying: '0' },
  {
    fault: 'fsync-error',
    guest: 'dd if=/dev/zero of=f bs=1 count=1 conv=fsync 2>/dev/null || echo failed',
    honest: '',
    lying: 'failed',
  },
  {
    fault: 'o-excl-ignored lookup-gone=2',
    files: f,
    guest: 'set -C; printf HELLO > f',
    host: contentOf('f'),
    honest: 'hello, world',
    lying: 'HELLO, world',
  },
  { fault: 'fsyncdir-error', guest: 'mkdir d; sync d || echo failed', honest: '', lying: 'failed' },
  // What the guest remembers.
  {
    fault: 'negative-timeout',
    guest: 'cat f; touch $o/f; [ -e f ] && echo there || echo absent',
    honest: 'there',
    lying: 'absent',
  },
  {
    fault: 'entry-timeout',
    files: f,
    guest: 'stat f >/dev/null; printf new > $o/g; mv $o/g $o/f; cat f',
    honest: 'new',
    lying: 'hello, world',
  },
  {
    fault: 'attr-timeout entry-timeout',
    files: f,
    guest: 'stat f >/dev/null; truncate -s 3 $o/f; stat -c %s f',
    honest: '3',
    lying: '12',
  },
  {
    fault: 'stale-size',
    files: f,
    guest: 'stat f >/dev/null; truncate -s 3 $o/f; stat -c %s f',
    honest: '3',
    lying: '12',
  },
  {
    fault: 'cache-dir attr-timeout entry-timeout',
    files: f,
    guest: 'echo * * >/dev/null; touch $o/g; echo * | wc -w',
    honest: '2',
    lying: '1',
  },
];

describe('a fault', () => {
  it.each(lies)('$fault shows, and nothing of the kind without it', async (lie) => {
    const outcomes: string[] = [];
    for (const words of ['', lie.fault]) {
      const own = `${lie.fault.replaceAll(/[ =]/g, '-')}${words === '' ? '' : '-on'}`;
      const directory = path.join(lab.hostDir, own);
      await mkdir(directory);
      for (const [file, bytes] of Object.entries(lie.files ?? {})) {
        await writeFile(path.join(directory, file), bytes);
      }
      await setFaults(lab, 'never', words);
      // A lookup that finds nothing at first is to be tried again.
      const enter = Array(4).fill(`cd /mnt/never/${own}`).join(' || ');
      const script = `exec 2>/dev/null; o=/mnt/auto/${own}; ${enter}; ${lie.guest}`;
      const ran = await guest.exec(['sh', '-c', script]);
      outcomes.push(lie.host === undefined ? ran.stdout.trimEnd() : await lie.host(directory));
      await setFaults(lab, 'never', '');
    }
    expect(outcomes).toEqual([lie.honest, lie.lying]);
  });

  it.each(switchedOn)('$faults in mode $policy is found by a check', async ({ faults, policy, fails }) => {
    await setFaults(lab, policy, faults);
    const asked = ['check', `--lab=${name}`, ...Object.keys(fails), '--modes', policy];
    const { status, report } = await reportOf(asked);
    await setFaults(lab, policy, '');
    expect(codesIn(report.results)).toEqual(fails);
    expect(status).toBe(1);
  });

  it('of what the guest is told to remember is found by mode-in-force', async () => {
    for (const { policy, faults } of toldToRemember) await setFaults(lab, policy, faults);
    const modes = toldToRemember.map(({ policy }) => policy).join(',');
    const { status, report } = await reportOf(['check', `--lab=${name}`, 'mode-in-force', '--modes', modes]);
    for (const { policy } of toldToRemember) await setFaults(lab, policy, '');
    expect(status).toBe(1);
    for (const { policy, fails } of toldToRemember)
      expect(codesIn(report.results.filter(({ mode }) => mode === policy)), policy).toEqual(fails);
  });
});
