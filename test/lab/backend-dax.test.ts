import { createHash, randomBytes } from 'node:crypto';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/endpoint/endpoint.ts';
import { connectSsh } from '../../src/endpoint/ssh.ts';
import type { LabInfo } from '../../src/lab/info.ts';
import type { Ledger } from '../../src/model/account.ts';
import type { ReadsEvidence } from '../../src/model/reads-evidence.ts';
import { countsOf, setFaults } from './backend.ts';
import { downLab, inGuest, reportOf, upLab, vfsVerify } from './cli.ts';
import { windowFaults } from './told/dax.ts';
import { shownBy } from './told/told.ts';

// The DAX window of the lab's own backend, with its counters as the oracle and dax=never as the control.

const MiB = 2 ** 20;
const name = `backend-dax-${process.pid}`;
let lab: LabInfo;
let guest: Endpoint;

async function up(...flags: readonly string[]): Promise<void> {
  lab = await upLab(name, '--modes', ...flags);
  guest = await connectSsh({ ...lab.ssh, strict: true });
}

async function down(): Promise<void> {
  await guest?.close();
  await downLab(name);
}

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');
const onHost = (file: string) => path.join(lab.hostDir, file);

/** Runs a shell line in the mount of a mode; what it prints. */
async function inMode(mode: string, line: string): Promise<string> {
  const ran = await guest.exec(['sh', '-c', `cd '/mnt/${mode}' && { ${line}; }`]);
  return ran.stdout.trim();
}

async function digestIn(mode: string, file: string): Promise<string | undefined> {
  return (await inMode(mode, `md5sum < ${file}`)).split(' ')[0];
}

/** How much each count of a mode's daemon grows by what is done. */
async function counting(mode: string, work: () => Promise<unknown>): Promise<(count: string) => number> {
  const before = await countsOf(lab, mode);
  await work();
  const after = await countsOf(lab, mode);
  return (count) => (after.get(count) ?? 0) - (before.get(count) ?? 0);
}

async function cachedKiB(): Promise<number> {
  const meminfo = await inMode('auto+dax=never', 'cat /proc/meminfo');
  return Number(/^Cached:\s+(\d+)/m.exec(meminfo)?.[1]);
}

/** How the lab's own QEMU is run. */
async function qemuOfLab(): Promise<readonly string[]> {
  if (lab === undefined) {
    await up('auto');
    await down();
  }
  return lab.programs.qemu?.argv ?? [];
}

const checks = ['dax-path', 'dax-coherence', 'dax-window'];

describe('with files of any length', () => {
  beforeAll(() => up('auto,auto+dax=always,auto+dax=inode,auto+dax=never'));
  afterAll(down);

  it('a file larger than the window is read right through it, without a FUSE_READ', async () => {
    const bytes = randomBytes(40 * MiB + 12_345);
    await writeFile(onHost('large'), bytes);
    for (const mode of ['auto+dax=always', 'auto+dax=inode']) {
      const cached = await cachedKiB();
      const grown = await counting(mode, async () => expect(await digestIn(mode, 'large')).toBe(md5(bytes)));
      expect([grown('READ'), grown('SETUPMAPPING')], mode).toEqual([0, 21]);
      expect(grown('REMOVEMAPPING'), mode).toBeGreaterThan(0);
      expect((await cachedKiB()) - cached, mode).toBeLessThan(1024);
    }
    const cached = await cachedKiB();
    const grown = await counting('auto+dax=never', async () =>
      expect(await digestIn('auto+dax=never', 'large')).toBe(md5(bytes)),
    );
    expect([grown('bytes-read'), grown('SETUPMAPPING')]).toEqual([bytes.length, 0]);
    expect((await cachedKiB()) - cached).toBeGreaterThan(38 * 1024);
  });

  it('what one side writes, the other reads at once', async () => {
    const mode = 'auto+dax=always';
    await writeFile(onHost('both'), 'a'.repeat(5000));
    expect(await inMode(mode, 'head -c 4 both')).toBe('aaaa');
    await inMode(mode, 'printf GUEST 1<>both');
    expect((await readFile(onHost('both'), 'utf8')).slice(0, 8)).toBe('GUESTaaa');
    const file = await readFile(onHost('both'));
    file.write('HOST', 0);
    await writeFile(onHost('both'), file, { flag: 'r+' });
    expect(await inMode(mode, 'head -c 8 both')).toBe('HOSTTaaa');
  });

  it('empty files, parts of pages, and files that grow on either side are right', async () => {
    const mode = 'auto+dax=always';
    await writeFile(onHost('grows'), '');
    expect(await inMode(mode, 'cat grows; printf one >> grows; cat grows')).toBe('one');
    await appendFile(onHost('grows'), 'two');
    expect(await inMode(mode, 'sleep 1.2; cat grows; printf three >> grows; cat grows')).toBe(
      'onetwoonetwothree',
    );
    expect(await readFile(onHost('grows'), 'utf8')).toBe('onetwothree');
  });

  describe('the ledger', () => {
    async function accountOf(...args: readonly string[]): Promise<Ledger> {
      const { first, stderr } = await reportOf(['reads', `--lab=${name}`, ...args]);
      const [ledger] = (first.verdict.evidence as unknown as ReadsEvidence | undefined)?.ledgers ?? [];
      if (ledger === undefined) throw new Error(`no account: ${first.verdict.reason} ${stderr}`);
      return ledger;
    }

    const proved = (ledger: Ledger) =>
      Object.fromEntries(
        ledger.lines
          .filter(({ bytes, known }) => bytes > 0 && known === 'proved')
          .map(({ source, bytes }) => [source, bytes]),
      );

    it.each(['auto+dax=always', 'auto+dax=inode'])(
      'books what is read through the window of %s, larger than it, to the byte',
      async (mode) => {
        const size = 40 * MiB + 12_345;
        await writeFile(onHost('booked'), randomBytes(size));
        for (const how of [[], ['--mmap']]) {
          const grown = await counting(mode, async () => {
            const ledger = await accountOf(`/mnt/${mode}/booked`, '--bs', '256k', ...how);
            expect(proved(ledger), how.join()).toEqual({ 'dax/host-cache': size });
            expect(ledger.unexplainedBytes).toBe(0);
            expect(ledger.daemon?.bytes, 'what the backend counts itself').toEqual([0, 0]);
          });
          expect([grown('READ'), grown('bytes-read')]).toEqual([0, 0]);
          expect(grown('SETUPMAPPING')).toBeGreaterThan(4);
        }
        // What the window shows stays mapped on the host, unless the kernel reclaims it: only the rest is dropped,
        // and comes from the disk.
        const again = ['--order', 'random', '--bs', '64k', '--drop', 'host'];
        const mixed = await accountOf(`/mnt/${mode}/booked`, ...again);
        const [disk, cache] = [proved(mixed)['dax/disk'] ?? 0, proved(mixed)['dax/host-cache'] ?? 0];
        expect(disk + cache).toBe(size);
        expect(cache).toBeLessThanOrEqual(32 * MiB);
        await rm(onHost('booked'));
      },
    );

    it('tells the disk through the window from the host’s cache, and both from the control', async () => {
      const mode = 'auto+dax=always';
      await writeFile(onHost('cold'), randomBytes(MiB));
      const cold = await accountOf(`/mnt/${mode}/cold`, '--drop', 'both', '--order', 'random');
      expect(proved(cold)).toEqual({ 'dax/disk': MiB });
      const { first } = await reportOf(['reads', `--lab=${name}`, `/mnt/${mode}/cold`, '--drop', 'host']);
      const evidence = first.verdict.evidence as unknown as ReadsEvidence;
      expect(proved(evidence.ledgers[0] as Ledger)).toEqual({ 'dax/host-cache': MiB });
      expect(evidence.dropped[0]?.note).toContain('what a guest has in its window');
      const control = await accountOf('/mnt/auto+dax=never/cold', '--no-readahead');
      expect(proved(control)).toEqual({ 'fuse/host-cache': MiB });
    });

    it('residency, drop and md5 say what is true of a DAX file', async () => {
      const file = '/mnt/auto+dax=inode/cold';
      const looked = await vfsVerify(['residency', `--lab=${name}`, file]);
      expect(looked.stdout).toContain('a DAX file: the guest keeps no pages of it');
      expect(looked.stdout).toMatch(/guest 0\.0 %/);
      const dropped = await vfsVerify(['drop', `--lab=${name}`, file]);
      expect(dropped.stdout).toContain('a DAX file: the guest keeps no pages of it');
      const same = await vfsVerify(['md5', `--lab=${name}`, file]);
      expect(same.status).toBe(0);
      expect(same.stdout.replaceAll(/\s+/g, ' ')).toContain("in the guest's window");
    });
  });

  it('the checks of the window pass in its modes, and do not apply to the control', async () => {
    const { status, report } = await reportOf(
      ['check', `--lab=${name}`, ...checks, '--modes', 'auto+dax=always,auto+dax=inode,auto+dax=never'],
      { timeoutMs: 200_000 },
    );
    for (const { check, mode, verdict, cases } of report.results) {
      const words = `${check} in ${mode}: ${JSON.stringify(cases.map((each) => each.verdict))}`;
      expect(verdict.kind, words).toBe(mode === 'auto+dax=never' ? 'skip' : 'pass');
    }
    expect(status).toBe(0);
  });

  it('the account of a short benchmark adds up in a window, and beside it', async () => {
    const { status, report } = await reportOf([
      ...['check', `--lab=${name}`, 'benchmark-plausibility', '--modes', 'auto+dax=always,auto+dax=never'],
    ]);
    for (const { mode, cases } of report.results)
      for (const { name: each, verdict } of cases)
        expect(verdict.kind, `${each} in ${mode}: ${verdict.reason}`).toBe('pass');
    expect(status).toBe(0);
  });

  it('a share without a window refuses dax=always, ignores it on a second mount, and no check passes there', async () => {
    const tag = lab.tags.auto;
    await inGuest(name, `mkdir -p /mnt/again && mount -t virtiofs -o dax=always ${tag} /mnt/again`);
    // Declared by a mode that the lab itself has not.
    const declared = ['--map', `/mnt/again=${lab.hostDir}`, '--mode', 'always+dax=always'];
    const { report } = await reportOf([
      ...['check', `--lab=${name}`, ...checks, 'mode-in-force/dax-state'],
      ...[...declared, '--modes', 'always+dax=always'],
    ]);
    expect(Object.fromEntries(report.results.map(({ check, verdict }) => [check, verdict.kind]))).toEqual({
      ...Object.fromEntries(checks.map((check) => [check, 'skip'])),
      'mode-in-force': 'fail',
    });
    const said = JSON.stringify(report.results);
    expect(said).toContain('a tag that was mounted before keeps the options of its first mount');
    expect(said).toContain('dax-not-as-declared');
    await inGuest(name, 'umount /mnt/again && umount /mnt/auto');
    const refused = await inGuest(name, `mount -t virtiofs -o dax=always ${tag} /mnt/auto 2>&1 || true`);
    expect(refused).toContain('Invalid argument');
    await inGuest(name, `mount -t virtiofs ${tag} /mnt/auto`);
  });

  async function foundWith(faults: string, liar: string, check: string, mode: string) {
    await setFaults(lab, liar, faults);
    const { first } = await reportOf(['check', `--lab=${name}`, check, '--modes', mode]);
    await setFaults(lab, liar, '');
    return first.cases[0]?.verdict;
  }

  it('a server that marks no file has no window for any check', async () => {
    const mode = 'auto+dax=inode';
    const verdict = await foundWith('dax-not-marked', mode, 'dax-path/loads', mode);
    expect(verdict).toMatchObject({ kind: 'skip', code: 'no-window' });
  });

  it.each(windowFaults.flatMap((told) => shownBy(told, told.faults).map((shown) => ({ ...told, ...shown }))))(
    'the fault $faults is found by $check/$case: $code',
    async (told) => {
      const { faults, policy, liar = policy, check, code } = told;
      const verdict = await foundWith(faults, liar, `${check}/${told.case}`, policy);
      expect(verdict).toMatchObject({ kind: 'fail', code });
    },
  );
});

describe('in a QEMU that maps no part of a page', () => {
  let directory = '';
  beforeAll(async () => {
    // The lab's own, by another name: nothing is preloaded into a QEMU that the lab does not know.
    directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
    const program = path.join(directory, 'qemu');
    const words = (await qemuOfLab()).map((word) => `'${word}'`).join(' ');
    await writeFile(program, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
    await up('auto,auto+dax=always,auto+dax=inode', '--qemu', program);
  });
  afterAll(async () => {
    await down();
    await rm(directory, { recursive: true, force: true });
  });

  it('files of whole pages are mapped, and a released daemon beside goes on', async () => {
    const bytes = randomBytes(3 * MiB + 8192);
    await writeFile(onHost('whole'), bytes);
    for (const mode of ['auto+dax=always', 'auto+dax=inode', 'auto']) {
      expect(await digestIn(mode, 'whole'), mode).toBe(md5(bytes));
    }
    expect((await countsOf(lab, 'auto+dax=always')).get('READ')).toBe(0);
    expect((await countsOf(lab, 'auto+dax=inode')).get('READ')).toBe(0);
  });

  it('a file with a part of a page is read by FUSE_READ, or not at all, and never wrong', async () => {
    await writeFile(onHost('part'), 'hello, world');
    expect(await inMode('auto+dax=inode', 'cat part')).toBe('hello, world');
    expect(await inMode('auto+dax=always', 'cat part 2>/dev/null || echo error')).toBe('error');
  });

  it('a mapped file grows by whole pages, and the guest is told no other size', async () => {
    const mode = 'auto+dax=inode';
    await writeFile(onHost('pages'), 'a'.repeat(4096));
    // Held open, so that it stays mapped.
    const held = 'exec 3<pages; head -c 1 <&3 >/dev/null';
    const grown = 'head -c 4096 /dev/zero | tr "\\0" b >> pages; md5sum < pages';
    expect(await inMode(mode, `${held}; ${grown}`)).toContain(
      md5(Buffer.from('a'.repeat(4096) + 'b'.repeat(4096))),
    );
    expect(await inMode(mode, `${held}; printf c >> pages 2>/dev/null || echo refused`)).toBe('refused');
    const seen = inMode(mode, `${held}; sleep 3; wc -c < pages`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await appendFile(onHost('pages'), 'b'.repeat(4096 + 12));
    expect(await seen).toBe(String(3 * 4096));
  });
});
