import { randomBytes } from 'node:crypto';
import { chmod, chown, copyFile, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabInfo } from '../../src/lab/info.ts';
import type { Ledger, LedgerLine, Source } from '../../src/model/account.ts';
import { type ReadPlan, readOffset } from '../../src/model/read-plan.ts';
import type { ReadsEvidence } from '../../src/model/reads-evidence.ts';
import type { Report } from '../../src/model/report.ts';
import { downLab, reportOf, upLab, vfsVerify } from './cli.ts';

// What lies below a share, and who asks: tmpfs, overlayfs, a large sparse file; a user who is not root.

const name = `ledger-grounds-${process.pid}`;
const page = 4096;
const mib = 1024 * 1024;
let lab: LabInfo;
let base = '';
let shared = '';

beforeAll(async () => {
  // Not in a directory of root's own: another user is to get there.
  base = await mkdtemp('/var/tmp/vfs-verify-grounds-');
  await chmod(base, 0o755);
  shared = path.join(base, 'shared');
  const overlay = ['lower', 'upper', 'work'].map((each) => path.join(base, each));
  for (const each of [shared, ...overlay, `${shared}/tmpfs`, `${shared}/overlay`]) await mkdir(each);
  const [lower, upper, work] = overlay;
  await writeFile(path.join(lower ?? '', 'file'), randomBytes(2 * mib));
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'none', `${shared}/tmpfs`]);
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  await execa('mount', ['-t', 'overlay', '-o', options, 'none', `${shared}/overlay`]);
  lab = await upLab(name, '--modes', 'never,auto,always', '--dir', shared);
});
afterAll(async () => {
  await downLab(name);
  await execa('umount', ['-l', `${shared}/tmpfs`], { reject: false });
  await execa('umount', ['-l', `${shared}/overlay`], { reject: false });
  await rm(base, { recursive: true, force: true });
});

async function ledgerOf(file: string, ...flags: readonly string[]): Promise<Ledger> {
  const { first } = await reportOf(['reads', `--lab=${name}`, `/mnt/${file}`, ...flags]);
  return only(first.verdict.evidence, first.verdict.reason);
}

function only(evidence: unknown, otherwise: string): Ledger {
  const [ledger] = (evidence as ReadsEvidence | undefined)?.ledgers ?? [];
  if (ledger === undefined) throw new Error(otherwise);
  return ledger;
}

/** `source: bytes known`, without lines of 0 bytes. */
function booked({ lines }: Ledger): Partial<Record<Source, string>> {
  return Object.fromEntries(
    lines.filter(({ bytes }) => bytes > 0).map(({ source, bytes, known }) => [source, `${bytes} ${known}`]),
  );
}

describe('a share on tmpfs', () => {
  it('is memory and holes, and nothing is said of a disk', async () => {
    const file = await open(path.join(shared, 'tmpfs/file'), 'w');
    await file.write(randomBytes(mib), 0, mib, mib);
    await file.truncate(3 * mib);
    await file.close();
    for (const mode of ['never', 'auto']) {
      const ledger = await ledgerOf(`${mode}/tmpfs/file`, '--drop', 'both');
      expect(booked(ledger), mode).toEqual({
        'fuse/host-cache': `${mib} proved`,
        'fuse/hole': `${2 * mib} proved`,
      });
      expect(ledger.storage).toMatchObject({ storage: 'tmpfs' });
    }
    const { stdout } = await vfsVerify(['reads', `--lab=${name}`, '/mnt/never/tmpfs/file']);
    expect(stdout).not.toContain('to measure the disk');
  });
});

describe('a share on overlayfs', () => {
  it('proves memory by the daemon’s own disk reads, and says that page states are not to be had', async () => {
    await ledgerOf('never/overlay/file');
    const ledger = await ledgerOf('never/overlay/file');
    expect(booked(ledger)).toEqual({ 'fuse/host-cache': `${2 * mib} proved` });
    expect(ledger.unseen.find(({ what }) => what === 'host-pages')?.why).toContain('overlayfs');
  });

  it('never proves the disk', async () => {
    const ledger = await ledgerOf(
      ...(['never/overlay/file', '--drop', 'host', '--order', 'random', '--count', '200'] as const),
    );
    expect(ledger.lines.filter(({ source }) => source === 'fuse/disk')).not.toContainEqual(
      expect.objectContaining({ known: 'proved' }),
    );
    expect(sum(ledger.lines)).toBe(200 * page);
  });
});

describe('10 GiB of which next to nothing is stored', () => {
  const size = 10 * 1024 * mib;
  const data = [
    { from: 3 * 1024 * mib, to: 3 * 1024 * mib + 16 * mib },
    { from: 9 * 1024 * mib, to: 9 * 1024 * mib + 16 * mib },
  ];

  it('is booked to holes but for what was written, allocated or not', async () => {
    const file = path.join(shared, 'sparse');
    const handle = await open(file, 'w');
    await handle.truncate(size);
    for (const { from, to } of data) await handle.write(randomBytes(to - from), 0, to - from, from);
    await handle.close();
    // Allocated and never written: reads as zeros, and nothing is read for it.
    await execa('fallocate', ['-o', `${5 * 1024 * mib}`, '-l', `${512 * mib}`, file]);
    const plan: ReadPlan = {
      ...{ order: 'random', block: page, range: { offset: 0, length: size } },
      ...{ count: 1500, seed: 0xbeef, passes: 1 },
    };
    const stored = Array.from({ length: plan.count }, (_, index) => readOffset(plan, index)).filter((at) =>
      data.some(({ from, to }) => at >= from && at < to),
    ).length;
    expect(stored).toBeGreaterThan(0);
    const random = ['--order', 'random', '--count', '1500', '--seed', 'beef', '--no-readahead'];
    const cold = await ledgerOf('never/sparse', ...random, '--drop', 'both');
    expect(booked(cold)).toEqual({
      'fuse/hole': `${(plan.count - stored) * page} proved`,
      'fuse/disk': `${stored * page} proved`,
    });
    const cached = await ledgerOf('auto/sparse', ...random);
    expect(booked(cached)).toEqual({
      'fuse/hole': `${(plan.count - stored) * page} proved`,
      'fuse/host-cache': `${stored * page} proved`,
    });
  });
});

describe('a user who is not root on the host', () => {
  let own = '';

  const asNobody = async (args: readonly string[]) => {
    if (own === '') {
      own = path.join(base, 'nobody');
      await mkdir(path.join(own, '.ssh'), { recursive: true });
      await copyFile(lab.ssh.keyFile, path.join(own, '.ssh/id_ed25519'));
      await copyFile(lab.ssh.knownHostsFile, path.join(own, '.ssh/known_hosts'));
      for (const each of ['', '.ssh', '.ssh/id_ed25519', '.ssh/known_hosts'])
        await chown(path.join(own, each), 65_534, 65_534);
      await chmod(path.join(own, '.ssh/id_ed25519'), 0o600);
    }
    const program = path.resolve(import.meta.dirname, '../../bin/vfs-verify.js');
    const where = ['--guest', `ssh://root@127.0.0.1:${lab.ssh.port}`];
    const maps = ['never', 'auto', 'always'].flatMap((mode) => ['--map', `/mnt/${mode}=${shared}`]);
    const { exitCode, stdout, stderr } = await execa(
      'setpriv',
      [
        ...['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, program],
        ...args,
        ...where,
        ...maps,
      ],
      {
        reject: false,
        timeout: 60_000,
        extendEnv: false,
        env: { HOME: own, PATH: process.env.PATH ?? '', TMPDIR: '/tmp' },
      },
    );
    return { status: exitCode, stdout, stderr };
  };
  const readAsNobody = async (...args: readonly string[]): Promise<Ledger> => {
    const { stdout, stderr, status } = await asNobody(['reads', '--json', ...args]);
    expect(status, stderr).toBe(0);
    const [result] = (JSON.parse(stdout) as Report).results;
    return only(result?.verdict.evidence, stdout + stderr);
  };
  const atRandom = ['--order', 'random', '--count', '1000', '--no-readahead'];
  const bytesOf = (ledger: Ledger, source: Source) =>
    ledger.lines.find((line) => line.source === source)?.bytes ?? 0;

  it('is told no medium where the disk was not timed', async () => {
    await writeFile(path.join(shared, 'theirs'), randomBytes(16 * mib), { mode: 0o644 });
    const ledger = await readAsNobody('/mnt/never/theirs', '--mode', 'never', ...atRandom);
    expect(ledger.daemon).toBeUndefined();
    expect(booked(ledger)).toEqual({ 'fuse/unexplained': `${1000 * page} unexplained` });
    expect(ledger.calibration?.refused.map(({ source }) => source)).toContain('host-cache');
  });

  it('gets an inference from latencies that were calibrated here, and nothing that claims more', async () => {
    const ledger = await readAsNobody(
      '/mnt/auto/theirs',
      '--mode',
      'auto',
      ...atRandom,
      '--calibrate',
      ...['--times', '2'],
    );
    for (const { known, bytes } of ledger.lines) expect(bytes === 0 || known !== 'proved').toBe(true);
    // The second pass is the guest's own. The host was warm: what is said of it is memory, or nothing.
    expect(bytesOf(ledger, 'guest-cache')).toBe(1000 * page);
    expect(bytesOf(ledger, 'fuse/disk')).toBeLessThan(0.05 * ledger.bytes);
    expect(sum(ledger.lines)).toBe(ledger.bytes);
  });

  it('is told what could not be seen, in words, on 80 columns', async () => {
    const { status, stdout, stderr } = await asNobody(['reads', '/mnt/always/theirs', '--mode', 'always']);
    expect([status, stderr]).toEqual([0, expect.not.stringMatching(/^\s+at /m)]);
    expect(stdout).toContain('not seen:');
    for (const line of stdout.split('\n')) expect([...line].length, line).toBeLessThanOrEqual(80);
  });

  it('may own a file, and then the host’s page states are to be had', async () => {
    const file = path.join(shared, 'own');
    await writeFile(file, randomBytes(mib));
    await chown(file, 65_534, 65_534);
    const ledger = await readAsNobody('/mnt/never/own', '--mode', 'never');
    expect(booked(ledger)).toEqual({ 'fuse/host-cache': `${mib} inferred` });
    expect(ledger.calibration).toBeUndefined();
  });
});

function sum(lines: readonly LedgerLine[]): number {
  return lines.reduce((total, { bytes }) => total + bytes, 0);
}
