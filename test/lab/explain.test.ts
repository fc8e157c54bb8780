import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabInfo } from '../../src/lab/info.ts';
import type { Source } from '../../src/model/account.ts';
import { type ExplainEvidence, isExplain } from '../../src/model/explain-evidence.ts';
import type { Flow } from '../../src/model/program-account.ts';
import type { Report } from '../../src/model/report.ts';
import type { QuantityName } from '../../src/model/run-quantities.ts';
import { reportFaults } from '../../src/report/validate.ts';
import { countsOf } from './backend.ts';
import { downLab, upLab, vfsVerify } from './cli.ts';
import { watchReads, watchSyncs, watchWrites } from './strace.ts';

const program = fileURLToPath(new URL('../../bin/vfs-verify.js', import.meta.url));
const name = `explain-${process.pid}`;
const direct = 'auto+allow-direct-io';
const dax = 'auto+dax=always';
const mib = 1024 * 1024;
let lab: LabInfo;
let scratch = '';

beforeAll(async () => {
  lab = await upLab(name, '--modes', `auto,always,auto+writeback,${direct},${dax},9p:none,9p:loose`);
  scratch = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
});
afterAll(async () => {
  await downLab(name);
  await rm(scratch, { recursive: true, force: true });
});

const inMode = (mode: string, file: string) => `${lab.mounts[mode]}/${file}`;
const daemonOf = (mode: string) => lab.daemons[mode]?.pid ?? 0;

async function make(file: string, megabytes: number): Promise<void> {
  await writeFile(path.join(lab.hostDir, file), randomBytes(megabytes * mib));
}

async function drop(guestPath: string): Promise<void> {
  const ran = await vfsVerify(['drop', guestPath, '--side', 'both', `--lab=${name}`]);
  if (ran.status !== 0) throw new Error(ran.stderr);
}

/** Runs the built program as its user would; the streams are bytes. */
function explain(command: readonly string[], flags: readonly string[] = [], input: Uint8Array = Buffer.of()) {
  return execa(process.execPath, [program, 'explain', `--lab=${name}`, ...flags, '--', ...command], {
    reject: false,
    input,
    encoding: 'buffer',
    timeout: 200_000,
  });
}

/** The account of a program that must have been accounted for. */
async function accountOf(
  command: readonly string[],
  flags: readonly string[] = [],
): Promise<ExplainEvidence & { readonly reason: string }> {
  const output = path.join(scratch, `${randomBytes(4).toString('hex')}.json`);
  const ran = await explain(command, ['--json', '--output', output, ...flags]);
  const report = JSON.parse(await readFile(output, 'utf8')) as Report;
  expect(reportFaults(report)).toEqual([]);
  const [result] = report.results;
  const evidence = result?.verdict.evidence;
  if (ran.exitCode !== 0 || !isExplain(evidence))
    throw new Error(`${ran.exitCode}: ${result?.verdict.reason}\n${Buffer.from(ran.stderr).toString()}`);
  return { ...evidence, reason: result?.verdict.reason ?? '' };
}

function bytesOf({ lines }: Flow, source: Source): number {
  return lines.find((line) => line.source === source)?.bytes ?? 0;
}

/** What an independent trace counted must lie in what the account says. */
function expectWithin(interval: readonly [number, number] | undefined, truth: number): void {
  expect(interval?.[0]).toBeLessThanOrEqual(truth);
  expect(interval?.[1]).toBeGreaterThanOrEqual(truth);
}

describe('a program that is explained', () => {
  it('keeps its streams byte for byte and its exit status', async () => {
    const input = randomBytes(300_000);
    const ran = await explain(['sh', '-c', 'cat; echo to stderr >&2; exit 7'], [], input);
    expect(ran.exitCode).toBe(7);
    expect(Buffer.compare(Buffer.from(ran.stdout), input)).toBe(0);
    expect(Buffer.from(ran.stderr).toString()).toMatch(/^to stderr\n/);
  });

  it('gets the signals that we get', async () => {
    const running = explain(['sh', '-c', 'echo ready; exec sleep 100']);
    await new Promise<void>((resolve) => running.stdout?.once('data', () => resolve()));
    running.kill('SIGINT');
    expect((await running).exitCode).toBe(130);
  });

  it('that is not there is 127 with what to do, and a failure of ours is 125', async () => {
    const missing = await explain(['nonexistent-fio', 'job.fio']);
    expect(missing.exitCode).toBe(127);
    expect(Buffer.from(missing.stderr).toString()).toContain('install nonexistent-fio in the guest');
    const fio = await explain(['/nonexistent/fio', 'job.fio']);
    expect(fio.exitCode).toBe(127);
    expect(Buffer.from(fio.stderr).toString()).toContain('--with-probe');
    expect((await explain(['true'], ['--in', 'relative'])).exitCode).toBe(125);
    expect((await explain(['true'], ['--no-such-flag'])).exitCode).toBe(125);
  });
});

describe('reads', () => {
  it('at random over a file that fio has laid out just before came from the host’s page cache', async () => {
    const file = inMode('auto', 'laid-out');
    const { result, own } = await watchReads(daemonOf('auto'), 'laid-out', () =>
      accountOf([
        'fio',
        '--name=r',
        `--filename=${file}`,
        '--rw=randread',
        '--bs=4k',
        '--size=4m',
        '--ioengine=psync',
      ]),
    );
    const { reads } = result.account;
    expect(own.bytes).toBe(4 * mib);
    expectWithin(reads.crossed?.bytes, own.bytes);
    expectWithin(reads.crossed?.requests, own.requests);
    expect(bytesOf(reads, 'fuse/host-cache')).toBeGreaterThan(0.98 * reads.bytes);
    expect(bytesOf(reads, 'fuse/disk')).toBe(0);
    expect(result.advice.join('\n')).toContain(`vfs-verify drop ${file} --side both`);
  });

  it('of a file that both sides have dropped came from the disk, with readahead too', async () => {
    await make('cold', 8);
    await drop(inMode('auto', 'cold'));
    const { result, own } = await watchReads(daemonOf('auto'), 'cold', () =>
      accountOf(['dd', `if=${inMode('auto', 'cold')}`, 'of=/dev/null', 'bs=4k']),
    );
    const { account, reason } = result;
    expect(own.requests).toBeLessThan(1024);
    expectWithin(account.reads.crossed?.bytes, own.bytes);
    expectWithin(account.reads.crossed?.requests, own.requests);
    expect(bytesOf(account.reads, 'fuse/disk')).toBeGreaterThan(0.98 * 8 * mib);
    expect(account.writes.bytes).toBe(0);
    expect(reason).toContain('this measured the disk');
  });

  it('that were read before came from the guest’s page cache', async () => {
    await make('warm', 8);
    const file = inMode('always', 'warm');
    const { account } = await accountOf([
      'sh',
      '-c',
      `for i in 1 2 3 4; do dd if=${file} bs=64k of=/dev/null; done`,
    ]);
    expect(account.reads.crossed?.bytes[1]).toBeLessThan(8.2 * mib);
    // A whole dd may be too short to be seen with its file open before another is.
    expectWithin(account.reads.asked?.bytes, 32 * mib);
    expect(bytesOf(account.reads, 'guest-cache')).toBeGreaterThan(12 * mib);
  });

  it('through a mapping are known to be in no count, and what crossed is told', async () => {
    await make('mapped', 8);
    const file = inMode('always', 'mapped');
    const { result, own } = await watchReads(daemonOf('always'), 'mapped', () =>
      accountOf([
        'fio',
        '--name=m',
        `--filename=${file}`,
        '--rw=read',
        '--bs=4k',
        '--size=8m',
        '--ioengine=mmap',
      ]),
    );
    expectWithin(result.account.reads.crossed?.bytes, own.bytes);
    expect(bytesOf(result.account.reads, 'fuse/host-cache')).toBeGreaterThan(0.98 * own.bytes);
  });

  it('of a job file with several jobs and processes are those of fio’s own report', async () => {
    await make('jobs-1', 2);
    await make('jobs-2', 2);
    const job = [
      '[global]',
      'rw=randread',
      'bs=4k',
      'size=2m',
      'ioengine=psync',
      'numjobs=2',
      // Long enough for every process to be looked at.
      'loops=8',
      '[one]',
      `filename=${inMode('auto', 'jobs-1')}`,
      '[two]',
      `filename=${inMode('auto', 'jobs-2')}`,
      '',
    ];
    await writeFile(path.join(lab.hostDir, 'job.fio'), job.join('\n'));
    const { account } = await accountOf(['fio', inMode('auto', 'job.fio'), '--output-format=json']);
    expect(account.reads.asked).toMatchObject({ bytes: [64 * mib, 64 * mib], because: "fio's own report" });
    expect(account.files.map((each) => path.basename(each.path))).toEqual(
      expect.arrayContaining(['jobs-1', 'jobs-2']),
    );
    expect(bytesOf(account.reads, 'fuse/disk')).toBe(0);
  });

  it('of two programs at once, one of a cold file and one of a warm one, are half the disk’s', async () => {
    await make('at-once-cold', 8);
    await make('at-once-warm', 8);
    await drop(inMode('auto', 'at-once-cold'));
    const [cold, warm] = [inMode('auto', 'at-once-cold'), inMode('auto', 'at-once-warm')];
    const command = `dd if=${cold} of=/dev/null bs=1M & dd if=${warm} of=/dev/null bs=1M; wait`;
    const { result, own } = await watchReads(daemonOf('auto'), 'at-once', () =>
      accountOf(['sh', '-c', command]),
    );
    const { account } = result;
    expect(own.bytes).toBe(16 * mib);
    expectWithin(account.reads.crossed?.bytes, own.bytes);
    const disk = account.reads.lines.find(({ source }) => source === 'fuse/disk');
    expect(disk?.interval?.[0] ?? disk?.bytes).toBeLessThanOrEqual(8.1 * mib);
    expect(disk?.interval?.[1] ?? disk?.bytes).toBeGreaterThanOrEqual(7.9 * mib);
    expect(bytesOf(account.reads, 'fuse/host-cache')).toBeGreaterThan(6 * mib);
  });

  it('of what the job itself has written just before never came from the disk', async () => {
    for (const [file, words] of [
      ['verified', ['--rw=write', '--size=1m', '--verify=crc32c', '--do_verify=1']],
      ['reread', ['--rw=randrw', '--size=512k', '--io_size=2m']],
    ] as const) {
      const job = ['fio', '--name=own', `--filename=${inMode('auto', file)}`, '--bs=4k', '--ioengine=psync'];
      const { result, own } = await watchReads(daemonOf('auto'), file, () =>
        accountOf([...job, ...words, '--output-format=json']),
      );
      const { reads, writes } = result.account;
      expectWithin(reads.crossed?.bytes, own.bytes);
      expect(bytesOf(reads, 'fuse/disk'), file).toBe(0);
      expect(reads.bytes, file).toBeGreaterThan(0.5 * mib);
      expect(writes.bytes, file).toBeGreaterThan(0.5 * mib);
    }
  });

  it('past both caches came from the disk, resident or not', async () => {
    await make('direct', 4);
    const { account } = await accountOf([
      'fio',
      '--name=d',
      `--filename=${inMode(direct, 'direct')}`,
      '--rw=randread',
      '--bs=4k',
      '--size=4m',
      '--ioengine=psync',
      '--direct=1',
    ]);
    expect(bytesOf(account.reads, 'fuse/disk')).toBeGreaterThan(0.98 * 4 * mib);
    expect(account.files[0]?.held).toMatchObject({ direct: true });
  });
});

describe('writes', () => {
  it('without an fsync are still in the host’s memory when the program ends', async () => {
    const file = inMode('auto', 'unsynced');
    const { result, own } = await watchWrites(daemonOf('auto'), 'unsynced', () =>
      accountOf(['dd', 'if=/dev/zero', `of=${file}`, 'bs=64k', 'count=128']),
    );
    const { writes, reads } = result.account;
    expect(own.bytes).toBe(8 * mib);
    expectWithin(writes.crossed?.bytes, own.bytes);
    expect(reads.bytes).toBe(0);
    expect(writes.atEnd.hostDirtyBytes).toBe(8 * mib);
    expect(bytesOf(writes, 'fuse/host-cache')).toBeGreaterThan(0.98 * 8 * mib);
    expect(result.advice.join('\n')).toContain('fsync');
  });

  it('with an fsync at the end are on the disk', async () => {
    const { account } = await accountOf([
      'dd',
      'if=/dev/zero',
      `of=${inMode('auto', 'synced')}`,
      'bs=64k',
      'count=128',
      'conv=fsync',
    ]);
    expect(account.writes.atEnd.hostDirtyBytes).toBe(0);
    expect(bytesOf(account.writes, 'fuse/disk')).toBeGreaterThan(0.98 * 8 * mib);
    expect(account.device?.writtenBytes).toBeGreaterThanOrEqual(8 * mib);
  });

  it('are synced as often as the daemon was asked to, and the time of that is told', async () => {
    const job = ['--name=s', '--rw=write', '--bs=4k', '--size=256k', '--fsync=8', '--ioengine=psync'];
    const { result, calls } = await watchSyncs(daemonOf('auto'), 'often-synced', () =>
      accountOf(['fio', `--filename=${inMode('auto', 'often-synced')}`, ...job]),
    );
    expect(calls).toBeGreaterThanOrEqual(7);
    expect(result.account.syncs).toMatchObject({ calls });
    expect(result.account.syncs?.seconds).toBeGreaterThan(0);
    expect(result.account.syncs?.seconds).toBeLessThan(result.seconds);
    const without = await accountOf([
      'dd',
      'if=/dev/zero',
      `of=${inMode('auto', 'unsynced')}`,
      'bs=64k',
      'count=4',
    ]);
    expect(without.account.syncs).toMatchObject({ calls: 0 });
  });

  it('through a mapping cross when they are synced, and are known to be in no count', async () => {
    const file = inMode('auto+writeback', 'mapped-writes');
    const job = ['--name=m', '--rw=write', '--bs=4k', '--size=2m', '--ioengine=mmap', '--end_fsync=1'];
    const { result, own } = await watchWrites(daemonOf('auto+writeback'), 'mapped-writes', () =>
      accountOf(['fio', `--filename=${file}`, ...job]),
    );
    const { writes, syncs } = result.account;
    expectWithin(writes.crossed?.bytes, own.bytes);
    expect(own.bytes).toBeGreaterThanOrEqual(2 * mib);
    expect(writes.asked.bytes[1]).toBeGreaterThanOrEqual(2 * mib);
    expect(syncs?.calls).toBeGreaterThanOrEqual(1);
  });

  it('over the same pages are merged in a guest with writeback before they cross', async () => {
    const file = inMode('auto+writeback', 'again');
    const { result, own } = await watchWrites(daemonOf('auto+writeback'), 'again', () =>
      accountOf([
        'sh',
        '-c',
        `exec 3<>${file}; sleep 0.5; for i in 1 2 3 4 5; do dd if=/dev/zero bs=64k count=32 conv=notrunc of=/proc/self/fd/3; done`,
      ]),
    );
    expectWithin(result.account.writes.crossed?.bytes, own.bytes);
    expect(result.account.writes.bytes).toBeGreaterThanOrEqual(9 * mib);
  });
});

describe('the probe’s own runner', () => {
  it('does a job in fio’s words, with a report that is taken like fio’s', async () => {
    await make('by-probe', 2);
    const words = `rw=randread,bs=4k,size=2m,filename=${inMode('auto', 'by-probe')}`;
    const { result, own } = await watchReads(daemonOf('auto'), 'by-probe', () =>
      accountOf([words], ['--with-probe']),
    );
    const { reads } = result.account;
    expect(own.bytes).toBe(2 * mib);
    expect(reads.asked).toMatchObject({ bytes: [2 * mib, 2 * mib], because: "the probe's own report" });
    expectWithin(reads.crossed?.bytes, own.bytes);
    expect(bytesOf(reads, 'fuse/host-cache')).toBeGreaterThan(0.98 * 2 * mib);
    expect(result.rate?.program).toBe('vfs-probe');
  });

  it('writes what diagnose reads, and refuses a job that it has not', async () => {
    const ran = await explain(
      ['fio', '--rw=write', '--size=1m', '--fsync=16', `--filename=${inMode('auto', 'probe-writes')}`],
      ['--with-probe'],
    );
    const saved = path.join(scratch, 'probe.json');
    await writeFile(saved, ran.stdout);
    expect(ran.exitCode).toBe(0);
    expect((await vfsVerify(['diagnose', saved])).status).toBe(0);
    const refused = await explain(
      ['fio', '--ioengine=libaio', '--size=1m', '--filename=/x'],
      ['--with-probe'],
    );
    expect(refused.exitCode).toBe(125);
    expect(Buffer.from(refused.stderr).toString()).toContain('no ioengine=libaio');
  });
});

describe('shares of other kinds', () => {
  it('9p: what is asked without a cache crosses, cold from the disk, and with one it does not again', async () => {
    await make('ninep', 4);
    const file = inMode('9p:none', 'ninep');
    await drop(file);
    const cold = await accountOf(['dd', `if=${file}`, 'of=/dev/null', 'bs=64k']);
    expectWithin(cold.account.reads.crossed?.bytes, 4 * mib);
    expect(bytesOf(cold.account.reads, '9p/disk')).toBeGreaterThan(0.9 * 4 * mib);
    const warm = await accountOf(['dd', `if=${file}`, 'of=/dev/null', 'bs=64k']);
    expect(bytesOf(warm.account.reads, '9p/host-cache')).toBeGreaterThan(0.98 * 4 * mib);
    const loose = inMode('9p:loose', 'ninep');
    const { account } = await accountOf([
      'sh',
      '-c',
      `for i in 1 2 3 4; do dd if=${loose} bs=64k of=/dev/null; done`,
    ]);
    expect(bytesOf(account.reads, 'guest-cache')).toBeGreaterThan(10 * mib);
    const written = await accountOf([
      'dd',
      'if=/dev/zero',
      `of=${inMode('9p:none', 'ninep-w')}`,
      'bs=64k',
      'count=32',
    ]);
    expectWithin(written.account.writes.crossed?.bytes, 2 * mib);
    expect(bytesOf(written.account.writes, '9p/host-cache')).toBeGreaterThan(0.9 * 2 * mib);
  });

  it('DAX: reads and writes in place go through the window, and the daemon is not asked', async () => {
    await make('window', 4);
    const file = inMode(dax, 'window');
    const before = await countsOf(lab, dax);
    const reads = (await accountOf(['dd', `if=${file}`, 'of=/dev/null', 'bs=64k'])).account.reads;
    expect(bytesOf(reads, 'dax/host-cache')).toBeGreaterThan(0.98 * 4 * mib);
    const write = ['dd', 'if=/dev/zero', `of=${file}`, 'bs=64k', 'count=64', 'conv=notrunc'];
    const left = (await accountOf(write)).account;
    expect(bytesOf(left.writes, 'dax/host-cache')).toBeGreaterThan(0.98 * 4 * mib);
    const synced = (await accountOf([...write.slice(0, -1), 'conv=notrunc,fsync'])).account;
    expect(bytesOf(synced.writes, 'dax/disk')).toBeGreaterThan(0.98 * 4 * mib);
    expect(synced.syncs).toMatchObject({ calls: 1 });
    const after = await countsOf(lab, dax);
    for (const count of ['READ', 'WRITE']) expect(after.get(count) ?? 0, count).toBe(before.get(count) ?? 0);
  });
});

describe('several runs', () => {
  it('from each state of the caches show what the number depends on, and the host’s beside them', async () => {
    await make('states', 8);
    const output = path.join(scratch, 'states.json');
    const file = inMode('always', 'states');
    const ran = await explain(
      ['dd', `if=${file}`, 'of=/dev/null', 'bs=64k'],
      [
        '--states',
        'cold,host-warm,guest-warm',
        '--on-host',
        '--json',
        '-o',
        output,
        '--bundle',
        path.join(scratch, 'kept'),
        ...['html', 'csv'].flatMap((format) => [
          '--report',
          `${format}=${path.join(scratch, `states.${format}`)}`,
        ]),
        '--metrics',
        path.join(scratch, 'states.prom'),
      ],
    );
    expect(ran.exitCode).toBe(0);
    const report = JSON.parse(await readFile(output, 'utf8')) as Report;
    expect(reportFaults(report)).toEqual([]);
    const runs = report.results.map(({ verdict: { evidence } }) => {
      if (!isExplain(evidence)) throw new Error('no evidence');
      return evidence;
    });
    expect(runs.map(({ state, stateLeft }) => [state, stateLeft])).toEqual([
      ['cold', []],
      ['host-warm', []],
      ['guest-warm', []],
    ]);
    expect(runs.map(({ account }) => account.reads.lines[0]?.source)).toEqual([
      'fuse/disk',
      'fuse/host-cache',
      'guest-cache',
    ]);
    expect(runs[0]?.onHost?.diskReadBytes).toBeGreaterThanOrEqual(8 * mib);
    expect(runs[1]?.onHost?.diskReadBytes).toBe(0);
    expect(runs[1]?.onHost?.command).toContain(`if=${path.join(lab.hostDir, 'states')}`);
    expect(await readFile(path.join(scratch, 'kept', 'cold', 'host.jsonl'), 'utf8')).toContain('"atMs"');

    // Over time: what crossed and what the disk gave adds up to what was counted, on one axis with what was asked.
    const [cold] = runs;
    const total = (quantity: QuantityName) =>
      (cold?.timeline?.series[quantity] ?? []).reduce<number>((sum, value) => sum + (value ?? 0), 0);
    for (const quantity of ['askedReadBytes', 'crossedReadBytes', 'serverDiskReadBytes'] as const)
      expect(total(quantity), quantity).toBeGreaterThan(0.98 * 8 * mib);
    expect(total('crossedReadBytes')).toBeLessThanOrEqual(cold?.account.reads.crossed?.bytes[1] ?? 0);
    expect(cold?.timeline?.series.guestCachedBytes?.some((level) => (level ?? 0) > 0)).toBe(true);
    const [header = '', ...rows] = (await readFile(path.join(scratch, 'states.csv'), 'utf8')).split('\r\n');
    expect(header).toMatch(/^state,from_seconds,to_seconds,asked_read_bytes,/);
    expect([...new Set(rows.map((row) => row.split(',')[0]))]).toEqual([
      'cold',
      'host-warm',
      'guest-warm',
      '',
    ]);
    const html = await readFile(path.join(scratch, 'states.html'), 'utf8');
    expect(html.match(/class="timeline"/g)).toHaveLength(3);
    const metrics = await readFile(path.join(scratch, 'states.prom'), 'utf8');
    expect(metrics).toContain('vfs_verify_explain_exit_status{program="dd",state="guest-warm"} 0\n');
    expect(metrics).toMatch(/^vfs_verify_explain_asked_read_bytes_total\{[^}]*\} \d{7,}$/m);
    expect(metrics).toMatch(/# EOF\n$/);

    // Judged again by its samples.
    const again = await vfsVerify(['judge', path.join(scratch, 'kept'), '--json']);
    expect(again.status).toBe(0);
    expect((JSON.parse(again.stdout) as Report).verdict.counts).toMatchObject({ pass: 3 });
  });

  it('need to know the files', async () => {
    const ran = await explain(['true'], ['--states', 'cold']);
    expect(ran.exitCode).toBe(125);
    expect(Buffer.from(ran.stderr).toString()).toContain('--file PATH');
  });
});
