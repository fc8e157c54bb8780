import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa, execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bundle } from '../../src/run/bundle.ts';

// The package as its users get it: packed, installed into a directory of its own by a PATH on which there is no
// compiler, and run from there.

const root = fileURLToPath(new URL('../..', import.meta.url));
const finding = path.join(root, 'docs/findings/fuse-append-torn');
const emulator = 'qemu-aarch64-static';
const hasEmulator = execaSync(emulator, ['--version'], { reject: false }).exitCode === 0;

/** Of a test that starts the program more than once. */
const patienceMs = 60_000;

let work = '';
let files: readonly string[] = [];
let installed = '';
let env: Record<string, string> = {};

async function vfsVerify(...args: readonly string[]) {
  const program = path.join(work, 'prefix/bin/vfs-verify');
  const { exitCode, stdout, stderr } = await execa(program, args, {
    env,
    extendEnv: false,
    cwd: work,
    reject: false,
    stdin: 'ignore',
    timeout: 60_000,
  });
  return { status: exitCode, stdout, stderr };
}

beforeAll(async () => {
  work = await mkdtemp(path.join(tmpdir(), 'vfs-verify-package-'));
  const bin = path.join(work, 'path');
  await mkdir(bin);
  const programs = 'for each in npm sh uname cat mkdir rm chmod; do command -v "$each"; done';
  const places = execaSync('sh', ['-c', programs]).stdout.split('\n');
  for (const each of [process.execPath, ...places]) await symlink(each, path.join(bin, path.basename(each)));
  const keep = ['HOME', 'LANG', 'npm_config_registry', 'npm_config_cache', 'npm_config_userconfig'];
  env = {
    ...Object.fromEntries(keep.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
    PATH: bin,
    TMPDIR: work,
  };
  const packed = await execa('npm', ['pack', '--json', '--pack-destination', work], { cwd: root });
  const [told] = JSON.parse(packed.stdout) as [{ filename: string; files: { path: string }[] }];
  files = told.files.map((each) => each.path);
  const prefix = path.join(work, 'prefix');
  const flags = ['--prefix', prefix, '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
  await execa('npm', ['install', '--global', ...flags, path.join(work, told.filename)], {
    cwd: work,
    env,
    extendEnv: false,
    timeout: 300_000,
  });
  installed = path.join(prefix, 'lib/node_modules/vfs-verify');
}, 360_000);
afterAll(() => rm(work, { recursive: true, force: true }));

describe('the package', () => {
  it('has the probes of both architectures, and their source for the others', () => {
    expect(files).toContain('dist/probe/vfs-probe-x86_64');
    expect(files).toContain('dist/probe/vfs-probe-aarch64');
    expect(files).toContain('src/probe/native/vfs-probe.c');
  });

  it('has nothing that no user needs', () => {
    const needed = [
      /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
      /^bin\/vfs-verify\.js$/,
      /^dist\/(src|checks)\/.*\.js$/,
      /^dist\/src\/model\/.*\.d\.ts$/,
      /^dist\/src\/[\w/-]+\.schema\.json$/,
      /^dist\/probe\/vfs-probe-\w+$/,
      /^dist\/lab\/(vfs-lab-backend|qemu-past-end\.so)$/,
      /^dist\/man\/vfs-verify\.1$/,
      /^src\/probe\/native\/[\w.-]+\.[ch]$/,
      /^checks\/[\w-]+\.md$/,
      /^docs\/(?!findings\/.*bundle)/,
      /^examples\//,
    ];
    expect(files.filter((file) => !needed.some((each) => each.test(file)))).toEqual([]);
  });
});

describe('the installed program, where no compiler is', () => {
  it('has no compiler to fall back on', () => {
    expect(
      execaSync('sh', ['-c', 'command -v cc gcc clang tcc'], { env, extendEnv: false, reject: false }).stdout,
    ).toBe('');
  });

  it('says the versions of itself, of its probe and of the schema of its reports', async () => {
    const { status, stdout } = await vfsVerify('--version');
    const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
      version: string;
    };
    expect(status).toBe(0);
    const [own, probe, report] = stdout.split('\n');
    expect(own).toBe(`vfs-verify  ${version}`);
    expect(probe).toContain(`${version} (${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}, protocol 1)`);
    expect(probe).toContain('aarch64');
    expect(report).toBe('report      vfs-verify/report/1');
  });

  it('shows its help, and a manual page for man', async () => {
    expect(await vfsVerify('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('md5') });
    const page = await readFile(path.join(work, 'prefix/share/man/man1/vfs-verify.1'), 'utf8');
    expect(page).toContain('.SH SYNOPSIS');
  });

  it('lists the checks', async () => {
    const { status, stdout } = await vfsVerify('list', '--json');
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as unknown[]).length).toBeGreaterThan(20);
  });

  it(
    'compares two views of a directory by the probe that it brought',
    async () => {
      const [host, guest, other] = ['host', 'guest', 'other'].map((name) => path.join(work, name)) as [
        string,
        string,
        string,
      ];
      for (const each of [host, guest, other]) await mkdir(each);
      for (const each of [host, guest]) await writeFile(path.join(each, 'f'), 'the same bytes');
      await writeFile(path.join(other, 'f'), 'other bytes...');
      const bundle = path.join(work, 'bundle');
      const flags = ['--guest', 'local', '--map', `${guest}=${host}`, '--mode', 'never'];
      const same = await vfsVerify('md5', `${guest}/f`, ...flags, '--bundle', bundle);
      expect(same).toMatchObject({ status: 0, stdout: expect.stringMatching(/^same /) });
      const { setting } = JSON.parse(await readFile(path.join(bundle, 'bundle.json'), 'utf8')) as Bundle;
      // Plain node, which stands in where no probe runs, cannot look into a page cache.
      expect(setting.views.host?.features).toContain('mincore');
      const differs = await vfsVerify('md5', `${guest}/f`, '--guest', 'local', '--map', `${guest}=${other}`);
      expect(differs.status).toBe(1);
    },
    patienceMs,
  );

  it('judges kept evidence as the sources do', async () => {
    const judged = await vfsVerify('judge', finding);
    expect(judged).toMatchObject({ status: 1, stdout: expect.stringContaining('torn') });
  });

  it.skipIf(!hasEmulator)('has an aarch64 probe that runs', async () => {
    const program = path.join(installed, 'dist/probe/vfs-probe-aarch64');
    await chmod(program, 0o755);
    const { stdout } = await execa(emulator, [program, '--version']);
    expect(stdout).toMatch(/^vfs-probe \S+ \(aarch64, protocol 1\)$/);
  });
});
