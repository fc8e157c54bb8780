import { defineCheck } from '../../src/model/check.ts';

/** Throws: in its judge, in `next`, or in a plan that waits for itself. */
export default defineCheck({
  name: 'crashes',
  title: 'a check made to crash',
  codes: {},
  cases: (setting) => {
    if (setting.args.where === 'cases') throw new Error('thrown in cases');
    return [
      {
        name: 'only',
        scenarios: [],
        isolation: 'shared',
        needs: [],
        actors: { reader: 'guest' },
        steps: [
          {
            id: 'wait',
            actor: 'reader',
            op: { do: 'wait', ms: 1 },
            ...(setting.args.where === 'plan' ? { after: [{ step: 'wait', has: 'ended' as const }] } : {}),
          },
        ],
      },
    ];
  },
  next: (observed) => {
    if (observed.setting.args.where === 'next') throw new Error('thrown in next');
    return [];
  },
  judge: () => {
    throw new Error('thrown in judge');
  },
});
