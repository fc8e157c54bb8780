import { defineCheck } from '../../src/model/check.ts';

/** Needs what no bench has. */
export default defineCheck({
  name: 'skips',
  title: 'a check made to skip',
  codes: {},
  cases: () => [
    {
      name: 'only',
      scenarios: [],
      isolation: 'shared',
      needs: ['second-guest'],
      actors: { other: 'guest2' },
      steps: [{ id: 'wait', actor: 'other', op: { do: 'wait', ms: 1 } }],
    },
  ],
  judge: () => ({ kind: 'pass', reason: 'it ran, and should not have' }),
});
