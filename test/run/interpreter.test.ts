import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Case, type Check, defineCheck, type Setting, type Step } from '../../src/model/check.ts';
import type { Outcome } from '../../src/model/outcome.ts';
import { loadBundle, observedCase, saveBundle } from '../../src/run/bundle.ts';
import { carryOut } from '../../src/run/interpreter.ts';
import { scriptedBench, scriptedSession } from './sessions.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const setting: Setting = { mode: undefined, views: {}, versions: {}, seed: 1, args: {} };
const value = (given: unknown): Outcome => ({ kind: 'value', value: given });
const stat = (name: string) => ({ do: 'stat', path: name }) as const;

function checkOf(steps: readonly Step[], extra: Partial<Check> = {}): { check: Check; plan: Case } {
  const plan: Case = {
    name: 'case',
    scenarios: [],
    isolation: 'shared',
    needs: [],
    actors: { writer: 'host', reader: 'guest' },
    steps,
  };
  return {
    check: defineCheck({
      name: 'test',
      title: '',
      codes: {},
      cases: () => [plan],
      judge: () => ({ kind: 'pass', reason: '' }),
      ...extra,
    }),
    plan,
  };
}

const options = (name: string) => ({ bundleDir: path.join(dir, name), caseDir: 'own', limitMs: 1000 });

describe('the interpreter', () => {
  it('runs each actor in order, actors at once, and waits where a step says so', async () => {
    const order: string[] = [];
    const note = (side: string) =>
      scriptedSession(async ({ op }) => {
        if (op.do !== 'stat') throw new Error('not asked');
        order.push(`${side} ${op.path} begins`);
        await new Promise((resolve) => setTimeout(resolve, op.path === 'slow' ? 30 : 1));
        order.push(`${side} ${op.path} ends`);
        return value(1);
      });
    const { check, plan } = checkOf([
      { id: '1', actor: 'writer', op: stat('slow') },
      { id: '2', actor: 'reader', op: stat('beside'), after: [{ step: '1', has: 'begun' }] },
      { id: '3', actor: 'reader', op: stat('last'), after: [{ step: '1', has: 'ended' }] },
    ]);
    await carryOut(check, plan, setting, scriptedBench(note('guest'), note('host')), options('order'));
    expect(order.indexOf('guest beside ends')).toBeLessThan(order.indexOf('host slow ends'));
    expect(order.indexOf('guest last begins')).toBeGreaterThan(order.indexOf('host slow ends'));
  });

  it('works in the directory of the case, below the root of the view', async () => {
    const host = scriptedSession(() => value(1));
    const { check, plan } = checkOf([{ id: '1', actor: 'writer', op: stat('x') }]);
    await carryOut(
      check,
      plan,
      setting,
      scriptedBench(
        scriptedSession(() => value(1)),
        host,
      ),
      options('root'),
    );
    expect(host.asked[0]?.options.root).toBe('/srv/own');
  });

  it('does not go on with an actor whose step did not end well, unless the step may fail', async () => {
    const host = scriptedSession(({ op }) =>
      op.do === 'stat' ? { kind: 'errno', errno: 'ENOENT', call: 'statx' } : value(1),
    );
    const { check, plan } = checkOf([
      { id: '1', actor: 'writer', op: stat('x'), mayFail: true },
      { id: '2', actor: 'writer', op: stat('x') },
      { id: '3', actor: 'writer', op: { do: 'wait', ms: 1 } },
      { id: '4', actor: 'reader', op: { do: 'wait', ms: 1 }, after: [{ step: '3', has: 'ended' }] },
    ]);
    const record = await carryOut(
      check,
      plan,
      setting,
      scriptedBench(
        scriptedSession(() => value(2)),
        host,
      ),
      options('stop'),
    );
    expect(host.asked).toHaveLength(2);
    expect(record.outcomes['3']?.kind).toBe('not-run');
    expect(record.outcomes['4']?.kind).toBe('value');
  });

  it('asks next() for more until it has none, and refuses one that never ends', async () => {
    const rounds = (count: number) =>
      checkOf([{ id: '0', actor: 'writer', op: stat('x') }], {
        next: (observed) =>
          observed.steps.length < count
            ? [{ id: String(observed.steps.length), actor: 'writer', op: stat('x') }]
            : [],
      });
    const bench = () =>
      scriptedBench(
        scriptedSession(() => value(1)),
        scriptedSession(() => value(1)),
      );
    const three = rounds(3);
    expect((await carryOut(three.check, three.plan, setting, bench(), options('three'))).steps).toHaveLength(
      3,
    );
    const endless = rounds(Number.POSITIVE_INFINITY);
    await expect(carryOut(endless.check, endless.plan, setting, bench(), options('endless'))).rejects.toThrow(
      'rounds',
    );
  });

  it('releases every actor, also after a defect', async () => {
    const host = scriptedSession(() => value(1));
    const { check, plan } = checkOf([{ id: '1', actor: 'nobody', op: stat('x') }]);
    await expect(
      carryOut(
        check,
        plan,
        setting,
        scriptedBench(
          scriptedSession(() => value(1)),
          host,
        ),
        options('defect'),
      ),
    ).rejects.toThrow('no actor');
    expect(host.released).toHaveLength(1);
  });

  it('streams bulk results beside the bundle, and reads them back from there', async () => {
    const guest = scriptedSession(async ({ options: { onBulk } }) => {
      await onBulk?.([{ from: 0, base64: 'AA==' }]);
      await onBulk?.([{ from: 1, base64: 'AQ==' }]);
      return value({ digest: 'd' });
    });
    const { check, plan } = checkOf([
      { id: 'hash', actor: 'reader', op: { do: 'hash', path: 'x', algorithm: 'md5' } },
    ]);
    const place = options('bulk');
    const record = await carryOut(
      check,
      plan,
      setting,
      scriptedBench(
        guest,
        scriptedSession(() => value(1)),
      ),
      place,
    );
    await saveBundle(place.bundleDir, {
      schema: 'vfs-verify/bundle/1',
      check: 'test',
      setting,
      cases: [record],
    });
    const bundle = await loadBundle(place.bundleDir);
    const [again] = bundle.cases;
    if (again === undefined) throw new Error('no case in the bundle');
    const items: unknown[] = [];
    for await (const item of observedCase(place.bundleDir, bundle.setting, again).bulk('hash'))
      items.push(item);
    expect(items).toEqual([
      { from: 0, base64: 'AA==' },
      { from: 1, base64: 'AQ==' },
    ]);
  });

  it('does not begin new steps once the run is interrupted', async () => {
    const controller = new AbortController();
    const host = scriptedSession(() => {
      controller.abort();
      return value(1);
    });
    const { check, plan } = checkOf([
      { id: '1', actor: 'writer', op: stat('x') },
      { id: '2', actor: 'writer', op: stat('y') },
    ]);
    const record = await carryOut(
      check,
      plan,
      setting,
      scriptedBench(
        scriptedSession(() => value(1)),
        host,
      ),
      { ...options('abort'), signal: controller.signal },
    );
    expect(record.outcomes['2']).toEqual({ kind: 'not-run', reason: 'the run was interrupted' });
  });
});

describe('a step that is pointless without another', () => {
  it('is ended when that one does not end well, and its actor can go on', async () => {
    const host = scriptedSession(({ op, options: { cancel } }) =>
      op.do !== 'wait'
        ? value('still there')
        : new Promise((resolve) => {
            cancel?.addEventListener('abort', () =>
              resolve({ kind: 'not-run', reason: String(cancel.reason) }),
            );
          }),
    );
    const guest = scriptedSession(() => ({ kind: 'gone', reason: 'the guest died' }));
    const { check, plan } = checkOf([
      { id: 'guest', actor: 'reader', op: stat('x') },
      { id: 'host', actor: 'writer', op: { do: 'wait', ms: 1e6 }, onlyWith: ['guest'], mayFail: true },
      { id: 'after', actor: 'writer', op: stat('x') },
    ]);
    const record = await carryOut(check, plan, setting, scriptedBench(guest, host), options('pointless'));
    expect(record.outcomes.host).toEqual({ kind: 'not-run', reason: 'pointless without guest' });
    expect(record.outcomes.after?.kind).toBe('value');
  });
});
