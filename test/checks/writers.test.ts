import { describe, expect, it } from 'vitest';
import { censusOf } from '../../checks/writers/records.ts';
import { caseOfMapping, judgeMapping } from '../../checks/writers/seen-by-mapping.ts';
import { fateOf, fileSize, keyOf, slotSize, slotsOf } from '../../checks/writers/slots.ts';
import type { Observed, Promises } from '../../src/model/check.ts';
import { patternBytes } from '../../src/model/pattern.ts';

/** A shared file after both have written this generation of theirs. */
function shared(generation: number): Uint8Array {
  const bytes = Uint8Array.from(patternBytes(keyOf(5, 'host', 1), 0, fileSize));
  for (const owner of ['host', 'guest'] as const)
    for (const offset of slotsOf(owner))
      bytes.set(patternBytes(keyOf(5, owner, generation), offset, slotSize), offset);
  return bytes;
}

describe('slots of two writers in one page', () => {
  it('are all there when each holds its owner’s last bytes', () => {
    for (const owner of ['host', 'guest'] as const)
      expect(fateOf(shared(3), 5, owner, 3)).toEqual({ owner, lost: [], wrong: [] });
  });

  it('are lost when they hold something earlier: the first bytes, or an older generation', () => {
    const bytes = shared(3);
    const [first = 0, second = 0] = slotsOf('host');
    bytes.set(patternBytes(keyOf(5, 'host', 1), first, slotSize), first);
    bytes.set(patternBytes(keyOf(5, 'host', 2), second, slotSize), second);
    expect(fateOf(bytes, 5, 'host', 3)).toEqual({ owner: 'host', lost: [first, second], wrong: [] });
    expect(fateOf(bytes, 5, 'guest', 3).lost).toEqual([]);
  });

  it('are lost when they are torn between two of their generations, even inside a cell', () => {
    const bytes = shared(3);
    const [first = 0] = slotsOf('host');
    bytes.set(patternBytes(keyOf(5, 'host', 2), first, 100), first);
    expect(fateOf(bytes, 5, 'host', 3)).toEqual({ owner: 'host', lost: [first], wrong: [] });
  });

  it('are wrong when they hold zeros, or what belongs elsewhere', () => {
    const bytes = shared(3);
    const [first = 0, second = 0] = slotsOf('host');
    bytes.fill(0, first, first + slotSize);
    bytes.set(patternBytes(keyOf(5, 'host', 3), 0, slotSize), second);
    const { wrong, lost } = fateOf(bytes, 5, 'host', 3);
    expect(lost).toEqual([]);
    expect(wrong).toHaveLength(2);
    expect(wrong[0]).toContain('zeros');
    expect(wrong[1]).toContain('belongs at');
  });
});

describe('records that several appended', () => {
  const size = 192;
  const appends = [
    { writer: 1, size, count: 3 },
    { writer: 2, size, count: 2 },
  ];
  const record = (writer: number, number: number, length = size) =>
    patternBytes({ seed: 5, fileId: 9, writer, generation: 1 }, number * size, length);
  const census = (...parts: readonly Uint8Array[]) =>
    censusOf(Buffer.concat(parts), appends, { seed: 5, fileId: 9 });
  const none = { missing: [], twice: [], torn: [], disordered: [], foreign: [] };

  it('are all there once, in whatever order two writers came', () => {
    const all = [record(2, 0), record(1, 0), record(1, 1), record(2, 1), record(1, 2)];
    expect(census(...all)).toEqual(none);
  });

  it('are missing', () => {
    const left = [record(1, 0), record(1, 2), record(2, 0), record(2, 1)];
    expect(census(...left)).toEqual({ ...none, missing: ['1:1'] });
  });

  it('are there twice', () => {
    const parts = [0, 1, 1, 2].map((number) => record(1, number));
    expect(census(...parts, record(2, 0), record(2, 1))).toEqual({ ...none, twice: ['1:1'] });
  });

  it('come before an earlier one of the same writer', () => {
    const parts = [0, 2, 1].map((number) => record(1, number));
    expect(census(...parts, record(2, 0), record(2, 1))).toEqual({ ...none, disordered: ['1:1'] });
  });

  it('are torn where another one lies between their halves', () => {
    const half = record(1, 1, 64);
    const rest = record(1, 1).subarray(64);
    const parts = [record(1, 0), half, record(2, 0), rest, record(2, 1), record(1, 2)];
    expect(census(...parts)).toEqual({ ...none, missing: ['1:1'], torn: ['1:1'] });
  });

  it('have bytes of nobody between them', () => {
    const parts = [0, 1, 2].map((number) => record(1, number));
    const found = census(...parts, new Uint8Array(64), record(2, 0), record(2, 1));
    expect(found).toEqual({ ...none, foreign: [3 * size] });
  });

  it('are of another run, or of another file', () => {
    const other = patternBytes({ seed: 6, fileId: 9, writer: 1, generation: 1 }, 0, size);
    expect(census(other).foreign).toEqual([0, 64, 128]);
  });
});

describe('what a mapping shows after both sides have appended', () => {
  const setting = { mode: undefined, views: {}, versions: {}, seed: 5, args: {} };
  const one = caseOfMapping(setting);
  const keeps: Promises = (scenario) => ({
    scenario,
    freshness: { kind: 'keeps' },
    because: '',
    sources: [],
  });
  const [a, b, c] = [1, 2, 3].map((byte) => new Uint8Array(192).fill(byte)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  /** A file of these records, and a mapping that shows those. */
  function verdictOf(file: readonly Uint8Array[], seen: readonly Uint8Array[]) {
    const mapping = Buffer.alloc(4096);
    mapping.set(Buffer.concat(seen));
    const bytes: Record<string, Buffer> = { look: Buffer.concat(file), 'guest-appends': mapping };
    const value = (id: string) => ({
      values: [{ base64: bytes[id]?.toString('base64') ?? '' }],
      timesNs: [[0, 1]],
    });
    const observed: Observed = {
      setting,
      case: one,
      steps: one.steps,
      outcome: (id) => ({ kind: 'value', value: value(id) }),
      value: <T>(id: string) => value(id) as T,
      bulk: async function* () {},
      account: async () => undefined,
    };
    return judgeMapping(observed, keeps);
  }

  it.each([
    ['all three records', [a, b, c], undefined],
    ['what it was before the guest appended', [a, b], true],
    ['what it was before both appended', [a], true],
  ])('may be %s', (_, seen, stale) => {
    const verdict = verdictOf([a, b, c], seen);
    expect(verdict.kind).toBe('pass');
    expect(verdict.stale).toBe(stale);
  });

  it('is not one record in the place of another', () => {
    expect(verdictOf([a, b, c], [a, c])).toMatchObject({ kind: 'fail', code: 'guest-sees-other-bytes' });
  });

  it('is nothing where the file itself lacks a record', () => {
    expect(verdictOf([a, c], [a, c])).toMatchObject({ kind: 'fail', code: 'lost' });
  });
});
