import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Traits, traitsOf } from '../../checks/mode/traits.ts';
import modeInForce from '../../checks/mode-in-force.ts';
import { promiseFor } from '../../src/contract/contract.ts';
import { labModes, parseMode } from '../../src/model/mode.ts';
import type { Result } from '../../src/model/report.ts';
import { runCell } from '../../src/run/cell.ts';
import { scriptedBench } from '../run/sessions.ts';
import { FuseWorld, type Troubles } from './fuse-world.ts';

let dir = '';
let runs = 0;
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const modes = [
  ...labModes,
  'auto+allow-direct-io',
  'never+allow-mmap',
  'never+writeback',
  'c:none',
  'c:always',
];

function traits(mode: string): Traits {
  return traitsOf(parseMode(mode)) as Traits;
}

/** The check, told one mode and meeting a share with other traits. */
async function run(declared: string | undefined, served: Traits, troubles: Troubles = {}): Promise<Result> {
  const world = new FuseWorld(served, troubles);
  const bench = scriptedBench(world.guest, world.host);
  runs += 1;
  const workplace = {
    name: 'w',
    keepsNames: true,
    makeCaseDir: async (name: string) => name,
    remove: async () => undefined,
  };
  return runCell(
    modeInForce,
    {
      ...bench,
      share: { ...bench.share, mode: declared === undefined ? undefined : parseMode(declared) },
    },
    { bundleDir: path.join(dir, `${runs}`), seed: 1, workplace },
  );
}

function codes({ cases }: Result, kind: string): Record<string, string | undefined> {
  return Object.fromEntries(
    cases.filter(({ verdict }) => verdict.kind === kind).map((each) => [each.name, each.verdict.code]),
  );
}

describe('the mode that is in force', () => {
  it.each(modes)('passes when it is the one declared: %s', async (mode) => {
    const { cases } = await run(mode, traits(mode));
    for (const { name, verdict } of cases) expect(verdict, name).toMatchObject({ kind: 'pass' });
    expect(cases).toHaveLength(6);
  });

  const others = modes.flatMap((declared) =>
    modes
      .filter((served) => JSON.stringify(traits(served)) !== JSON.stringify(traits(declared)))
      .map((served) => [declared, served]),
  );
  it.each(others)('fails when %s is declared and %s is served', async (declared = '', served = '') => {
    const { verdict, cases } = await run(declared, traits(served));
    expect(verdict.kind).toBe('fail');
    const [told, real] = [traits(declared), traits(served)];
    const timeouts = told.timeoutMs !== real.timeoutMs;
    expect(codes({ cases } as unknown as Result, 'fail')).toEqual({
      ...(timeouts
        ? { 'attribute-timeout': 'other-attribute-timeout', 'entry-timeout': 'other-entry-timeout' }
        : {}),
      ...(told.data === real.data ? {} : { 'data-caching': 'other-data-caching' }),
      ...(told.writeback === real.writeback ? {} : { writeback: 'writeback-not-as-declared' }),
      ...(told.directIo === real.directIo ? {} : { 'direct-io': 'direct-io-not-as-declared' }),
      ...(told.sharedMappings === real.sharedMappings ? {} : { 'shared-mapping': 'mmap-not-as-declared' }),
    });
  });

  it('is named where another is declared', async () => {
    const { cases } = await run('always', traits('auto'));
    const { verdict } = cases.find(({ name }) => name === 'attribute-timeout') ?? {};
    expect(verdict?.reason).toMatch(
      /^declared is always \(attributes are kept for 24 h\), but attributes stayed old for 0\.9\d s to 1\.0\d s: fits auto, auto\+writeback/,
    );
    expect(verdict?.promised).toContain('mode always');
    expect(verdict?.sources?.length).toBeGreaterThan(0);
  });

  it('is told where none is declared, and judged by nobody', async () => {
    const { cases } = await run(undefined, traits('always+writeback'));
    expect(Object.keys(codes({ cases } as unknown as Result, 'unknown'))).toHaveLength(6);
    const data = cases.find(({ name }) => name === 'data-caching');
    expect(data?.verdict.reason).toContain('fits always, always+writeback');
  });

  it('is found by a timeout that no mode has', async () => {
    const shorter = await run('auto', { ...traits('auto'), timeoutMs: 500 });
    expect(codes(shorter, 'fail')).toHaveProperty('attribute-timeout', 'other-attribute-timeout');
    const longer = await run('auto', { ...traits('auto'), timeoutMs: 1400 });
    expect(codes(longer, 'fail')).toHaveProperty('entry-timeout', 'other-entry-timeout');
  });

  it('on 9p is told by the same cases', async () => {
    for (const mode of ['9p:mmap', '9p:loose']) {
      const { cases, verdict } = await run(mode, traits(mode));
      expect(cases).toHaveLength(6);
      expect(verdict.kind).toBe('pass');
    }
    const other = await run('9p:mmap', traits('9p:loose'));
    expect(codes(other, 'fail')).toEqual({
      'attribute-timeout': 'other-attribute-timeout',
      'entry-timeout': 'other-entry-timeout',
    });
    const readahead = codes(await run('9p:mmap', traits('9p:readahead')), 'fail');
    expect(readahead).toHaveProperty('writeback', 'writeback-not-as-declared');
  });

  it('no page is looked for on a DAX mount', async () => {
    const { cases } = await run('auto+dax=always', traits('auto'));
    expect(cases.map(({ name }) => name)).toEqual(['attribute-timeout', 'entry-timeout', 'dax-state']);
  });
});

describe('nobody is accused', () => {
  it('by a machine so slow that 0 cannot be told from 1 s', async () => {
    const { cases } = await run('never', traits('never'), { lateMs: 900 });
    expect(codes({ cases } as unknown as Result, 'fail')).toEqual({});
    expect(codes({ cases } as unknown as Result, 'unknown')).toMatchObject({
      'attribute-timeout': 'could-not-tell',
    });
  });

  it('by a kernel that drops pages early once or twice', async () => {
    for (const pagesLostIn of [[1], [1, 2]]) {
      const { cases } = await run('always', traits('always'), { pagesLostIn });
      const found = cases.find(({ name }) => name === 'data-caching');
      expect(found?.verdict).toMatchObject({ kind: 'unknown', code: 'not-the-same-twice' });
    }
  });

  it('by a host whose cache does not show', async () => {
    for (const mode of ['auto', 'auto+allow-direct-io']) {
      const { cases } = await run(mode, traits(mode), { hostCacheHidden: true });
      const found = cases.find(({ name }) => name === 'direct-io');
      expect(found?.verdict).toMatchObject({ kind: 'unknown', code: 'could-not-tell' });
    }
  });

  it('by pages that stayed clean under writeback', async () => {
    const { cases } = await run('never+writeback', traits('never+writeback'));
    expect(cases.find(({ name }) => name === 'writeback')?.verdict.kind).toBe('pass');
  });
});

describe('the contract', () => {
  it('promises no other timeout than the check takes for declared', () => {
    for (const name of labModes) {
      const { freshness } = promiseFor('host-chmod/mode', parseMode(name)) ?? {};
      const ms = freshness?.kind === 'stale-for' ? freshness.ms : 0;
      expect(ms, name).toBe(traits(name).timeoutMs);
    }
  });
});
