import { describe, expect, it } from 'vitest';
import { exitStatusOf, runVerdict, type VerdictKind, worstOf } from '../../src/model/verdict.ts';

describe('the verdict of a run', () => {
  it.each<[VerdictKind[], string, number]>([
    [['pass', 'pass'], 'pass', 0],
    [['pass', 'skip'], 'pass', 0],
    [['pass', 'unknown'], 'unknown', 2],
    [['unknown', 'fail', 'pass'], 'fail', 1],
    [['skip', 'skip'], 'unknown', 2],
    [[], 'unknown', 2],
  ])('of %j is %s and ends with %i', (kinds, kind, status) => {
    const verdict = runVerdict(kinds);
    expect(verdict.kind).toBe(kind);
    expect(exitStatusOf(verdict)).toBe(status);
  });

  it('takes the worst of the cases, and a skip does not hide a pass', () => {
    expect(worstOf([{ kind: 'skip' }, { kind: 'pass' }])?.kind).toBe('pass');
    expect(worstOf([{ kind: 'fail' }, { kind: 'unknown' }])?.kind).toBe('fail');
    expect(worstOf([])).toBeUndefined();
  });
});
