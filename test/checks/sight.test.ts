import { describe, expect, it } from 'vitest';
import { type Change, overwritten } from '../../checks/coherence/history.ts';
import { sightOf } from '../../checks/coherence/sight.ts';

const page = 4096;
const change = (view: 'host' | 'guest', bytes: Uint8Array, more: Partial<Change> = {}): Change => ({
  ...{ path: 'f', view, turn: 'turn', words: 'bytes', beginNs: 0, endNs: 1 },
  apply: (before) => overwritten(before, 0, bytes),
  ...more,
});
const old = new Uint8Array(page).fill(1);
const stored = new Uint8Array(page).fill(2);
/** As a copy leaves a page that is written back in the middle of it: not even from its beginning. */
const half = new Uint8Array(page).fill(1).fill(2, 100, 200);

const look = (bytes: Uint8Array, last: Partial<Change>) =>
  sightOf(
    { seen: { what: 'bytes', offset: 0, asked: page, bytes }, view: 'host' },
    [change('host', old), change('guest', stored, last)],
    page,
  );

describe('a page that has a part of the last change', () => {
  it('is as old as before it where that is a store through a mapping', () => {
    expect(look(half, { inParts: true })).toMatchObject({ kind: 'stale', lacks: [{ view: 'guest' }] });
  });

  it('was never there where that is a write', () => {
    expect(look(half, {})).toMatchObject({ kind: 'wrong', code: 'wrong-bytes' });
  });

  it('was never there where a byte is of neither', () => {
    const foreign = half.slice();
    foreign[150] = 3;
    expect(look(foreign, { inParts: true })).toMatchObject({ kind: 'wrong', code: 'wrong-bytes' });
  });
});
