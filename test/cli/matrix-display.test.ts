import { describe, expect, it } from 'vitest';
import { type CellState, type MatrixState, matrixFrame } from '../../src/cli/matrix-display.ts';

const cell = (state: Partial<CellState>): CellState => ({ cases: 4, begun: 4, ended: 4, ...state });

function state(checks: readonly string[], cells: Record<string, CellState>): MatrixState {
  return { checks, modes: ['auto', 'always+writeback'], cells: new Map(Object.entries(cells)), seconds: 10 };
}

const plain = { columns: 80, rows: 24, color: false };

describe('the table of a run', () => {
  it('says of each cell where it is, and how much there is in all', () => {
    const frame = matrixFrame(
      state(['md5', 'locks'], {
        'md5/auto': cell({ verdict: 'pass' }),
        'md5/always+writeback': cell({ ended: 1 }),
        'locks/auto': cell({ verdict: 'fail' }),
        'locks/always+writeback': cell({ begun: 0, ended: 0 }),
      }),
      plain,
    );
    expect(frame).toEqual([
      '       auto              always+writeback',
      'md5    pass              1/4',
      'locks  FAIL              ·',
      '2 of 4 results, 9 of 16 cases, 10.0 s',
    ]);
  });

  it('tells how much time is left once it can know', () => {
    const frame = matrixFrame(state(['md5'], { 'md5/auto': cell({ cases: 60, ended: 30 }) }), plain);
    expect(frame.at(-1)).toBe('0 of 2 results, 30 of 60 cases, 10.0 s, about 10.0 s left');
  });

  it('shows what is at work where not all fits, and never more lines or columns than there are', () => {
    const checks = Array.from({ length: 30 }, (_, index) => `check-${index}`);
    const done = checks
      .slice(0, 25)
      .flatMap((check) =>
        ['auto', 'always+writeback'].map((mode) => [`${check}/${mode}`, cell({ verdict: 'pass' })] as const),
      );
    const frame = matrixFrame(state(checks, Object.fromEntries(done)), { ...plain, columns: 40, rows: 12 });
    expect(frame.length).toBeLessThan(12);
    expect(Math.max(...frame.map((line) => line.length))).toBeLessThan(40);
    expect(frame.slice(1, 6).map((line) => line.split(' ')[0])).toEqual(checks.slice(25));
    expect(frame).toContain('and 25 more');
  });
});
