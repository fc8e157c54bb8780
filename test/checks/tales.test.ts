import { describe, expect, it } from 'vitest';
import { file } from '../../checks/names/acts.ts';
import { told } from '../../checks/names/judge.ts';
import { says } from '../../checks/names/looks.ts';
import { compareTree, type Manifest, manifestOf } from '../../checks/names/manifest.ts';
import { guest, host, stepsOf, type Tale, watch } from '../../checks/names/tale.ts';
import type { Observed, Promises, Setting, Step } from '../../src/model/check.ts';
import { parseMode } from '../../src/model/mode.ts';
import type { TreeEntry } from '../../src/model/operation.ts';
import type { Commitment } from '../../src/model/promise.ts';
import { isStaleness } from '../../src/model/staleness.ts';
import { type StormPlan, stormFiles } from '../../src/model/storm.ts';

// The judge of tales, from what was seen alone: no file is touched here.

const setting: Setting = { mode: parseMode('auto'), views: {}, versions: {}, seed: 7, args: {} };

/** The guest knows f, the host renames another file over it, and the guest looks until it sees that. */
const replaced: Tale = {
  name: 'replaced',
  turns: () => [
    host('make', [file('f', 'first'), file('g', 'second')]),
    guest('know', [says('f', 'known', { make: 'first' })]),
    host('replace', [{ do: 'rename', path: 'g', to: 'f' }]),
    guest('look', [watch([says('f', 'asked', { make: 'first', replace: 'second' })], setting)]),
  ],
};

type Seen = { readonly text: string } | { readonly errno: string };

/** What the guest saw, one after the other, and how long after it had looked first: begin of the last look. */
type Sighting = Seen & { readonly untilMs: number };

const ms = 1_000_000;

function sighting(seen: Sighting): unknown {
  const { untilMs } = seen;
  const value =
    'errno' in seen
      ? { errno: seen.errno, call: 'open' }
      : { bytes: seen.text.length, base64: Buffer.from(seen.text).toString('base64') };
  return { value, first: [untilMs * ms, untilMs * ms], last: [untilMs * ms, (untilMs + 1) * ms], count: 2 };
}

function observe(sightings: readonly Sighting[]): unknown {
  return { reached: true, rounds: 1, looks: [{ seen: sightings.map(sighting) }] };
}

interface Told {
  readonly look: readonly Sighting[];
  readonly promise?: Commitment;
  readonly know?: Sighting;
  /** Of the host's rename. */
  readonly refused?: string;
}

/** The guest's first look ended at 0 of its clock. */
function verdictOf({ look, promise, know = { text: 'first', untilMs: -1 }, refused }: Told) {
  const steps = stepsOf(replaced.turns(setting), setting);
  const values: Record<string, unknown[]> = {
    make: Array(6).fill({}),
    know: [observe([know])],
    replace: [refused === undefined ? {} : { errno: refused, call: 'rename' }],
    look: [observe(look)],
  };
  const times: Record<string, readonly [number, number]> = {
    make: [0, 1],
    know: [-5 * ms, 0],
    replace: [2, 3],
    look: [10 * ms, 2000 * ms],
  };
  const observed: Observed = {
    setting,
    case: {
      name: 'replaced',
      scenarios: [],
      isolation: 'shared',
      needs: [],
      actors: { host: 'host', guest: 'guest' },
      steps,
    },
    steps,
    outcome: (id) => ({
      kind: 'value',
      value: { values: values[id], timesNs: (values[id] ?? []).map(() => times[id] ?? [0, 0]) },
    }),
    value: () => undefined,
    bulk: () => {
      throw new Error('there is none');
    },
    account: () => Promise.resolve(undefined),
  };
  const promises: Promises = (scenario) => {
    const freshness = scenario === 'known' ? ({ kind: 'fresh' } as const) : promise;
    return freshness === undefined ? undefined : { scenario, freshness, because: '', sources: ['somewhere'] };
  };
  const verdict = told([replaced]).judge(observed, promises);
  if (verdict instanceof Promise) throw new Error('a tale is judged at once');
  return verdict;
}

const second = (untilMs: number): Sighting => ({ text: 'second', untilMs });
const first = (untilMs: number): Sighting => ({ text: 'first', untilMs });
const forASecond: Commitment = { kind: 'stale-for', ms: 1000 };

describe('what is seen of a change', () => {
  it('passes when it is there at once', () => {
    const verdict = verdictOf({ look: [second(11)], promise: { kind: 'fresh' } });
    expect(verdict).toMatchObject({ kind: 'pass' });
    expect(verdict.stale).toBeUndefined();
  });

  it('fails as stale where the mode promises it at once, and as local', () => {
    for (const kind of ['fresh', 'as-local'] as const)
      expect(verdictOf({ look: [first(11), second(20)], promise: { kind } })).toMatchObject({
        kind: 'fail',
        code: 'stale',
        sources: ['somewhere'],
      });
  });

  it('passes, and says so, when it is old within the bound', () => {
    const verdict = verdictOf({ look: [first(900), second(990)], promise: forASecond });
    expect(verdict).toMatchObject({ kind: 'pass', stale: true });
  });

  it('fails when it is old beyond the bound', () => {
    expect(verdictOf({ look: [first(1200), second(1300)], promise: forASecond })).toMatchObject({
      kind: 'fail',
      code: 'stale-too-long',
    });
  });

  it('passes when it is old right at the bound, to which a tick of the guest belongs', () => {
    expect(verdictOf({ look: [first(1050), second(1060)], promise: forASecond })).toMatchObject({
      kind: 'pass',
      stale: true,
    });
  });

  it('fails when the old state comes back', () => {
    expect(verdictOf({ look: [second(20), first(30)], promise: forASecond })).toMatchObject({
      kind: 'fail',
      code: 'went-back',
    });
  });

  it('passes as stale for any time until an event that did not happen', () => {
    const promise: Commitment = { kind: 'stale-until', events: ['eviction of the inode'] };
    expect(verdictOf({ look: [first(2000)], promise })).toMatchObject({ kind: 'pass', stale: true });
  });

  it('fails in every mode when it was never there', () => {
    expect(verdictOf({ look: [{ text: 'third', untilMs: 20 }], promise: forASecond })).toMatchObject({
      kind: 'fail',
      code: 'never-was',
    });
  });

  it('fails when what is there is refused, unless the mode may refuse it', () => {
    const look: Sighting[] = [{ errno: 'ESTALE', untilMs: 20 }];
    expect(verdictOf({ look, promise: { kind: 'as-local' } })).toMatchObject({ code: 'refused' });
    expect(verdictOf({ look: [{ errno: 'ENOENT', untilMs: 20 }], promise: forASecond })).toMatchObject({
      kind: 'fail',
      code: 'refused',
    });
    expect(verdictOf({ look, promise: { kind: 'as-local', orErrnos: ['ESTALE'] } })).toMatchObject({
      kind: 'pass',
    });
  });

  it('tells nothing when a call fails for a reason of its own, or the contract has no promise', () => {
    const look: Sighting[] = [{ errno: 'EIO', untilMs: 20 }];
    expect(verdictOf({ look, promise: forASecond })).toMatchObject({
      kind: 'unknown',
      code: 'could-not-run',
    });
    expect(verdictOf({ look: [second(20)] })).toMatchObject({ kind: 'unknown', code: 'no-promise' });
    expect(verdictOf({ look: [first(20)], promise: forASecond, refused: 'ENOSPC' })).toMatchObject({
      kind: 'unknown',
      code: 'could-not-run',
    });
  });

  it('is measured: from the last look before the change to the first that sees it', () => {
    const { evidence } = verdictOf({ look: [first(900), second(990)], promise: forASecond });
    expect(isStaleness(evidence)).toBe(true);
    // The watch began 10 ms after the first look had ended; the new state was first seen at 990 ms.
    expect(evidence).toMatchObject({ series: [{ boundMs: 1000, intervalsMs: [[890, 990]] }] });
    expect(verdictOf({ look: [first(300)], promise: forASecond }).evidence).toMatchObject({
      series: [{ intervalsMs: [], neverSeen: { count: 1, watchedMs: 290 } }],
    });
  });
});

describe('what is done next', () => {
  it('is left out where the timeout is a day away', () => {
    const late = guest('late', [says('f', 'asked', { make: 'first' })], { afterTimeout: true });
    const ids = (mode: string): readonly string[] =>
      stepsOf([late], { ...setting, mode: parseMode(mode) }).map(({ id }: Step) => id);
    expect([ids('auto'), ids('always')]).toEqual([['late'], []]);
  });
});

describe('a tree after a storm', () => {
  const plan: StormPlan = { path: '.', seed: 3, slots: 8, dirs: 2, steps: 40, writer: 1 };
  const after = manifestOf(plan);
  const whole: TreeEntry[] = [...after].map(([path, { size, digest }]) => ({
    path,
    type: 'file',
    size,
    digest,
  }));
  const codes = (entries: readonly TreeEntry[], before?: Manifest) =>
    compareTree(entries, after, before).map(({ code, old }) => [code, old]);

  it('is what was planned', () => {
    expect(whole).toHaveLength(stormFiles(plan).length);
    expect(codes([{ path: 'd0', type: 'directory', size: 0 }, ...whole])).toEqual([]);
  });

  it('lacks a file, has one too many, or one with the bytes of another', () => {
    const [one, two, ...rest] = whole as [TreeEntry, TreeEntry, ...TreeEntry[]];
    expect(codes([two, ...rest])).toEqual([['missing', true]]);
    expect(codes([{ ...one, path: 'd0/s0-0' }, ...whole])).toEqual([['left-over', false]]);
    expect(codes([{ ...one, size: two.size, digest: two.digest ?? '' }, two, ...rest])).toEqual([
      ['other-file', false],
    ]);
    expect(codes([{ ...one, digest: '0'.repeat(32) }, two, ...rest])).toEqual([['wrong-bytes', false]]);
    expect(codes([{ ...one, error: 'ESTALE' }, two, ...rest])).toEqual([['refused', false]]);
  });

  it('may have what was there before, where that is permitted', () => {
    const before = manifestOf({ ...plan, steps: 20 });
    const gone = [...before].find(([path]) => !after.has(path));
    const [path, { size, digest }] = gone as [string, { size: number; digest: string }];
    expect(codes([{ path, type: 'file', size, digest }, ...whole], before)).toEqual([['left-over', true]]);
    expect(codes([{ path, type: 'file', size, error: 'ENOENT' }, ...whole], before)).toEqual([
      ['refused', true],
    ]);
  });
});
