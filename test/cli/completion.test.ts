import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa, execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerFor } from '../../src/cli/completion/answer.ts';
import { scripts } from '../../src/cli/completion/scripts.ts';
import { fixedWords, valuesOf } from '../../src/cli/completion/values.ts';
import { wholeProgram } from '../../src/cli/whole-program.ts';

const program = fileURLToPath(new URL('../../bin/vfs-verify.js', import.meta.url));

async function wordsFor(...typed: readonly string[]) {
  const { candidates, files } = await answerFor(wholeProgram(), typed, valuesOf);
  return [...candidates.map(({ value }) => value), ...(files ? [':files'] : [])];
}

describe('what could stand in the place of the last word', () => {
  it('is a command, and below lab one of its own', async () => {
    expect(await wordsFor('')).toEqual(expect.arrayContaining(['md5', 'check', 'lab', 'completion']));
    expect(await wordsFor('')).not.toContain('complete');
    expect(await wordsFor('re')).toEqual(expect.arrayContaining(['reads', 'residency', 'repro']));
    expect(await wordsFor('lab', 'st')).toEqual(['status']);
  });

  it('is a flag of that command, and none that is hidden', async () => {
    expect(await wordsFor('check', '--mod')).toEqual(expect.arrayContaining(['--mode', '--modes']));
    expect(await wordsFor('check', '--lab')).toEqual(['--lab']);
    expect(await wordsFor('lab', 'up', '--second')).toEqual(['--second-tag']);
  });

  it('is a value of the flag before it, or behind its equals sign', async () => {
    expect(await wordsFor('residency', '--side', 'g')).toEqual(['guest']);
    expect(await wordsFor('residency', '/a', '--side=b')).toEqual(['--side=both']);
    expect(await wordsFor('lab', 'up', '--disk', 'e')).toEqual(['ext4']);
    expect(await wordsFor('completion', '')).toEqual(['bash', 'zsh', 'fish']);
    expect(await wordsFor('md5', '--sudo', 'g')).toEqual(['guest']);
  });

  it('is what this very command takes, where another has the same flag for something else', async () => {
    expect(await wordsFor('diagnose', '--share', '')).toEqual(['virtiofs', '9p']);
    expect(await wordsFor('md5', '--share', 'v')).not.toContain('virtiofs');
    expect(await wordsFor('explain', '--report', 'c')).toEqual(['csv=']);
    expect(await wordsFor('check', '--report', 'c')).toEqual([]);
  });

  it('is one more mode of a list', async () => {
    expect(await wordsFor('check', '--modes', 'never,9p:lo')).toEqual(['never,9p:loose']);
    expect(await wordsFor('check', '--modes', 'never,nev')).not.toContain('never,never');
  });

  it('is a check, or one of its cases', async () => {
    // The built program: it has its checks compiled.
    const words = async (...typed: readonly string[]) => {
      const { stdout } = await execa(process.execPath, [program, 'complete', '--', ...typed]);
      return stdout.split('\n').map((line) => line.split('\t')[0]);
    };
    expect(await words('check', 'md5', 'host-app')).toEqual(['host-append']);
    expect(await words('check', 'concurrent-append/ac')).toEqual(['concurrent-append/across-pages']);
  }, 60_000);

  it('is a scenario of the contract', async () => {
    expect(await wordsFor('contract', 'tail-page/s')).toEqual(['tail-page/store-past-eof']);
  });

  it('is a file where one is asked for, and nothing for a number', async () => {
    expect(await wordsFor('judge', 'x')).toEqual([':files']);
    expect(await wordsFor('check', '--bundle', '')).toEqual([':files']);
    expect(await wordsFor('check', '--repeat', '')).toEqual([]);
  });

  it("is left to the other program behind explain's own words", async () => {
    expect(await wordsFor('explain', '--', 'fio', '--na')).toEqual([':files']);
    expect(await wordsFor('explain', 'fio', '--fi')).toEqual([':files']);
  });

  it('is known for no flag that there is not', () => {
    const flags = new Set(wholeProgram().commands.flatMap(({ options }) => options.map(({ long }) => long)));
    expect(Object.keys(fixedWords).filter((flag) => !flags.has(flag))).toEqual([]);
  });
});

// A shell on a terminal is given what a user types, tab included; in the place of the program stands one that writes
// down what it was called with, and hands on what completion asks.
describe('completing in a shell', () => {
  let work = '';
  const log = () => path.join(work, 'log');
  beforeAll(async () => {
    work = await mkdtemp(path.join(tmpdir(), 'vfs-verify-completion-'));
    const shim = path.join(work, 'bin/vfs-verify');
    await mkdir(path.dirname(shim));
    await writeFile(
      shim,
      `#!/bin/sh\nif [ "$1" = complete ]; then exec '${process.execPath}' '${program}' "$@"; fi\nprintf '%s\\n' "$*" >>'${log()}'\n`,
    );
    await chmod(shim, 0o755);
    await mkdir(path.join(work, 'cwd/evidence'), { recursive: true });
    for (const [shell, script] of Object.entries(scripts)) await writeFile(path.join(work, shell), script);
  });
  afterAll(() => rm(work, { recursive: true, force: true }));

  const env = () => ({ PATH: `${path.join(work, 'bin')}:${process.env.PATH}`, TERM: 'xterm', HOME: work });
  const isThere = (shell: string) =>
    execaSync('sh', ['-c', `command -v ${shell}`], { reject: false }).exitCode === 0;

  /** Types lines into an interactive shell; returns what the program was called with. */
  async function typed(shell: readonly string[], lines: readonly string[]) {
    await rm(log(), { force: true });
    await execa('script', ['--quiet', '--return', '--command', shell.join(' '), '/dev/null'], {
      input: [...lines, 'exit', ''].join('\n'),
      cwd: path.join(work, 'cwd'),
      env: env(),
      timeout: 90_000,
      reject: false,
    });
    return (await readFile(log(), 'utf8')).trimEnd().split('\n');
  }

  const lines = [
    'vfs-verify lis\t',
    'vfs-verify check host-app\t',
    'vfs-verify check --modes never,9p:lo\t',
    'vfs-verify residency --side=gu\t',
    'vfs-verify md5 --accept\t',
    'vfs-verify judge evi\t',
  ];
  const calls = [
    'list',
    'check host-append',
    'check --modes never,9p:loose',
    'residency --side=guest',
    'md5 --accept-new-host-key',
    'judge evidence/',
  ];

  it('bash completes commands, checks, modes, flags and files', async () => {
    const shell = ['bash', '--norc', '--noprofile', '-i'];
    expect(await typed(shell, [`source '${work}/bash'`, ...lines])).toEqual(calls);
  }, 100_000);

  it.skipIf(!isThere('zsh'))(
    'zsh completes them likewise',
    async () => {
      const begin = ['autoload -Uz compinit; compinit -u -D', `source '${work}/zsh'`];
      const shell = ['zsh', '-f', '-i'];
      // It takes the slash of a directory away again when a line ends behind it.
      const called = calls.map((each) => each.replace(/\/$/, ''));
      expect(await typed(shell, [...begin, ...lines])).toEqual(called);
    },
    100_000,
  );

  it.skipIf(!isThere('fish'))(
    'fish completes them likewise',
    async () => {
      const asked = lines.map((line) => `complete -C '${line.trimEnd()}'`).join('; ');
      const { stdout } = await execa('fish', ['--no-config', '-c', `source '${work}/fish'; ${asked}`], {
        cwd: path.join(work, 'cwd'),
        env: env(),
        timeout: 90_000,
      });
      const words = stdout.split('\n').map((line) => line.split('\t')[0]);
      expect(words).toEqual([
        'list',
        'host-append',
        'never,9p:loose',
        '--side=guest',
        '--accept-new-host-key',
        'evidence/',
      ]);
    },
    100_000,
  );
});
