import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabInfo } from '../../src/lab/info.ts';
import { shellWord } from '../../src/model/shell-word.ts';
import { downLab, upLab, vfsVerify } from './cli.ts';
import { giveGuestPython } from './guest-python.ts';
import { lyingMode, writeManyLiars } from './lying-daemon.ts';

// The scripts that `repro` prints, run as whoever gets one in a bug report would: by a shell, over ssh, with Python
// on both sides and nothing of vfs-verify. On the share that has the defect a script says that it is reproduced; on
// another share of the same guest, the control, that it is not.

const name = `repro-${process.pid}`;
const [oldRead, keepPunched] = [lyingMode('never', 'old-read'), lyingMode('never', 'keep-punched')];
const modes = ['never', 'auto', '9p:none', oldRead, keepPunched];

interface Told {
  /** What a script needs beside a shell: the reason why there is Python in it. */
  readonly needs: string;
  /** The evidence: that of a finding, or of a case that is run for it. */
  readonly finding?: string;
  readonly case?: string;
  readonly mode: string;
  readonly control: string;
}

const told: readonly Told[] = [
  { needs: 'reads and writes', case: 'host-rewrite/reopened', mode: oldRead, control: 'never' },
  { needs: 'a mapping', finding: 'fuse-append-misplaced', mode: 'auto', control: 'never' },
  { needs: 'punched holes', case: 'holes/guest-punches', mode: keepPunched, control: 'never' },
];

let directory = '';
let lab: LabInfo;
let python = '';

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
  const daemon = path.join(directory, 'virtiofsd');
  await writeManyLiars(daemon, directory);
  lab = await upLab(name, '--virtiofsd', daemon, '--modes', modes.join(','), '--boot-timeout', '120');
  python = await giveGuestPython(name, lab);
});
afterAll(async () => {
  await downLab(name);
  await rm(directory, { recursive: true, force: true });
});

/** Prints the script of what was told; where no evidence is kept, a run makes it. */
async function printed({ finding, case: asked = '', mode }: Told): Promise<string> {
  const evidence =
    finding === undefined ? path.join(directory, asked.replace('/', '.')) : `docs/findings/${finding}`;
  if (finding === undefined) {
    const ran = await vfsVerify([
      'check',
      `--lab=${name}`,
      asked,
      '--modes',
      mode,
      '--seed',
      '5',
      '--bundle',
      evidence,
    ]);
    expect(ran.status, ran.stdout).toBe(1);
  }
  const { status, stdout, stderr } = await vfsVerify(['repro', evidence]);
  expect(status, stderr).toBe(0);
  return stdout;
}

/** Runs a script on the share of a mode: its host part here, its guest part in the guest. */
async function play(script: string, mode: string): Promise<{ status: number | undefined; said: string }> {
  const file = path.join(directory, `${mode.replaceAll(/\W/g, '-')}-${Date.now()}.sh`);
  await writeFile(file, script);
  const { ssh, hostDir, mounts } = lab;
  const options = [
    ...['-F', 'none', '-i', ssh.keyFile, '-p', String(ssh.port)],
    ...['-o', 'IdentitiesOnly=yes', '-o', 'StrictHostKeyChecking=yes'],
    ...['-o', `UserKnownHostsFile="${ssh.knownHostsFile}"`],
  ];
  const guest = ['ssh', ...options, `${ssh.user}@${ssh.host}`].map(shellWord).join(' ');
  const { exitCode, all } = await execa('sh', [file], {
    env: { GUEST: guest, GUEST_PYTHON: python, HOSTDIR: hostDir, GUESTDIR: mounts[mode] ?? '' },
    reject: false,
    all: true,
    stdin: 'ignore',
    timeout: 110_000,
  });
  return { status: exitCode, said: all };
}

async function showsIt(each: Told, words: string): Promise<void> {
  const script = await printed(each);
  expect(script).not.toContain('vfs-verify check');
  const [onShare, onControl] = await Promise.all([play(script, each.mode), play(script, each.control)]);
  expect(onShare.said).toContain(words);
  expect(onShare.status).toBe(1);
  expect(onControl.said).toContain('not reproduced this time');
  expect(onControl.status).toBe(0);
}

describe('the script of a reproducer', () => {
  it.each(told)('that needs $needs reproduces it in $mode, and not in $control', async (each) => {
    await showsIt(each, 'reproduced: ');
  });

  // The last: it costs the guest a process that nothing ends, and the CPU that it keeps busy.
  it('says of what never ends in 9p:none that it does not end, and that it does in auto', async () => {
    const endless = { finding: 'ninep-truncate-endless', mode: '9p:none', control: 'auto' };
    await showsIt(
      { needs: 'patience', ...endless },
      'reproduced: it does not end, as in the report: at-once',
    );
  });
});
