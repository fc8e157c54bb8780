import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReadsArgs } from '../../checks/ledger/arguments.ts';
import { drop } from '../../checks/ledger/drop.ts';
import { reads } from '../../checks/ledger/reads.ts';
import { residency } from '../../checks/ledger/residency.ts';
import { benchFor } from '../../src/cli/bench.ts';
import { monitorsOf } from '../../src/cli/monitor.ts';
import { reachSides, type Sides } from '../../src/cli/sides.ts';
import { localEndpoint } from '../../src/endpoint/local.ts';
import type { LabInfo } from '../../src/lab/info.ts';
import type { Ledger, Source } from '../../src/model/account.ts';
import type { Check } from '../../src/model/check.ts';
import { labModes } from '../../src/model/mode.ts';
import type { EvictResult, Operation, PageState } from '../../src/model/operation.ts';
import type { ReadsEvidence } from '../../src/model/reads-evidence.ts';
import type { Result } from '../../src/model/report.ts';
import type { DropEvidence, ResidencyEvidence, SideResidency } from '../../src/model/residency.ts';
import { runCell } from '../../src/run/cell.ts';
import { downLab, reportOf, upLab, vfsVerify } from './cli.ts';
import { watchReads } from './strace.ts';
import { traceReads } from './tracepoints.ts';

const name = `ledger-${process.pid}`;
const page = 4096;
const direct = 'auto+allow-direct-io';
let lab: LabInfo;
let sides: Sides;
let scratch = '';

beforeAll(async () => {
  lab = await upLab(name, '--modes', [...labModes, direct].join(','));
  sides = await reachSides({ host: 'local', lab: true, labName: name });
  scratch = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
});
afterAll(async () => {
  await sides?.close();
  await downLab(name);
  await rm(scratch, { recursive: true, force: true });
});

const onHost = (file: string) => path.join(lab.hostDir, file);
const inMode = (mode: string, file: string) => `${lab.mounts[mode]}/${file}`;
const daemonOf = (mode: string) => lab.daemons[mode]?.pid ?? 0;

async function make(file: string, pages: number, tail = 0): Promise<void> {
  await writeFile(onHost(file), randomBytes(pages * page + tail));
}

async function onProbe<T>(op: Operation): Promise<T> {
  const outcome = await sides.host.session.request('holder', op, {
    root: lab.hostDir,
    limitMs: 30_000,
    limitName: 'test',
  });
  if (outcome.kind !== 'value') throw new Error(`${op.do}: ${JSON.stringify(outcome)}`);
  return outcome.value as T;
}

/** A shell line in the guest that goes on while the test does; it says `ready` when it is. */
async function meanwhile(line: string): Promise<{ readonly stop: () => Promise<void> }> {
  const process = await sides.guest.endpoint.spawn(['sh', '-c', line]);
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready within 20 s: ${line}`)), 20_000);
    process.stdout.on('data', (text) => {
      if (!String(text).includes('ready')) return;
      clearTimeout(timer);
      resolve();
    });
  });
  return {
    async stop() {
      process.stdin.end();
      await process.ended;
    },
  };
}

/** Runs one of the ledger's checks as its command does, in this process. */
async function carryOut(check: Check, mode: string, file: string, args: object): Promise<Result> {
  const share = sides.shares.find((each) => each.mode?.name === mode);
  if (share === undefined) throw new Error(`no share of mode ${mode}`);
  const monitor = monitorsOf(sides);
  try {
    return await runCell(check, benchFor(share, sides, monitor.usedIndexOf(share)), {
      bundleDir: path.join(scratch, 'bundle'),
      seed: 0,
      args: { guestPath: inMode(mode, file), hostPath: onHost(file), timeoutMs: 60_000, ...args },
    });
  } finally {
    monitor.close();
  }
}

async function ledgerOf(mode: string, file: string, args: Partial<ReadsArgs> = {}): Promise<Ledger> {
  const { verdict } = await carryOut(reads, mode, file, {
    order: 'seq',
    block: page,
    seed: 77,
    direct: false,
    mapped: false,
    passes: 1,
    reopen: false,
    readahead: true,
    drop: 'none',
    systemWide: false,
    ...args,
  });
  const [only] = (verdict.evidence as ReadsEvidence | undefined)?.ledgers ?? [];
  if (only === undefined) throw new Error(JSON.stringify(verdict));
  return only;
}

const atRandom = { order: 'random', readahead: false } as const;

async function lookAt(mode: string, file: string): Promise<readonly SideResidency[]> {
  const { verdict } = await carryOut(residency, mode, file, { side: 'both' });
  return (verdict.evidence as ResidencyEvidence).sides;
}

async function dropped(mode: string, file: string, side: string): Promise<DropEvidence> {
  const { verdict } = await carryOut(drop, mode, file, { side, systemWide: false });
  return verdict.evidence as DropEvidence;
}

/** Bytes by source, without lines of 0 bytes. */
function bySource(ledger: Ledger): Partial<Record<Source, number>> {
  return Object.fromEntries(
    ledger.lines.filter(({ bytes }) => bytes > 0).map(({ source, bytes }) => [source, bytes]),
  );
}

describe.each(labModes)('in mode %s', (mode) => {
  const file = `oracle ${mode}`;
  const pages = 2048;

  /** strace on the daemon, and the tracepoints of the guest's kernel, around one run. */
  const watched = async (args: Partial<ReadsArgs>) => {
    const mount = lab.mounts[mode] ?? '';
    const { result, all } = await traceReads(sides.guest.endpoint, mount, () =>
      watchReads(daemonOf(mode), file, () => ledgerOf(mode, file, args)),
    );
    expect(result.own, 'strace and tracepoints').toEqual(all);
    return result;
  };

  it('the bytes that crossed are those that strace and tracepoints saw, to the byte', async () => {
    await make(file, pages);
    const random = await watched({ ...atRandom, count: 500 });
    expect(random.result.daemon?.bytes).toEqual([random.own.bytes, random.own.bytes]);
    expect(random.result.daemon?.requests).toEqual([random.own.requests, random.own.requests]);
    expect(random.own.bytes).toBe(500 * page);
    expect(random.result.unexplainedBytes).toBe(0);
    expect(random.result.otherTraffic).toBeUndefined();
    expect(bySource(random.result)).toEqual({ 'fuse/host-cache': 500 * page });

    const inOrder = await watched({ block: 65_536 });
    expect(inOrder.result.daemon?.bytes).toEqual([inOrder.own.bytes, inOrder.own.bytes]);
    expect(inOrder.result.unexplainedBytes).toBe(0);
    const large = await ledgerOf(mode, file, { block: 1024 * 1024, drop: 'guest' });
    expect(large.evictedMeanwhile).toEqual({ guestPages: 0, hostPages: 0 });
    expect(bySource(large)).toEqual({ 'fuse/host-cache': pages * page });
    // Only always keeps what the first run fetched.
    const kept = mode.startsWith('always') ? 500 * page : 0;
    expect(bySource(inOrder.result)).toEqual({
      'fuse/host-cache': pages * page - kept,
      ...(kept > 0 ? { 'guest-cache': kept } : {}),
    });
  });

  it('a second pass comes from the guest where the mode caches, and crosses where it does not', async () => {
    const caches = mode !== 'never' && mode !== 'metadata';
    const ledger = await ledgerOf(mode, file, { passes: 2, block: 16_384, drop: 'guest' });
    expect(ledger.guestCaches).toBe(caches ? 'yes' : 'no');
    expect(bySource(ledger)).toEqual(
      caches
        ? { 'guest-cache': pages * page, 'fuse/host-cache': pages * page }
        : { 'fuse/host-cache': 2 * pages * page },
    );
    expect(ledger.lines.every(({ known, bytes }) => known === 'proved' || bytes === 0)).toBe(true);
  });

  it('both caches dropped, the disk serves it', async () => {
    const ledger = await ledgerOf(mode, file, { order: 'random', count: 300, drop: 'both' });
    expect(bySource(ledger)).toEqual({ 'fuse/disk': 300 * page });
    expect(ledger.daemon?.diskBytes).toBeGreaterThanOrEqual(300 * page);
    expect(ledger.sentence).toBe('100 % came from the disk: this measures the disk.');
  });
});

describe('an exact split', () => {
  it('of the host: k of n pages that were resident before, whichever they were', async () => {
    const pages = 2000;
    await make('k of n', pages);
    await onProbe({ do: 'open', path: 'k of n', flags: ['rdonly'], as: 'k' });
    await onProbe({ do: 'fsync', file: 'k' });
    const { after } = await onProbe<EvictResult>({ do: 'evict', file: 'k', evenDirty: true });
    expect(after.cached).toBe(0);
    await onProbe({ do: 'advise', file: 'k', advice: 'random' });
    const range = { offset: 0, length: pages * page };
    const plan = { order: 'random', block: page, range, count: 700, seed: 5, passes: 1 } as const;
    await onProbe({ do: 'reads', file: 'k', ...plan });
    // A mapping that is touched keeps them: the machine may reclaim idle pages on its own.
    await onProbe({ do: 'map', file: 'k', as: 'k', offset: 0, ...mapping(pages) });
    const { cached } = await onProbe<PageState>({ do: 'pages', file: 'k' });
    expect(cached).toBeGreaterThanOrEqual(700);
    const held = await onProbe<PageState>({ do: 'pages', file: 'k', map: true });
    await touch('k', held);
    const ledger = await ledgerOf('never', 'k of n', atRandom);
    expect(ledger.evictedMeanwhile.hostPages).toBe(0);
    expect(bySource(ledger)).toEqual({
      'fuse/host-cache': cached * page,
      'fuse/disk': (pages - cached) * page,
    });
    expect(ledger.lines.filter(({ bytes }) => bytes > 0).map(({ known }) => known)).toEqual([
      'proved',
      'proved',
    ]);
    await sides.host.session.release('holder');
  });

  it('of the guest: the half that it holds', async () => {
    const pages = 1024;
    await make('half warm', pages);
    await ledgerOf('always', 'half warm', { count: pages / 2, readahead: false });
    const ledger = await ledgerOf('always', 'half warm', atRandom);
    expect(bySource(ledger)).toEqual({
      'guest-cache': (pages / 2) * page,
      'fuse/host-cache': (pages / 2) * page,
    });
    expect(ledger.evictedMeanwhile).toEqual({ guestPages: 0, hostPages: 0 });
  });

  it('of holes, the tail of a file, and reads that are no pages', async () => {
    await make('sparse', 16);
    await truncate(onHost('sparse'), 32 * page);
    const hole = await ledgerOf('never', 'sparse', { drop: 'both' });
    expect(bySource(hole)).toEqual({ 'fuse/disk': 16 * page, 'fuse/hole': 16 * page });
    await make('tail', 10, 777);
    const odd = await watchReads(daemonOf('never'), 'tail', () => ledgerOf('never', 'tail', { block: 1000 }));
    expect(odd.own.bytes).toBe(10 * page + 777);
    expect(bySource(odd.result)).toEqual({ 'fuse/host-cache': 10 * page + 777 });
    const cached = await watchReads(daemonOf('auto'), 'tail', () =>
      ledgerOf('auto', 'tail', { block: 1000 }),
    );
    expect(cached.own.bytes).toBe(10 * page + 777);
    expect(cached.result.readahead.fetchedBytes).toBe(10 * page + 777);
    expect(cached.result.bytes).toBe(10 * page + 777);
  });
});

describe('O_DIRECT in the guest', () => {
  it("reads the host's page cache where the daemon strips it", async () => {
    await make('direct', 256);
    const ledger = await ledgerOf('auto', 'direct', { direct: true });
    expect(bySource(ledger)).toEqual({ 'fuse/host-cache': 256 * page });
  });

  it('reads the disk every time where the daemon allows it, although the host holds the pages', async () => {
    const ledger = await ledgerOf(direct, 'direct', { direct: true, passes: 2 });
    expect(bySource(ledger)).toEqual({ 'fuse/disk': 2 * 256 * page });
    expect(ledger.daemon?.diskBytes).toBe(2 * 256 * page);
  });
});

describe('noise', () => {
  it.each(['never', 'auto'])(
    'by another process on the same share (%s) is reported, and booked to nobody',
    async (mode) => {
      const pages = 2048;
      await make(`quiet ${mode}`, pages);
      await make(`noise ${mode}`, 1024);
      const noise = await meanwhile(
        `echo ready; ( while :; do dd if='${inMode(mode, `noise ${mode}`)}' of=/dev/null bs=16k 2>/dev/null; done ) & cat; kill $!`,
      );
      const { result, own, others } = await watchReads(daemonOf(mode), 'quiet', () =>
        ledgerOf(mode, `quiet ${mode}`, atRandom),
      );
      await noise.stop();
      expect(own.bytes).toBe(pages * page);
      expect(others.bytes).toBeGreaterThan(0);
      expect(bySource(result)).toEqual({ 'fuse/host-cache': pages * page });
      expect(result.otherTraffic?.bytes[0]).toBeGreaterThan(0);
      expect(result.otherTraffic?.bytes[1]).toBeLessThanOrEqual(others.bytes);
    },
  );

  it('by fio in the guest, and by programs that read and evict on the host, is not booked to our file', async () => {
    const pages = 1024;
    await make('beside fio', pages);
    await make('fio file', 4096);
    const fio = await meanwhile(
      `fio --name=n --filename='${inMode('never', 'fio file')}' --readonly --rw=randread --bssplit=4k/50:32k/50 --ioengine=psync --thread --size=16m --time_based --runtime=60 --invalidate=0 >/dev/null & echo ready; cat; kill $!`,
    );
    const read = async () =>
      Number(/rchar: (\d+)/.exec(await readFile(`/proc/${daemonOf('never')}/io`, 'utf8'))?.[1]);
    const before = await read();
    await expect.poll(read, { timeout: 60_000 }).toBeGreaterThan(before + 1024 * page);
    const script = `while :; do dd if='${onHost('fio file')}' of=/dev/null bs=1M status=none; dd if='${onHost('fio file')}' iflag=nocache count=0 status=none; done`;
    const onHostToo = await localEndpoint().spawn(['sh', '-c', script]);
    try {
      const { result, own } = await watchReads(daemonOf('never'), 'beside fio', () =>
        ledgerOf('never', 'beside fio', atRandom),
      );
      expect(own.bytes).toBe(pages * page);
      expect(bySource(result)).toEqual({ 'fuse/host-cache': pages * page });
      expect(result.otherTraffic?.bytes[1]).toBeGreaterThan(0);
      expect(result.unexplainedBytes).toBe(0);
    } finally {
      onHostToo.kill();
      await onHostToo.ended;
      await fio.stop();
    }
  });
});

describe('residency and drop', () => {
  const cached = (looks: readonly SideResidency[]) =>
    Object.fromEntries(looks.map(({ side, pages }) => [side, pages?.cached]));

  it('see both caches of a file without disturbing them, and empty them', async () => {
    await make('looked at', 512);
    await ledgerOf('always', 'looked at', { count: 128, readahead: false });
    expect(cached(await lookAt('always', 'looked at'))).toEqual({ guest: 128, host: 512 });
    expect(cached(await lookAt('always', 'looked at'))).toEqual({ guest: 128, host: 512 });
    expect((await dropped('always', 'looked at', 'both')).sides).toMatchObject([
      { side: 'guest', outcome: 'done', before: { cached: 128 }, after: { cached: 0 } },
      { side: 'host', outcome: 'done', before: { cached: 512 }, after: { cached: 0 } },
    ]);
    expect(cached(await lookAt('always', 'looked at'))).toEqual({ guest: 0, host: 0 });
  });

  it('do not open a file in the guest where that would drop its pages', async () => {
    await make('held', 64);
    const holder = await meanwhile(
      `exec 3<'${inMode('auto', 'held')}'; dd bs=4096 count=16 <&3 >/dev/null 2>&1; echo ready; cat`,
    );
    const first = (await lookAt('auto', 'held')).find(({ side }) => side === 'guest');
    expect(first?.pages?.cached).toBeGreaterThanOrEqual(16);
    expect(first?.how).toMatch(/descriptor of process \d+/);
    expect(cached(await lookAt('auto', 'held'))).toMatchObject({ guest: first?.pages?.cached });
    await holder.stop();
    const later = (await lookAt('auto', 'held')).find(({ side }) => side === 'guest');
    expect(later?.pages).toBeUndefined();
    expect(later?.how).toContain('nobody there has it open');
  });

  it('leave a file with dirty pages in the guest alone', async () => {
    const file = await open(onHost('dirty'), 'w');
    await file.truncate(64 * page);
    await file.close();
    // Not by a shell: each program that it starts would close a copy of the descriptor, which writes back.
    const write = async (op: Operation) => {
      const options = { root: lab.mounts['auto+writeback'] ?? '', limitMs: 10_000, limitName: 'test' };
      expect(await sides.guest.session.request('writer', op, options)).toMatchObject({ kind: 'value' });
    };
    await write({ do: 'open', path: 'dirty', flags: ['rdwr'], as: 'dirty' });
    const base64 = randomBytes(8 * page).toString('base64');
    await write({ do: 'write', file: 'dirty', offset: 0, base64 });
    expect((await dropped('auto+writeback', 'dirty', 'guest')).sides[0]).toMatchObject({
      outcome: 'refused',
      before: { dirty: 8 },
    });
    await sides.guest.session.release('writer');
  });
});

it('the same bundle gives the same ledger again, offline', async () => {
  await make('again', 100);
  const bundle = path.join(lab.directory, 'bundle');
  const args = ['reads', `--lab=${name}`, inMode('auto', 'again'), '--order', 'random', '--bundle', bundle];
  const { first } = await reportOf(args);
  const judged = await reportOf(['judge', bundle]);
  expect(judged.first.verdict).toEqual(first.verdict);
  const text = await vfsVerify(['judge', bundle]);
  expect(text.stdout.split('\n')[0]).toBe((first.verdict.evidence as ReadsEvidence).ledgers[0]?.sentence);
  for (const line of text.stdout.split('\n')) expect([...line].length).toBeLessThanOrEqual(80);
});

function mapping(pages: number) {
  return { length: pages * page, protection: 'read', share: 'shared' } as const;
}

/** Loads one byte of every resident page through the mapping. */
async function touch(map: string, { runs = [] }: PageState): Promise<void> {
  let at = 0;
  for (const [index, run] of runs.entries()) {
    if (index % 2 === 1)
      for (let each = at; each < at + run; each += 1)
        await onProbe({ do: 'load', map, offset: each * page, length: 1 });
    at += run;
  }
}
