import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BenchOperation } from '../../src/model/bench-verb.ts';
import { type Case, type Check, defineCheck, type Isolation } from '../../src/model/check.ts';
import { parseMode } from '../../src/model/mode.ts';
import type { Bench } from '../../src/run/bench.ts';
import type { Cell } from '../../src/run/cell.ts';
import { type BenchMaker, planMachines } from '../../src/run/gangs.ts';
import { judgeBundle } from '../../src/run/judge.ts';
import { runMatrix } from '../../src/run/matrix.ts';
import { scriptedBench, scriptedSession } from './sessions.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** What is under way at once, by the cases' names (which the actors' names begin with). */
function watchedSide() {
  let under = 0;
  const seen = { most: 0, log: [] as string[] };
  const side = scriptedSession(async ({ op, actor }) => {
    if (op.do !== 'wait') return { kind: 'value', value: {} };
    under += 1;
    seen.most = Math.max(seen.most, under);
    seen.log.push(`+${actor.split('/')[1]}`);
    await new Promise((resolve) => setTimeout(resolve, op.ms));
    seen.log.push(`-${actor.split('/')[1]}`);
    under -= 1;
    return { kind: 'value', value: {} };
  });
  return { side, seen };
}

function waiting(name: string, isolation: Isolation, ms = 20, more: readonly BenchOperation[] = []): Case {
  return {
    name,
    scenarios: [],
    isolation,
    needs: more.flatMap(({ verb }) => (verb === 'vm.kill' || verb === 'daemon.kill' ? [verb] : [])),
    actors: { one: 'guest' },
    steps: [
      { id: 'wait', actor: 'one', op: { do: 'wait', ms } },
      ...more.map((op, index) => ({ id: `verb-${index}`, actor: 'one', op })),
    ],
  };
}

function checkOf(name: string, cases: readonly Case[]): Check {
  return defineCheck({
    name,
    title: '',
    codes: {},
    cases: () => cases,
    judge: (observed) => ({
      kind: observed.steps.every(({ id }) => observed.outcome(id).kind === 'value') ? 'pass' : 'unknown',
      reason: '',
    }),
  });
}

function cellOf(check: Check, bench: Bench, name: string): Cell {
  return { check, bench, bundleDir: path.join(dir, name), seed: 1 };
}

const judge = (cell: Cell, bundle: Parameters<typeof judgeBundle>[1]) =>
  judgeBundle(cell.bundleDir, bundle, cell.check);

describe('a matrix', () => {
  it('carries out shared cases of several cells at once, and no more than it may', async () => {
    const { side, seen } = watchedSide();
    const bench = scriptedBench(side, side);
    const cases = Array.from({ length: 5 }, (_, index) => waiting(`c${index}`, 'shared'));
    const cells = ['a', 'b'].map((name) => cellOf(checkOf(name, cases), bench, `at-once-${name}`));
    const results = await runMatrix(cells, { judge, atOnce: 4 });
    expect([...results.values()].map(({ verdict }) => verdict.kind)).toEqual(['pass', 'pass']);
    // On a busy machine a fourth may begin only when the first has ended.
    expect(seen.most).toBeGreaterThan(1);
    expect(seen.most).toBeLessThanOrEqual(4);
  });

  it('that can be interrupted is no leak of listeners, however many cases are under way', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on('warning', note);
    const { side, seen } = watchedSide();
    const cases = Array.from({ length: 30 }, (_, index) => waiting(`c${index}`, 'shared', 200));
    const cells = [cellOf(checkOf('a', cases), scriptedBench(side, side), 'listeners')];
    const signal = AbortSignal.any([new AbortController().signal]);
    await runMatrix(cells, { judge, atOnce: 30, signal });
    process.off('warning', note);
    expect(seen.most).toBeGreaterThan(11);
    expect(warnings).toEqual([]);
  });

  it('carries out exclusive cases alone, after the shared ones', async () => {
    const { side, seen } = watchedSide();
    const bench = scriptedBench(side, side);
    const cells = ['a', 'b'].map((name) =>
      cellOf(
        checkOf(name, [waiting(`${name}-alone`, 'exclusive'), waiting(`${name}-beside`, 'shared')]),
        bench,
        `alone-${name}`,
      ),
    );
    await runMatrix(cells, { judge });
    expect(seen.log.slice(-4)).toEqual(['+a-alone', '-a-alone', '+b-alone', '-b-alone']);
  });

  it('begins with the cases that wait longest', async () => {
    const { side, seen } = watchedSide();
    const cases = [
      waiting('short', 'shared', 2),
      waiting('shorter', 'shared', 1),
      waiting('long', 'shared', 5000),
    ];
    const done = runMatrix([cellOf(checkOf('a', cases), scriptedBench(side, side), 'longest')], {
      judge,
      atOnce: 2,
    });
    await done;
    // Both of the first two prepare their folders at the same time: either may be ready first.
    expect(seen.log.slice(0, 2).sort()).toEqual(['+long', '+short']);
    expect(seen.log.slice(2)).toEqual(['-short', '+shorter', '-shorter', '-long']);
  });

  it('leaves out what an interruption cut short, and keeps what was finished', async () => {
    const controller = new AbortController();
    const { side } = watchedSide();
    const bench = scriptedBench(side, side);
    const cells = ['quick', 'slow'].map((name) =>
      cellOf(
        checkOf(name, [waiting(name, 'shared', name === 'quick' ? 1 : 200)]),
        bench,
        `interrupted-${name}`,
      ),
    );
    const results = await runMatrix(cells, {
      judge,
      signal: controller.signal,
      onEvent: (event) => {
        if (event.kind === 'cell-ended') controller.abort();
      },
    });
    expect([...results.keys()]).toEqual([0]);
  });

  it('tells of a check that crashes in one case without losing the others', async () => {
    const { side } = watchedSide();
    const check: Check = {
      ...checkOf('a', [waiting('sound', 'shared', 1), waiting('broken', 'shared', 1)]),
      next: (observed) => {
        if (observed.case.name === 'broken') throw new Error('thrown in next');
        return [];
      },
    };
    const results = await runMatrix([cellOf(check, scriptedBench(side, side), 'crash')], { judge });
    expect(results.get(0)?.cases.map(({ verdict }) => [verdict.kind, verdict.code])).toEqual([
      ['pass', undefined],
      ['unknown', 'crashed'],
    ]);
  });
});

describe('cases that spoil their machine', () => {
  const inMode = (mode: string, bench: Bench): Bench => ({
    ...bench,
    share: { ...bench.share, mode: parseMode(mode) },
  });

  it('are skipped by name where no machine can be made for them', async () => {
    const { side } = watchedSide();
    const check = checkOf('a', [waiting('kill', 'own-vm', 1, [{ do: 'bench', verb: 'vm.kill' }])]);
    const results = await runMatrix([cellOf(check, scriptedBench(side, side), 'no-maker')], { judge });
    expect(results.get(0)?.verdict).toMatchObject({
      kind: 'skip',
      reason: 'needs a machine of its own (a lab)',
    });
  });

  it('run in all modes and checks at once on one machine, which is killed once, when all have come so far', async () => {
    const { side, seen } = watchedSide();
    const kills: string[] = [];
    let made = 0;
    let closed = 0;
    const maker: BenchMaker = {
      can: ['vm.kill', 'daemon.kill'],
      async make(modes) {
        made += 1;
        const verbs = {
          can: maker.can,
          async carryOut(op: BenchOperation, share: { readonly mode: string }) {
            kills.push(`${op.verb} ${seen.log.filter((each) => each.startsWith('-')).length} ${share.mode}`);
            return { value: {} };
          },
        };
        const workplace = {
          name: 'w',
          keepsNames: true,
          makeCaseDir: async () => 'w/c',
          remove: async () => undefined,
        };
        return {
          benches: new Map(
            modes.map((mode) => [
              mode,
              { bench: { ...inMode(mode, scriptedBench(side, side)), verbs }, workplace },
            ]),
          ),
          async close() {
            closed += 1;
          },
        };
      },
    };
    const kill = [{ do: 'bench', verb: 'vm.kill' }] as const;
    const cells = ['auto', 'never'].flatMap((mode, index) =>
      ['a', 'b'].map((name) =>
        cellOf(
          checkOf(name, [waiting('kill', 'own-vm', 5 + 20 * index, kill)]),
          inMode(mode, scriptedBench(side, side)),
          `gang-${name}-${mode}`,
        ),
      ),
    );
    const results = await runMatrix(cells, { judge, maker });
    expect([...results.values()].map(({ verdict }) => verdict.kind)).toEqual(Array(4).fill('pass'));
    expect(kills).toEqual([expect.stringMatching(/^vm\.kill 4 /)]);
    expect([made, closed]).toEqual([1, 1]);
  });

  it("kill a daemon once a mode, and do not wait for another mode's cases", async () => {
    const { side } = watchedSide();
    const kills: string[] = [];
    const verbs = {
      can: ['daemon.kill'] as const,
      async carryOut(_: BenchOperation, { mode }: { readonly mode: string }) {
        kills.push(mode);
        return { value: {} };
      },
    };
    const workplace = {
      name: 'w',
      keepsNames: true,
      makeCaseDir: async () => 'w/c',
      remove: async () => undefined,
    };
    const maker: BenchMaker = {
      can: ['daemon.kill'],
      make: async (modes) => ({
        benches: new Map(
          modes.map((mode) => [
            mode,
            { bench: { ...inMode(mode, scriptedBench(side, side)), verbs }, workplace },
          ]),
        ),
        close: async () => {},
      }),
    };
    const kill = [{ do: 'bench', verb: 'daemon.kill' }] as const;
    const cells = ['never', 'auto'].flatMap((mode, index) =>
      ['a', 'b'].map((name) =>
        cellOf(
          checkOf(name, [waiting('kill', 'own-share', index === 0 ? 100 : 1, kill)]),
          inMode(mode, scriptedBench(side, side)),
          `daemon-${name}-${mode}`,
        ),
      ),
    );
    await runMatrix(cells, { judge, maker });
    expect(kills).toEqual(['auto', 'never']);
  });

  it('share machines: those that want the same disk one after the other, and one that spoils it last', () => {
    const gang = (name: string, ops: readonly BenchOperation[], needs: Case['needs']) => [
      {
        planned: {} as never,
        plan: { ...waiting(name, 'own-vm', 1, ops), needs },
      },
    ];
    const names = planMachines([
      gang('kill-vm', [{ do: 'bench', verb: 'vm.kill' }], ['vm.kill']),
      gang('kill-daemon', [{ do: 'bench', verb: 'daemon.kill' }], ['daemon.kill']),
      gang('error', [{ do: 'bench', verb: 'disk.fault', fault: 'io-error' }], ['disk.io-error']),
      gang('cut', [{ do: 'bench', verb: 'power.cut' }], ['power.cut']),
      gang('full', [{ do: 'bench', verb: 'disk.fault', fault: 'no-space' }], ['disk.no-space']),
      gang('quota', [{ do: 'bench', verb: 'disk.fault', fault: 'quota' }], ['disk.quota']),
      gang('add', [{ do: 'bench', verb: 'guest.add' }], ['guest.add']),
    ]).map((machine) => machine.map(([first]) => first?.plan.name));
    expect(names).toEqual([['cut', 'full', 'add', 'error'], ['quota', 'kill-vm'], ['kill-daemon']]);
  });
});
