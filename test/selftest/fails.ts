import { defineCheck } from '../../src/model/check.ts';

/** Always fails, with a code of its list in one case and with one that it does not list in the other. */
export default defineCheck({
  name: 'fails',
  title: 'a check made to fail',
  codes: { broken: 'as it was made to be' },
  cases: () =>
    ['listed', 'not-listed'].map((name) => ({
      name,
      scenarios: [],
      isolation: 'shared' as const,
      needs: [],
      actors: { reader: 'guest' as const },
      steps: [],
    })),
  judge: (observed) => ({
    kind: 'fail',
    code: observed.case.name === 'listed' ? 'broken' : 'made-up',
    reason: 'made to fail',
    promised: 'nothing',
    observed: 'nothing',
  }),
});
