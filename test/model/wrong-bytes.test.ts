import { describe, expect, it } from 'vitest';
import { type PatternKey, patternBytes } from '../../src/model/pattern.ts';
import { nameWrongBytes } from '../../src/model/wrong-bytes.ts';
import { describeWrongBytes } from '../../src/model/wrong-words.ts';

const key = (generation: number, more: Partial<PatternKey> = {}): PatternKey => ({
  seed: 0xabc,
  fileId: 7,
  writer: 1,
  generation,
  ...more,
});
const size = 16_384;
const expected = patternBytes(key(3), 0, size);
const keys = [key(1), key(2), key(3)];

/** The expected bytes with a change. */
function but(change: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = expected.slice();
  change(bytes);
  return bytes;
}

describe('naming wrong bytes', () => {
  it('finds nothing in bytes that are right', () => {
    expect(nameWrongBytes(expected, 0, { expected, keys })).toEqual([]);
    expect(describeWrongBytes([])).toBe('');
  });

  it('names an older generation of whole pages', () => {
    const found = but((bytes) => bytes.set(patternBytes(key(1), 4096, 8192), 4096));
    const wrong = nameWrongBytes(found, 0, { expected, keys });
    expect(wrong).toEqual([
      { what: 'generation', age: 'older', offset: 4096, length: 8192, key: key(1), expected: key(3) },
    ]);
    expect(describeWrongBytes(wrong, { writers: new Map([[1, 'the host']]) })).toBe(
      '0x1000–0x2fff is older: generation 1 of the host instead of generation 3 of the host',
    );
  });

  it('names a generation that nobody told it of, by what the bytes say', () => {
    const found = but((bytes) => bytes.set(patternBytes(key(9, { writer: 2 }), 4096, 4096), 4096));
    expect(nameWrongBytes(found, 0, { expected })).toMatchObject([
      { age: 'newer', key: { generation: 9, writer: 2 } },
    ]);
  });

  it('says where a page is torn between two generations', () => {
    const found = but((bytes) => bytes.set(patternBytes(key(2), 4096, 1024), 4096));
    const wrong = nameWrongBytes(found, 0, { expected, keys });
    expect(wrong).toMatchObject([{ what: 'generation', offset: 4096, length: 1024, tornAt: [5120] }]);
    expect(describeWrongBytes(wrong)).toContain('torn inside a page at 0x1400');
  });

  it('calls nothing torn where the expected bytes change their generation at the same place', () => {
    const mixed = expected.slice();
    mixed.set(patternBytes(key(4), 1024, 512), 1024);
    const wrong = nameWrongBytes(expected, 0, { expected: mixed, keys: [...keys, key(4)] });
    expect(wrong).toEqual([
      { what: 'generation', age: 'older', offset: 1024, length: 512, key: key(3), expected: key(4) },
    ]);
  });

  it('says where a single cell is torn', () => {
    const found = but((bytes) => bytes.set(patternBytes(key(2), 640, 30), 640));
    const wrong = nameWrongBytes(found, 0, { expected, keys });
    expect(wrong).toMatchObject([{ what: 'torn', offset: 640, first: key(2), second: 'expected' }]);
    expect(describeWrongBytes(wrong)).toMatch(
      /is torn at 0x29e: generation 2 of writer 1, then as it should be/,
    );
    const zeroed = but((bytes) => bytes.fill(0, 700, 4096));
    expect(nameWrongBytes(zeroed, 0, { expected, keys })[0]).toMatchObject({ what: 'zeros', offset: 700 });
  });

  it('says where misdirected bytes belong', () => {
    const found = but((bytes) => bytes.set(expected.subarray(8192, 12_288), 0));
    const wrong = nameWrongBytes(found, 0, { expected, keys });
    expect(wrong).toEqual([{ what: 'misdirected', offset: 0, length: 4096, belongsAt: 8192, key: key(3) }]);
    expect(describeWrongBytes(wrong)).toBe('0x0–0xfff belongs at 0x2000 (generation 3 of writer 1)');
  });

  it('recognises a piece that was moved by a number of bytes that is no multiple of a cell', () => {
    const found = but((bytes) => bytes.set(expected.subarray(5000, 7000), 8000));
    const wrong = nameWrongBytes(found, 0, { expected, keys });
    const shifted = wrong.filter((each) => each.what === 'misdirected');
    expect(shifted.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(1900);
    for (const each of shifted) expect(each.offset - each.belongsAt).toBe(3000);
    expect(wrong.length).toBeLessThan(4);
  });

  it('names another file, by its path where that is known', () => {
    const found = but((bytes) => bytes.set(patternBytes(key(1, { fileId: 8 }), 4096, 4096), 4096));
    const wrong = nameWrongBytes(found, 0, { expected, keys });
    expect(wrong).toMatchObject([{ what: 'other-file', offset: 4096, length: 4096, belongsAt: 4096 }]);
    expect(describeWrongBytes(wrong, { files: new Map([[8, 'b/two']]) })).toContain('another file, b/two');
  });

  it('tells zeros inside from zeros at the end', () => {
    const inside = but((bytes) => bytes.fill(0, 4096, 8192));
    expect(nameWrongBytes(inside, 0, { expected, keys })).toMatchObject([{ what: 'zeros', offset: 4096 }]);
    const tail = but((bytes) => bytes.fill(0, 12_000));
    const wrong = nameWrongBytes(tail, 0, { expected, keys });
    expect(wrong).toMatchObject([{ what: 'nul-tail' }]);
    expect((wrong[0]?.offset ?? 0) + (wrong[0]?.length ?? 0)).toBe(size);
    expect(wrong[0]?.offset).toBeLessThan(12_004);
  });

  it('counts flipped bits and says which', () => {
    const found = but((bytes) => {
      bytes[5000] = (bytes[5000] as number) ^ 0x10;
    });
    const wrong = nameWrongBytes(found, 0, { expected, keys });
    const to = ((expected[5000] as number) & 0x10) === 0 ? 1 : 0;
    expect(wrong).toEqual([
      { what: 'flipped-bits', offset: 5000, length: 1, bits: [{ offset: 5000, bit: 4, to }] },
    ]);
    expect(describeWrongBytes(wrong)).toBe(`0x1388 one bit is flipped: bit 4 at 0x1388 is ${to}`);
  });

  it('sees a flipped bit in an old cell as both', () => {
    const old = patternBytes(key(1), 4096, 64).slice();
    old[40] = (old[40] as number) ^ 1;
    const wrong = nameWrongBytes(
      but((bytes) => bytes.set(old, 4096)),
      0,
      { expected, keys },
    );
    expect(wrong).toMatchObject([{ what: 'flipped-bits', key: key(1), bits: [{ offset: 4136, bit: 0 }] }]);
  });

  it('tells what is missing and what is too much', () => {
    expect(nameWrongBytes(expected.subarray(0, 10_000), 0, { expected, keys })).toEqual([
      { what: 'short', offset: 10_000, length: 6384 },
    ]);
    const wrong = nameWrongBytes(expected, 0, { expected: expected.subarray(0, 10_000), keys });
    expect(wrong).toEqual([{ what: 'excess', offset: 10_000, length: 6384 }]);
    expect(describeWrongBytes(wrong)).toContain('behind the end of file (6384 bytes too many)');
  });

  it('calls the rest foreign and shows how it begins', () => {
    const found = but((bytes) => bytes.fill(0x41, 4096, 4200));
    const wrong = nameWrongBytes(found, 0, { expected, keys });
    expect(wrong).toMatchObject([{ what: 'foreign', offset: 4096, length: 104 }]);
    expect(describeWrongBytes(wrong)).toMatch(/from no known write \(begins 41 41/);
  });

  it('names the part of a cell at an odd place of an odd range', () => {
    const found = patternBytes(key(2), 1001, 99);
    const wrong = nameWrongBytes(found, 1001, { expected: patternBytes(key(3), 1001, 99), keys });
    expect(wrong).toMatchObject([
      { what: 'generation', offset: 1001, length: 99, age: 'older', key: key(2) },
    ]);
  });

  it('counts what it does not tell', () => {
    const found = but((bytes) => {
      for (let page = 0; page < 4; page += 1) bytes.fill(0x41 + page, page * 4096, page * 4096 + 64);
      bytes.fill(0x60, 14_000, 14_100);
    });
    expect(describeWrongBytes(nameWrongBytes(found, 0, { expected, keys }))).toContain(
      'and 1 more range (100 bytes)',
    );
  });

  it('is quick over a whole MiB in which everything is wrong', () => {
    const length = 1 << 20;
    const begin = process.cpuUsage();
    const wrong = nameWrongBytes(patternBytes(key(1), 0, length), 0, {
      expected: patternBytes(key(3), 0, length),
      keys,
    });
    const damaged = patternBytes(key(3), 0, length);
    for (let at = 0; at < length; at += 64) damaged.fill(at, at + 8, at + 40);
    nameWrongBytes(damaged, 0, { expected: patternBytes(key(3), 0, length), keys });
    expect(wrong).toHaveLength(1);
    // Half a second of the processor: by the clock it is many times that on a machine with other things to do.
    expect(process.cpuUsage(begin).user / 1e6).toBeLessThan(10);
  });
});
