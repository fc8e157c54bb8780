import { describe, expect, it } from 'vitest';
import plausibility from '../../checks/benchmark-plausibility.ts';
import { promiseFor } from '../../src/contract/contract.ts';
import type { LatencySummary, Ledger, LedgerLine, Source } from '../../src/model/account.ts';
import type { Case, Observed, Setting, Step } from '../../src/model/check.ts';
import { allModes, parseMode } from '../../src/model/mode.ts';
import type { CountersResult, Operation } from '../../src/model/operation.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import type { Verdict } from '../../src/model/verdict.ts';

const pages = 64;
const pass = pages * 4096;
const ext4 = 0xef53;
const tmpfs = 0x01021994;

/** What one attempt saw. Bytes that counters moved by; what is not said is as of an honest share. */
interface World {
  /** Through the daemon's calls, while it read, until write() had returned, until fsync() had. */
  readonly read?: number;
  readonly wroteAtOnce?: number;
  readonly wroteAtLast?: number;
  readonly fromDisk?: number;
  readonly madeDirty?: number;
  readonly deviceRead?: number;
  readonly deviceWritten?: number;
  /** The file system names no block device. */
  readonly noDevice?: true;
  readonly dirtyAfterFsync?: number;
  /** Pages that a drop leaves on the host. */
  readonly stay?: number;
  /** The host's cache holds nothing of the file after it was read. */
  readonly coldAfter?: boolean;
  readonly fsMagic?: number;
  readonly refused?: string;
  readonly lines?: Partial<Record<Source, number>>;
  readonly known?: LedgerLine['known'];
  readonly latency?: Ledger['latency'];
}

const honest: Required<Omit<World, 'noDevice' | 'refused'>> = {
  read: 2 * pass + 4096,
  wroteAtOnce: pass + 2048,
  wroteAtLast: pass + 2064,
  fromDisk: pass,
  madeDirty: pass,
  deviceRead: pass,
  deviceWritten: pass + 12_288,
  dirtyAfterFsync: 0,
  stay: 0,
  coldAfter: false,
  fsMagic: ext4,
  lines: { 'fuse/host-cache': 2 * pass },
  known: 'proved',
  latency: {},
};

function settingOf(mode: string): Setting {
  const view = { root: '/', pageSize: 4096, kernel: '6.12.0', rootUser: true, features: [] };
  return {
    mode: parseMode(mode),
    views: { guest: view, host: view },
    versions: { 'guest-kernel': '6.12.107', virtiofsd: '1.13.2' },
    seed: 1,
    daemonPid: 1,
    vmmPid: 2,
    args: {},
  };
}

/** Counters as they stand at one of the looks. */
function counters(world: typeof honest & World, look: string): CountersResult {
  const isLater = look !== 'before' && look !== 'count-before';
  const written = look === 'between' ? world.wroteAtOnce : world.wroteAtLast;
  const base = 1_000_000;
  const at = (moved: number) => base + (isLater ? moved : 0);
  return {
    processes: [
      {
        pid: 1,
        rchar: at(world.read),
        wchar: at(written),
        readBytes: at(world.fromDisk),
        writeBytes: at(world.madeDirty),
      },
      { pid: 2, rchar: 0, wchar: 0, readBytes: 0, writeBytes: 0 },
    ],
    ...(world.noDevice === true
      ? {}
      : {
          deviceSectors: at(world.deviceRead / 512),
          deviceWriteSectors: at(world.deviceWritten / 512),
        }),
  };
}

function answer(op: Operation, name: string, world: typeof honest & World): unknown {
  const state = (cached: number, dirty = 0) => ({
    by: 'cachestat',
    pageSize: 4096,
    pages,
    cached,
    dirty,
    writeback: 0,
  });
  switch (op.do) {
    case 'counters':
      return counters(world, name);
    case 'evict':
      return { before: state(pages), after: state(world.stay), evicted: true };
    case 'extents':
      return { by: 'fiemap', fsMagic: world.fsMagic, empty: [] };
    case 'pages':
      if (name.startsWith('host-after')) return state(world.coldAfter ? 0 : pages);
      if (name === 'after') return state(pages, world.dirtyAfterFsync);
      return state(name.startsWith('host-before') ? world.stay : pages);
    case 'many':
      return { values: op.list.map((each) => answer(each, name, world)), timesNs: [] };
    default:
      return {};
  }
}

function outcomeOf(step: Step, world: typeof honest & World): Outcome {
  const name = step.id.split('.').at(-1) ?? '';
  if (name === world.refused) return { kind: 'errno', errno: 'EIO', call: 'pwrite' };
  return { kind: 'value', value: answer(step.op, name, world), beginNs: 0, endNs: 1 };
}

function ledgerOf({ lines, known, latency }: typeof honest): Ledger {
  const made = Object.entries(lines).map(
    ([source, bytes]): LedgerLine => ({
      source: source as Source,
      path: source.split('/')[0] as LedgerLine['path'],
      bytes,
      requests: bytes / 4096,
      known: source.endsWith('unexplained') ? 'unexplained' : known,
      because: 'the test says so',
    }),
  );
  return {
    sentence: '',
    bytes: made.reduce((sum, { bytes }) => sum + bytes, 0),
    requests: 2 * pages,
    emptyReads: 0,
    lines: made,
    unexplainedBytes: 0,
    guestCaches: 'yes',
    readahead: { askedBytes: 0, fetchedBytes: 0, usedBytes: 0, known: 'proved' },
    evictedMeanwhile: {},
    latency,
    crossChecks: [],
    unseen: [],
  };
}

function observedOf(
  setting: Setting,
  plan: Case,
  steps: readonly Step[],
  worlds: readonly World[],
): Observed {
  const worldOf = (id: string) => ({ ...honest, ...worlds[Number.parseInt(id, 10) - 1] });
  const outcome = (id: string): Outcome => {
    const step = steps.find((each) => each.id === id);
    return step === undefined
      ? { kind: 'not-run', reason: 'not part of this run' }
      : outcomeOf(step, worldOf(id));
  };
  return {
    setting,
    case: plan,
    steps,
    outcome,
    value<T>(id: string): T | undefined {
      const found = outcome(id);
      return found.kind === 'value' ? (found.value as T) : undefined;
    },
    async *bulk() {},
    account: async (run) =>
      steps.some(({ id }) => id === `${run}.reads`) ? ledgerOf(worldOf(run)) : undefined,
  };
}

/** Runs one job in these worlds (the last one again and again) and judges it by the contract. */
async function tried(
  mode: string,
  job: string,
  ...given: World[]
): Promise<Verdict & { readonly attempts: number }> {
  const setting = settingOf(mode);
  const plan = plausibility.cases(setting).find(({ name }) => name === job);
  if (plan === undefined) throw new Error(`no job ${job}`);
  const worlds = Array.from({ length: 9 }, (_, at) => given[at] ?? given.at(-1) ?? {});
  const steps: Step[] = [];
  let attempts = 0;
  for (let next: readonly Step[] = plan.steps; next.length > 0; attempts += 1) {
    steps.push(...next);
    next = await plausibility.next(observedOf(setting, plan, steps, worlds));
  }
  const promises = (scenario: string) => promiseFor(scenario, parseMode(mode), setting.versions);
  const verdict = await plausibility.judge(observedOf(setting, plan, steps, worlds), promises);
  return { ...verdict, attempts };
}

const reads = ['read-cold', 'read-host-warm', 'read-guest-warm', 'read-direct'];
const writes = ['write-cold', 'write-host-warm', 'write-guest-warm'];

describe('an account that adds up', () => {
  it.each(allModes)('passes in mode %s', async (mode) => {
    const names = plausibility.cases(settingOf(mode)).map(({ name }) => name);
    const inWindow = mode.includes('dax=always') || mode.includes('dax=inode');
    expect(names).toEqual([...reads.filter((each) => !inWindow || each !== 'read-direct'), ...writes]);
    for (const name of names)
      expect(await tried(mode, name, {}), `${name} in ${mode}`).toMatchObject({ kind: 'pass', attempts: 1 });
  });

  it('passes from the guest’s cache where the mode caches, and is told as a sum', async () => {
    const verdict = await tried('auto', 'read-cold', {
      read: pass,
      lines: { 'fuse/disk': pass, 'guest-cache': pass },
    });
    expect(verdict.kind).toBe('pass');
    expect(verdict.reason).toContain(
      'asked 524,288 bytes = 262,144 bytes by fuse/disk, 262,144 bytes by guest-cache',
    );
    expect(verdict.promised).toContain('served-by/first-read: served by fuse');
  });

  it('passes where writeback keeps all of it back until fsync', async () => {
    const kept = { wroteAtOnce: 16, madeDirty: pass };
    expect((await tried('auto+writeback', 'write-cold', kept)).kind).toBe('pass');
    expect(await tried('auto', 'write-cold', kept)).toMatchObject({ kind: 'fail', code: 'not-passed-on' });
  });
});

describe('reads that come from nowhere', () => {
  it('did not cross, where the mode has the daemon answer them', async () => {
    const once = { read: pass + 4096, lines: { 'guest-cache': pass, 'fuse/host-cache': pass } };
    const verdict = await tried('never', 'read-host-warm', once);
    expect(verdict).toMatchObject({ kind: 'fail', code: 'did-not-cross', attempts: 1 });
    expect(verdict.reason).toContain('the guest’s page cache holds 262,144 bytes');
    expect((await tried('auto', 'read-host-warm', once)).kind).toBe('pass');
    expect((await tried('auto', 'read-direct', once)).code).toBe('did-not-cross');
    expect((await tried('auto', 'read-cold', { read: 4096 })).code).toBe('did-not-cross');
  });

  it('were read from no disk, where nothing else had them', async () => {
    const none = { fromDisk: 0, deviceRead: 8192 };
    expect(await tried('auto', 'read-cold', none)).toMatchObject({ kind: 'fail', code: 'no-disk-read' });
    expect((await tried('auto', 'read-host-warm', none)).kind).toBe('pass');
    expect((await tried('auto+allow-direct-io', 'read-direct', none)).code).toBe('no-disk-read');
    expect((await tried('auto', 'read-direct', none)).kind).toBe('pass');
  });

  it('were too fast to have crossed', async () => {
    const class_ = (p50Ns: number): LatencySummary => ({
      count: pages,
      p50Ns,
      p99Ns: p50Ns,
      maxNs: p50Ns,
      log2: [],
    });
    const at = (crossed: number) => ({
      lines: { 'fuse/disk': pass, 'guest-cache': pass },
      latency: { 'fuse/disk': class_(crossed), 'guest-cache': class_(9000) },
    });
    expect(await tried('auto', 'read-cold', at(4000))).toMatchObject({ kind: 'fail', code: 'too-fast' });
    expect((await tried('auto', 'read-cold', at(5000))).kind).toBe('pass');
  });
});

describe('writes that went nowhere', () => {
  it('were not passed on', async () => {
    const lost = { wroteAtOnce: 2048, wroteAtLast: 2064 };
    for (const mode of ['never', 'auto', 'always', 'auto+writeback', '9p:none'])
      expect(await tried(mode, 'write-guest-warm', lost), mode).toMatchObject({
        kind: 'fail',
        code: 'not-passed-on',
      });
    // Stores through a window are the host's own pages.
    expect((await tried('auto+dax=always', 'write-guest-warm', lost)).kind).toBe('pass');
  });

  it('are not on the disk', async () => {
    const still = await tried('auto', 'write-host-warm', { dirtyAfterFsync: 3 });
    expect(still).toMatchObject({ kind: 'fail', code: 'not-on-disk' });
    expect(still.reason).toContain('3 of 64 pages were dirty');
    const elsewhere = { madeDirty: 0, deviceWritten: 4096 };
    expect((await tried('auto', 'write-host-warm', elsewhere)).code).toBe('not-on-disk');
    expect((await tried('auto', 'write-host-warm', { madeDirty: 0 })).kind).toBe('pass');
  });
});

describe('nobody is accused', () => {
  it('by a disk read that another process may have made, or where no device can be asked', async () => {
    const others = await tried('auto', 'read-cold', { fromDisk: 0, deviceRead: 2 * pass });
    expect(others).toMatchObject({ kind: 'unknown', code: 'not-proved' });
    const none = await tried('auto', 'read-cold', { fromDisk: 0, noDevice: true });
    expect(none).toMatchObject({ kind: 'unknown', code: 'not-proved' });
    // What others fetch is in the host's cache afterwards.
    const elsewhere = { fromDisk: 0, deviceRead: 2 * pass, coldAfter: true };
    expect((await tried('auto', 'read-cold', elsewhere)).code).toBe('no-disk-read');
  });

  it('where the state could not be made, which is tried again', async () => {
    expect(await tried('auto', 'read-cold', { stay: 5 })).toMatchObject({
      kind: 'unknown',
      code: 'could-not-tell',
      attempts: 5,
    });
    expect(await tried('auto', 'read-cold', { stay: 5 }, {})).toMatchObject({ kind: 'pass', attempts: 2 });
    expect((await tried('auto', 'write-cold', { refused: 'write' }, {})).kind).toBe('pass');
  });

  it('by an account that leaves bytes unexplained, or infers them', async () => {
    const lines = { unexplained: pass, 'fuse/host-cache': pass };
    expect(await tried('auto', 'read-host-warm', { lines })).toMatchObject({
      kind: 'unknown',
      code: 'unexplained-bytes',
    });
    expect((await tried('auto', 'read-host-warm', { known: 'inferred' })).code).toBe('not-proved');
    expect((await tried('auto', 'read-host-warm', { known: 'bounded' })).kind).toBe('pass');
  });

  it('where there is no disk, and in a mode that the contract does not know', async () => {
    expect(await tried('auto', 'read-cold', { fsMagic: tmpfs })).toMatchObject({
      kind: 'skip',
      code: 'not-here',
    });
    expect((await tried('auto', 'write-cold', { fsMagic: tmpfs })).kind).toBe('skip');
    expect(await tried('auto+no-such-flag', 'write-cold', {})).toMatchObject({
      kind: 'unknown',
      code: 'no-promise',
    });
  });
});
