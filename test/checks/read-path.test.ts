import { describe, expect, it } from 'vitest';
import readPath from '../../checks/read-path.ts';
import type { EvictedAccount, Ledger, LedgerLine, Source } from '../../src/model/account.ts';
import type { Case, Observed, Setting, Step } from '../../src/model/check.ts';
import { labModes, parseMode } from '../../src/model/mode.ts';
import type { EvictResult, Operation, PageState } from '../../src/model/operation.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import type { Verdict } from '../../src/model/verdict.ts';

const pages = 256;
const size = pages * 4096;
const ext4 = 0xef53;
const tmpfs = 0x01021994;

type Lines = Partial<Record<Source, number>>;

/** One attempt: what its account says, and what the steps around it saw. */
interface Attempt {
  readonly lines: Lines;
  readonly known?: LedgerLine['known'];
  readonly evicted?: EvictedAccount;
  readonly residentBefore?: number;
  /** Pages in the guest's cache after warming it, and before the reads. */
  readonly warm?: number;
  readonly before?: number;
  /** Pages that a drop leaves. */
  readonly stay?: number;
  readonly noReads?: true;
  readonly fsMagic?: number;
}

function ledger({ lines, known = 'proved', evicted = {}, residentBefore = pages }: Attempt): Ledger {
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
    requests: pages,
    emptyReads: 0,
    lines: made,
    unexplainedBytes: lines.unexplained ?? 0,
    guestCaches: 'yes',
    readahead: { askedBytes: 0, fetchedBytes: 0, usedBytes: 0, known: 'proved' },
    evictedMeanwhile: evicted,
    hostPages: { reached: pages, residentBefore },
    latency: {},
    crossChecks: [],
    unseen: [],
  };
}

function cached(count: number): PageState {
  return { by: 'cachestat', pageSize: 4096, pages, cached: count } as PageState;
}

function answer(op: Operation, name: string, attempt: Attempt): Outcome {
  const value = (given: unknown): Outcome =>
    ({ kind: 'value', value: given, beginNs: 0, endNs: 1 }) as Outcome;
  const { warm = pages, before = warm, stay = 0, fsMagic = ext4 } = attempt;
  if (attempt.noReads === true && op.do === 'reads')
    return { kind: 'errno', errno: 'EIO', call: 'pread' } as Outcome;
  if (op.do === 'many')
    return value({ values: op.list.map((each) => (each.do === 'pages' ? cached(warm) : {})), timesNs: [] });
  if (op.do === 'evict')
    return value({ before: cached(pages), after: cached(stay), evicted: true } satisfies EvictResult);
  if (op.do === 'extents') return value({ by: 'fiemap', fsMagic });
  if (op.do === 'pages') return value(cached(name.startsWith('guest-before') ? before : 0));
  return value({});
}

function settingOf(mode: string | undefined): Setting {
  const view = { root: '/', pageSize: 4096, kernel: '6.12.0', rootUser: true, features: [] };
  return {
    mode: mode === undefined ? undefined : parseMode(mode),
    views: { guest: view, host: view },
    versions: {},
    seed: 1,
    daemonPid: 1,
    args: {},
  };
}

function observedOf(
  setting: Setting,
  plan: Case,
  steps: readonly Step[],
  attempts: readonly Attempt[],
): Observed {
  const attemptOf = (id: string) => attempts[Number.parseInt(id, 10) - 1] ?? { lines: {} };
  const outcome = (id: string): Outcome => {
    const step = steps.find((each) => each.id === id);
    if (step === undefined) return { kind: 'not-run', reason: 'not part of this run' };
    return answer(step.op, id.split('.').at(-1) ?? '', attemptOf(id));
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
    account: async (run) => (attemptOf(run).noReads === true ? undefined : ledger(attemptOf(run))),
  };
}

/** Climbs one rung with these attempts (the last one again and again) and judges it. */
async function climb(
  mode: string,
  rung: string,
  ...given: Attempt[]
): Promise<Verdict & { attempts: number }> {
  const setting = settingOf(mode);
  const plan = readPath.cases(setting).find(({ name }) => name === rung);
  if (plan === undefined) throw new Error(`no rung ${rung}`);
  const attempts = Array.from({ length: 9 }, (_, at) => given[at] ?? given.at(-1) ?? { lines: {} });
  const steps: Step[] = [];
  let count = 0;
  for (let next: readonly Step[] = plan.steps; next.length > 0; count += 1) {
    steps.push(...next);
    next = await readPath.next(observedOf(setting, plan, steps, attempts));
  }
  return { ...(await readPath.judge(observedOf(setting, plan, steps, attempts))), attempts: count };
}

const all = (source: Source): Attempt => ({ lines: { [source]: size } });

/** Where each mode's ladder leads, written out. */
const ladder: Record<string, readonly Source[]> = {
  cold: ['fuse/disk', 'fuse/disk', 'fuse/disk', 'fuse/disk', 'fuse/disk', 'fuse/disk'],
  'guest-warm': [
    'fuse/host-cache',
    'fuse/host-cache',
    'guest-cache',
    'guest-cache',
    'guest-cache',
    'guest-cache',
  ],
  'guest-warm-reopened': [
    'fuse/host-cache',
    'fuse/host-cache',
    'fuse/host-cache',
    'fuse/host-cache',
    'guest-cache',
    'guest-cache',
  ],
  'host-dropped': ['fuse/disk', 'fuse/disk', 'guest-cache', 'guest-cache', 'guest-cache', 'guest-cache'],
};

describe('a rung passes when all bytes are proved to come from its one source', () => {
  it.each(labModes)('in mode %s', async (mode) => {
    const at = labModes.indexOf(mode);
    for (const [rung, sources] of Object.entries(ladder)) {
      const verdict = await climb(mode, rung, all(sources[at] as Source));
      expect(verdict, rung).toMatchObject({ kind: 'pass', attempts: 1 });
      expect(verdict.reason).toBe(`1,048,576 bytes by ${sources[at]}`);
    }
  });

  it('with O_DIRECT from the medium that the flag decides', async () => {
    expect((await climb('auto', 'o-direct', all('fuse/host-cache'))).kind).toBe('pass');
    expect((await climb('auto+allow-direct-io', 'o-direct', all('fuse/disk'))).kind).toBe('pass');
  });

  it('even if pages were evicted after they were read', async () => {
    const evicted = { guestPages: 3, hostPages: 9 };
    const verdict = await climb('auto', 'host-warm', { ...all('fuse/host-cache'), evicted });
    expect(verdict.kind).toBe('pass');
  });
});

describe('a wrong path', () => {
  it('is a fail at once where the guest serves what it must not hold', async () => {
    const verdict = await climb('auto', 'guest-warm-reopened', all('guest-cache'));
    expect(verdict).toMatchObject({ kind: 'fail', code: 'wrong-path', attempts: 1 });
    expect(verdict.promised).toContain('1,048,576 bytes by fuse/host-cache: mode auto');
    expect(verdict.reason).toContain('1,048,576 bytes by guest-cache');
  });

  it('is a fail at once for a single page of them', async () => {
    const lines = { 'guest-cache': 4096, 'fuse/host-cache': size - 4096 };
    expect(await climb('never', 'guest-warm', { lines })).toMatchObject({ kind: 'fail', attempts: 1 });
  });

  it('is a fail after three attempts where a loss could explain it', async () => {
    const nothingKept = { ...all('fuse/host-cache'), warm: 0 };
    const verdict = await climb('always', 'guest-warm-reopened', nothingKept);
    expect(verdict).toMatchObject({ kind: 'fail', code: 'wrong-path', attempts: 3 });
    expect(await climb('auto', 'guest-warm', nothingKept)).toMatchObject({ kind: 'fail', attempts: 3 });
  });

  it('that is seen once and not again is unknown', async () => {
    const verdict = await climb(
      'always',
      'guest-warm-reopened',
      { ...all('fuse/host-cache'), warm: 0 },
      all('guest-cache'),
    );
    expect(verdict).toMatchObject({ kind: 'unknown', code: 'not-the-same-twice', attempts: 2 });
  });
});

describe('a wrong medium', () => {
  it('is a fail at once with O_DIRECT, either way', async () => {
    const fail = { kind: 'fail', code: 'wrong-medium', attempts: 1 };
    expect(await climb('auto', 'o-direct', all('fuse/disk'))).toMatchObject(fail);
    expect(await climb('auto+allow-direct-io', 'o-direct', all('fuse/host-cache'))).toMatchObject(fail);
  });

  it('is unknown where the host had lost the pages before the reads', async () => {
    const lost = { ...all('fuse/disk'), residentBefore: 0 };
    expect(await climb('auto', 'o-direct', lost)).toMatchObject({
      kind: 'unknown',
      code: 'evicted-meanwhile',
    });
    expect(await climb('auto', 'host-warm', lost)).toMatchObject({
      kind: 'unknown',
      code: 'evicted-meanwhile',
    });
  });
});

describe('nobody is accused', () => {
  it('by an account that is no proof', async () => {
    for (const known of ['bounded', 'inferred'] as const)
      expect(await climb('auto', 'guest-warm-reopened', { ...all('guest-cache'), known })).toMatchObject({
        kind: 'unknown',
        code: 'not-proved',
      });
  });

  it('for bytes that are unexplained', async () => {
    const lines = { 'guest-cache': size - 4096, unexplained: 4096 };
    expect(await climb('auto', 'guest-warm-reopened', { lines })).toMatchObject({
      kind: 'unknown',
      code: 'unexplained-bytes',
    });
  });

  it('for pages that others evicted', async () => {
    const during = { ...all('fuse/host-cache'), evicted: { guestPages: 1 } };
    const before = { ...all('fuse/host-cache'), before: 200 };
    for (const each of [during, before])
      expect(await climb('always', 'guest-warm', each)).toMatchObject({
        kind: 'unknown',
        code: 'evicted-meanwhile',
      });
    // What an open drops is gone right after it.
    const afterTheOpen = { ...all('fuse/host-cache'), warm: pages, before: 0 };
    expect(await climb('always', 'guest-warm-reopened', afterTheOpen)).toMatchObject({
      kind: 'unknown',
      code: 'evicted-meanwhile',
    });
  });

  it('where the drop did not drop, or the read failed', async () => {
    const stayed = await climb('never', 'cold', { ...all('fuse/host-cache'), stay: 2 });
    expect(stayed).toMatchObject({ kind: 'unknown', code: 'could-not-tell' });
    expect(stayed.reason).toContain('2 pages stayed on the host');
    expect((await climb('never', 'cold', { lines: {}, noReads: true })).kind).toBe('unknown');
    expect((await climb('never', 'cold', { lines: { 'fuse/disk': 4096 } })).kind).toBe('unknown');
  });

  it('where there is no disk', async () => {
    const verdict = await climb('never', 'cold', { ...all('fuse/host-cache'), fsMagic: tmpfs, stay: pages });
    expect(verdict).toMatchObject({ kind: 'skip', code: 'not-here' });
  });
});

it('has no case where no such mode is declared', () => {
  for (const mode of [undefined, 'auto+dax=always']) expect(readPath.cases(settingOf(mode))).toEqual([]);
  for (const mode of ['c:always', '9p:loose']) expect(readPath.cases(settingOf(mode))).toHaveLength(8);
});
