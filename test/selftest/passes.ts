import { defineCheck } from '../../src/model/check.ts';

/** Always passes: its one step asks for nothing but a moment. */
export default defineCheck({
  name: 'passes',
  title: 'a check made to pass',
  codes: {},
  cases: () => [
    {
      name: 'only',
      scenarios: [],
      isolation: 'shared',
      needs: [],
      actors: { reader: 'guest' },
      steps: [{ id: 'wait', actor: 'reader', op: { do: 'wait', ms: 1 } }],
    },
  ],
  judge: (observed) =>
    observed.outcome('wait').kind === 'value'
      ? { kind: 'pass', reason: 'the guest waited' }
      : { kind: 'unknown', reason: 'the guest did not wait' },
});
