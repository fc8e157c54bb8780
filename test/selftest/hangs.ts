import { defineCheck } from '../../src/model/check.ts';

/** Hangs: a step that goes on beyond its limit in one case, a judge that never answers in the other. */
export default defineCheck({
  name: 'hangs',
  title: 'a check made to hang',
  codes: {},
  cases: () => [
    {
      name: 'step',
      scenarios: [],
      isolation: 'shared',
      needs: [],
      actors: { reader: 'guest' },
      steps: [
        {
          id: 'wait',
          actor: 'reader',
          op: { do: 'wait', ms: 3_600_000 },
          limit: { ms: 300, name: 'a short limit' },
        },
      ],
    },
    {
      name: 'judge',
      scenarios: [],
      isolation: 'shared',
      needs: [],
      actors: { reader: 'guest' },
      steps: [],
    },
  ],
  judge: (observed) => {
    if (observed.case.name === 'judge') return new Promise(() => {});
    const outcome = observed.outcome('wait');
    return { kind: 'unknown', code: outcome.kind, reason: `the step is ${outcome.kind}` };
  },
});
