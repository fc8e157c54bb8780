import { describe, expect, it } from 'vitest';
import type { Case, Step } from '../../src/model/check.ts';
import { planFault } from '../../src/run/plan.ts';

const plan: Case = {
  name: 'c',
  scenarios: [],
  isolation: 'shared',
  needs: [],
  actors: { a: 'host', b: 'guest' },
  steps: [],
};
const wait = { do: 'wait', ms: 1 } as const;

describe('a plan', () => {
  it('is sound when actors wait for each other without a circle', () => {
    const steps: Step[] = [
      { id: '1', actor: 'a', op: wait },
      { id: '2', actor: 'b', op: wait, after: [{ step: '1', has: 'ended' }] },
      { id: '3', actor: 'a', op: wait, after: [{ step: '2', has: 'begun' }] },
    ];
    expect(planFault(plan, steps)).toBeUndefined();
  });

  it.each<[string, Step[], string]>([
    [
      'a doubled id',
      [
        { id: '1', actor: 'a', op: wait },
        { id: '1', actor: 'a', op: wait },
      ],
      'two steps',
    ],
    ['an unknown actor', [{ id: '1', actor: 'z', op: wait }], 'no actor'],
    [
      'an unknown step',
      [{ id: '1', actor: 'a', op: wait, after: [{ step: '9', has: 'ended' }] }],
      'does not exist',
    ],
    [
      "a circle over an actor's own order",
      [
        { id: '1', actor: 'a', op: wait, after: [{ step: '2', has: 'ended' }] },
        { id: '2', actor: 'a', op: wait },
      ],
      'waits for itself',
    ],
  ])('with %s is refused', (_, steps, words) => {
    expect(planFault(plan, steps)).toContain(words);
  });
});
