import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabInfo } from '../../src/lab/info.ts';
import type { ComparisonEvidence } from '../../src/model/comparison.ts';
import { digestOfBytes } from '../../src/model/digest.ts';
import { downLab, reportOf, upLab, vfsVerify } from './cli.ts';
import { type Lie, upLyingLab } from './lying-daemon.ts';
import { throughShim } from './told/others.ts';

// A check that cannot fail is a defect: each lie is told by a released daemon with a shim before it, and the
// same commands pass on the daemon without it.

const honestName = `honest-${process.pid}`;
const lyingName = `lying-${process.pid}`;
const modes = 'never,auto,always';
let directory = '';
let honest: LabInfo;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
  honest = await upLab(honestName, '--modes', modes);
});
afterAll(async () => {
  await downLab(lyingName);
  await downLab(honestName);
  await rm(directory, { recursive: true, force: true });
});

async function withLies(lie: Lie, work: (lab: LabInfo) => Promise<void>): Promise<void> {
  const lab = await upLyingLab(lyingName, lie, directory, honest, '--modes', modes);
  try {
    await work(lab);
  } finally {
    await downLab(lyingName);
  }
}

describe('a build that is named to check --lab', () => {
  it('is tried in a lab for this run alone, which is gone afterwards', async () => {
    const script = path.join(directory, 'build');
    const argv = honest.programs.virtiofsd?.argv.map((word) => `'${word}'`).join(' ');
    await writeFile(script, `#!/bin/sh\nexec ${argv} "$@"\n`, { mode: 0o755 });
    const asked = [
      'check',
      '--lab',
      '--virtiofsd',
      script,
      '--modes',
      'auto',
      'lookup',
      'locks/across-guests',
    ];
    const { status, report, stderr } = await reportOf(asked);
    expect(status, stderr).toBe(0);
    expect(report.results.map(({ verdict }) => verdict.kind)).toEqual(['pass', 'pass']);
    const labs = await vfsVerify(['lab', 'status', '--all', '--json']);
    expect(labs.stdout).not.toContain(report.environment.lab);
  });

  it('is refused beside a lab that is up already, and where it is not there', async () => {
    const beside = await vfsVerify(['check', `--lab=${honestName}`, '--virtiofsd', '/bin/true', 'lookup']);
    expect([beside.status, beside.stderr]).toEqual([2, expect.stringContaining('without a name')]);
    const missing = await vfsVerify(['check', '--lab', '--virtiofsd', '/no/such/build', 'lookup']);
    expect([missing.status, missing.stderr]).toEqual([2, expect.stringContaining('no such program')]);
  });
});

describe('an honest daemon', () => {
  it('passes the check md5 in every mode', async () => {
    const { status, report } = await reportOf(['check', `--lab=${honestName}`, 'md5', '--seed', '5']);
    expect(status, JSON.stringify(report.results.map(({ verdict }) => verdict))).toBe(0);
  });
});

describe('a daemon that drops writes', () => {
  it('is found by the check md5: both sides agree and both are wrong', async () => {
    await withLies('drop-write', async () => {
      const { status, report } = await reportOf(['check', `--lab=${lyingName}`, 'md5', '--seed', '5']);
      expect(status).toBe(1);
      for (const { mode, cases } of report.results) {
        const written = cases.find(({ name }) => name === 'guest-writes');
        // A guest that kept the pages it wrote still reads the right bytes.
        expect(written?.verdict.kind, mode).toBe('fail');
        const codes = throughShim['drop-write'].md5['md5/guest-writes'].split('|');
        expect(codes, mode).toContain(written?.verdict.code);
        expect(cases.find(({ name }) => name === 'host-writes')?.verdict.kind, mode).toBe('pass');
      }
    });
  });
});

describe('a daemon that reads wrong', () => {
  it('is found by md5 on a file of the user: the layer is the daemon, and no mode permits it', async () => {
    await withLies('flip-read', async (lab) => {
      const bytes = Buffer.alloc(300_000, 'x');
      await writeFile(path.join(lab.hostDir, 'file'), bytes);
      for (const mode of modes.split(',')) {
        const { status, first } = await reportOf([
          'md5',
          `--lab=${lyingName}`,
          '--expect',
          digestOfBytes('md5', bytes),
          `${lab.mounts[mode]}/file`,
        ]);
        expect(status, mode).toBe(1);
        expect(first.verdict, JSON.stringify(first.verdict)).toMatchObject({ code: 'differs-forbidden' });
        expect((first.verdict.evidence as unknown as ComparisonEvidence).layer, mode).toBe('daemon');
        expect(first.verdict.reason).toContain('the host has what was expected');
      }
    });
  });
});
