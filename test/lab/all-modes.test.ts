import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabInfo } from '../../src/lab/info.ts';
import { allModes, labModes } from '../../src/model/mode.ts';
import { downLab, inGuest, reportOf, upLab, vfsVerify } from './cli.ts';

// Everything that a bench can do, in one machine; and the same where parts of it cannot be had.

const name = `all-modes-${process.pid}`;
let directory = '';
let lab: LabInfo;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
});
afterAll(async () => {
  await downLab(name);
  await rm(directory, { recursive: true, force: true });
});

describe('every mode in one machine', () => {
  beforeAll(async () => {
    lab = await upLab(name, '--modes', 'all', '--boot-timeout', '90');
  });

  it('has them all, and leaves none out', () => {
    expect(lab.leftOut).toEqual([]);
    expect(Object.keys(lab.mounts)).toEqual(allModes);
    expect(Object.keys(lab.programs)).toEqual(
      expect.arrayContaining(['qemu', 'virtiofsd', 'c-virtiofsd', 'lab-backend', 'guest-kernel']),
    );
  });

  it('finds each of them in force', async () => {
    const { report } = await reportOf(['check', `--lab=${name}`, 'mode-in-force', '--modes', 'all'], {
      timeoutMs: 200_000,
    });
    // A busy machine may be too slow to tell a second from none; it must not take one mode for another.
    const codes = report.results.flatMap(({ cases }) => cases.flatMap(({ verdict }) => verdict.code ?? []));
    expect(
      codes.filter((code) => code !== 'could-not-tell'),
      JSON.stringify(report.results),
    ).toEqual([]);
    expect(report.results.map(({ mode }) => mode)).toEqual(allModes);
  }, 210_000);

  it('reads files of odd lengths through every window, beside daemons that have none', async () => {
    await writeFile(path.join(lab.hostDir, 'odd'), 'x'.repeat(5_000_001));
    const sums = await inGuest(name, 'for each in /mnt/*/odd; do md5sum < "$each"; done | sort | uniq -c');
    expect(sums.trim().split(/\s+/)).toEqual([String(allModes.length), expect.any(String), '-']);
    // Three windows have 48 regions, more than the C daemon has room for; nobody ended.
    const status = await vfsVerify(['lab', 'status', name, '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({ state: 'up' });
  });
});

describe('where parts cannot be had', () => {
  beforeAll(async () => {
    const [qemu, daemon] = ['qemu', 'virtiofsd'].map((each) => path.join(directory, each)) as [
      string,
      string,
    ];
    const words = (program: string) => lab.programs[program]?.argv.map((each) => `'${each}'`).join(' ');
    // As a QEMU before 11.1 answers.
    await writeFile(
      qemu,
      `#!/bin/sh\ncase "$*" in *'-device help') exec ${words('qemu')} "$@" | grep -v vhost-user-test-device; exit ;; esac\nexec ${words('qemu')} "$@"\n`,
      { mode: 0o755 },
    );
    // As a virtiofsd before 1.11 answers.
    await writeFile(
      daemon,
      `#!/bin/sh\nfor each; do [ "$each" = --allow-mmap ] && set -- "$@" --no-such-option; done\nexec ${words('virtiofsd')} "$@"\n`,
      { mode: 0o755 },
    );
    await downLab(name);
    lab = await upLab(name, '--modes', 'all', '--qemu', qemu, '--virtiofsd', daemon, '--boot-timeout', '90');
  });

  it('leaves those modes out and says why, in words of those who refused', async () => {
    const why = Object.fromEntries(lab.leftOut.map((each) => [each.mode, each.why]));
    expect(Object.keys(why).sort()).toEqual(
      ['auto+dax=always', 'auto+dax=inode', 'auto+dax=never', 'never+allow-mmap'].sort(),
    );
    expect(why['auto+dax=always']).toContain('no device with a DAX window');
    expect(why['never+allow-mmap']).toContain("unexpected argument '--no-such-option'");
    expect(Object.keys(lab.mounts)).toEqual(allModes.filter((mode) => why[mode] === undefined));
  });

  it('runs the others, and names what it lacks in the report', async () => {
    const { status, report } = await reportOf([
      'check',
      `--lab=${name}`,
      'md5/guest-writes',
      '--modes',
      'all',
    ]);
    expect(status, JSON.stringify(report.results)).toBe(0);
    expect(report.results).toHaveLength(Object.keys(lab.mounts).length);
    expect(report.environment.leftOut?.map(({ mode }) => mode)).toContain('auto+dax=inode');
    const missing = await vfsVerify(['check', `--lab=${name}`, 'md5', '--modes', 'auto+dax=always']);
    expect(missing.status).toBe(2);
    expect(missing.stderr).toContain('no device with a DAX window');
  });

  it('refuses such a mode where it is asked for by its name', async () => {
    const flags = ['--virtiofsd', path.join(directory, 'virtiofsd')];
    const up = await vfsVerify(['lab', 'up', `${name}-b`, '--modes', 'auto,never+allow-mmap', ...flags]);
    expect(up.status).toBe(2);
    expect(up.stderr).toContain("unexpected argument '--no-such-option'");
    const c = await vfsVerify(['lab', 'up', `${name}-b`, '--modes', 'c:auto+no-such-word']);
    expect(c.stderr).toContain('no_such_word');
    const dax = ['--qemu', path.join(directory, 'qemu'), '--modes', 'auto,auto+dax=inode'];
    expect((await vfsVerify(['lab', 'up', `${name}-b`, ...dax])).stderr).toContain('--skip-impossible');
    await downLab(`${name}-b`);
  });
});

it('names the modes of a plain lab among all', () => {
  expect(allModes).toEqual(expect.arrayContaining([...labModes]));
});
