import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReadsArgs } from '../../checks/ledger/arguments.ts';
import { reads } from '../../checks/ledger/reads.ts';
import { benchFor } from '../../src/cli/bench.ts';
import { monitorsOf } from '../../src/cli/monitor.ts';
import { reachSides, type Sides } from '../../src/cli/sides.ts';
import type { LabInfo } from '../../src/lab/info.ts';
import type { Ledger } from '../../src/model/account.ts';
import type { ReadsEvidence } from '../../src/model/reads-evidence.ts';
import { runCell } from '../../src/run/cell.ts';
import { sharesOfGuest } from '../../src/share/discover/guest-shares.ts';
import { machinesOn } from '../../src/share/discover/look.ts';
import { downLab, inGuest, reportOf, upLab } from './cli.ts';
import { watchReads } from './strace.ts';

// 9p in the lab: QEMU is the server, and everything else of the machine besides.

const name = `ninep-${process.pid}`;
const modes = ['9p:none', '9p:readahead', '9p:mmap', '9p:loose'];
/** QEMU keeps what the guest sets beside the files, where the host does not see it. */
const mapped = '9p:none+security_model=mapped-xattr';
const page = 4096;
let lab: LabInfo;
let sides: Sides;
let scratch = '';

beforeAll(async () => {
  lab = await upLab(name, '--modes', [...modes, mapped].join(','));
  sides = await reachSides({ host: 'local', lab: true, labName: name });
  scratch = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
});
afterAll(async () => {
  await sides?.close();
  await downLab(name);
  await rm(scratch, { recursive: true, force: true });
});

async function ledgerOf(mode: string, file: string, more: Partial<ReadsArgs>): Promise<Ledger> {
  const share = sides.shares.find((each) => each.mode?.name === mode);
  if (share === undefined) throw new Error(`no share of mode ${mode}`);
  const args = {
    guestPath: `${lab.mounts[mode]}/${file}`,
    hostPath: path.join(lab.hostDir, file),
    timeoutMs: 60_000,
    order: 'random',
    block: page,
    seed: 7,
    direct: false,
    mapped: false,
    passes: 1,
    reopen: false,
    readahead: false,
    drop: 'none',
    systemWide: false,
    ...more,
  };
  const options = { bundleDir: path.join(scratch, 'bundle'), seed: 0, args };
  const monitors = monitorsOf(sides);
  const bench = benchFor(share, sides, monitors.usedIndexOf(share));
  const { verdict } = await runCell(reads, bench, options).finally(() => monitors.close());
  const [only] = (verdict.evidence as ReadsEvidence | undefined)?.ledgers ?? [];
  if (only === undefined) throw new Error(JSON.stringify(verdict));
  return only;
}

/** `SOURCE BYTES KNOWN` of each line that holds any. */
function linesOf({ lines }: Ledger): string[] {
  const holding = lines.filter(({ bytes }) => bytes > 0);
  return holding.map((line) => `${line.source} ${line.bytes} ${line.known}`).sort();
}

describe('9p in the lab', () => {
  it('has each mode mounted with that policy, and no daemon', async () => {
    const mounted = await inGuest(name, 'grep /mnt/ /proc/mounts');
    for (const mode of modes) expect(mounted).toContain(`${lab.tags[mode]} /mnt/${mode} 9p `);
    expect(mounted).toMatch(/\/mnt\/9p:loose 9p [^\n]*cache=(0xf|loose)/);
    expect(lab.daemons).toEqual({});
  });

  it('is in force as it is declared in every mode, and its bytes come by the path that the mode makes true', async () => {
    const checks = ['mode-in-force', 'read-path', 'benchmark-plausibility'];
    const { status, report } = await reportOf([
      'check',
      `--lab=${name}`,
      '--modes',
      modes.join(','),
      ...checks,
    ]);
    const verdicts = report.results.map(({ check, mode, verdict }) => `${check} ${mode} ${verdict.kind}`);
    expect(verdicts).toEqual(verdicts.map((each) => each.replace(/\w+$/, 'pass')));
    expect(verdicts).toHaveLength(checks.length * modes.length);
    expect(status).toBe(0);
  });
});

describe('a share whose server keeps owners and permissions beside the files', () => {
  it('is not accused of what the host does not see, and its mode is found without being told', async () => {
    const cases = ['attributes/guest-changes', 'links/guest-symlinks', 'open-flags/host-opens'];
    const { status, report } = await reportOf(['check', `--lab=${name}`, '--modes', mapped, ...cases]);
    expect(report.results.map(({ check, verdict }) => `${check} ${verdict.kind}`)).toEqual([
      'attributes pass',
      'links pass',
      'open-flags pass',
    ]);
    expect(status).toBe(0);
    const [guest, host] = [sides.guest.endpoint, sides.host.endpoint];
    const { shares } = await sharesOfGuest(guest, host, await machinesOn(host, host), { pid: lab.qemu.pid });
    expect(shares.map(({ mode }) => mode?.name).sort()).toEqual([...modes, mapped].sort());
  });
});

describe.each(modes)('the ledger in mode %s', (mode) => {
  const file = `oracle ${mode}`;
  const pages = 1024;
  const caches = mode !== '9p:none';

  it('has the bytes that strace saw QEMU read from this file, to the byte', async () => {
    await writeFile(path.join(lab.hostDir, file), randomBytes(pages * page));
    const random = await watchReads(lab.qemu.pid, file, () => ledgerOf(mode, file, { count: 300 }));
    expect(random.own).toEqual({ bytes: 300 * page, requests: 300 });
    expect(random.result.daemon?.bytes).toEqual([random.own.bytes, random.own.bytes]);
    expect(linesOf(random.result)).toEqual([`9p/host-cache ${300 * page} proved`]);
    expect(random.result.otherTraffic).toBeUndefined();
  });

  it('tells a second pass, and the disk', async () => {
    const twice = await ledgerOf(mode, file, { order: 'seq', block: 16_384, passes: 2, drop: 'guest' });
    expect(linesOf(twice)).toEqual(
      caches
        ? [`9p/host-cache ${pages * page} proved`, `guest-cache ${pages * page} proved`]
        : [`9p/host-cache ${2 * pages * page} proved`],
    );
    const cold = await ledgerOf(mode, file, { count: 200, drop: 'both' });
    expect(linesOf(cold)).toEqual([`9p/disk ${200 * page} proved`]);
  });
});

describe('the traffic of others', () => {
  it('through the same QEMU is reported, and not booked to our file', async () => {
    const [ours, theirs] = ['ours', 'theirs'];
    for (const each of [ours, theirs])
      await writeFile(path.join(lab.hostDir, each), randomBytes(1024 * page));
    const line = `for n in 1 2 3 4 5 6 7 8; do cat '/mnt/9p:none/${theirs}' > /dev/null; done`;
    const [ledger] = await Promise.all([
      ledgerOf('9p:readahead', ours, { count: 1000 }),
      inGuest(name, line),
    ]);
    expect(ledger.otherTraffic?.bytes[1]).toBeGreaterThan(0);
    expect(linesOf(ledger)).toEqual([expect.stringMatching(/^9p\/host-cache 4096000 (proved|bounded)$/)]);
    expect(ledger.unexplainedBytes).toBe(0);
  });
});

// The last: it costs the guest a process that nothing ends, and the CPU that it keeps busy.
describe('a read across the new end of a file that the host truncated', () => {
  it('never returns in none, and is told from a share that is slow', async () => {
    const asked = ['host-truncate/host-cut-read', '--modes', '9p:none,9p:readahead'];
    const { status, report } = await reportOf([
      'check',
      `--lab=${name}`,
      ...asked,
      '--known',
      'docs/findings',
    ]);
    const found = report.results.map(({ mode, cases: [only] }) => [mode, only?.verdict, only?.known?.id]);
    expect(found).toEqual([
      ['9p:none', expect.objectContaining({ kind: 'fail', code: 'never-ended' }), 'ninep-truncate-endless'],
      ['9p:readahead', expect.objectContaining({ kind: 'pass' }), undefined],
    ]);
    expect(status).toBe(0);
  });
});
