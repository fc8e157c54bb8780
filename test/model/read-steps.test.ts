import { describe, expect, it } from 'vitest';
import type { Case } from '../../src/model/check.ts';
import { readSteps } from '../../src/model/read-steps.ts';
import { planFault } from '../../src/run/plan.ts';

const gib = 1024 ** 3;
const steps = readSteps({
  name: 'cold',
  guest: 'guest',
  host: 'host',
  path: '/mnt/auto/f',
  hostPath: '/srv/f',
  size: gib + 1,
  plan: { order: 'seq', block: 4096, range: { offset: 0, length: gib + 1 }, count: 1, seed: 0, passes: 1 },
  mapped: true,
  drop: { guest: true, host: true },
  processes: [7],
  limit: { ms: 1000, name: 'test' },
});
const ids = steps.map(({ id }) => id);

describe('the steps of an accounted run', () => {
  it('are a plan that can be carried out, one after the other', () => {
    const plan: Case = {
      name: 'x',
      scenarios: [],
      isolation: 'exclusive',
      needs: [],
      actors: { guest: 'guest', host: 'host' },
      steps,
    };
    expect(planFault(plan, steps)).toBeUndefined();
    for (const [index, step] of steps.entries())
      expect(step.after ?? []).toEqual(index === 0 ? [] : [{ step: ids[index - 1], has: 'ended' }]);
  });

  it('open the file in the guest once, and look at it only through that descriptor', () => {
    const opened = steps.filter(({ actor, op }) => actor === 'guest' && op.do === 'open');
    expect(opened).toHaveLength(1);
    for (const { op } of steps.filter(({ op }) => op.do === 'pages'))
      expect(op).toMatchObject({ file: 'cold' });
  });

  it('have nothing between the counters but the reads', () => {
    const at = ids.indexOf('cold.reads');
    expect(ids.slice(at - 2, at + 3)).toEqual([
      'cold.used-before',
      'cold.count-before',
      'cold.reads',
      'cold.count-after',
      'cold.used-after',
    ]);
  });

  it('refresh no attributes in the guest, and take large maps in parts', () => {
    for (const { op, actor } of steps)
      if (actor === 'guest' && op.do === 'fstat') expect(op.sync).toBe('dont');
    expect(ids.filter((id) => id.startsWith('cold.guest-before-'))).toHaveLength(3);
  });
});
