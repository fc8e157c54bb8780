import { describe, expect, it } from 'vitest';
import { agesOf, isMixOf } from '../../src/model/ages.ts';
import { patternBytes } from '../../src/model/pattern.ts';

const key = (generation: number) => ({ seed: 5, fileId: 1, writer: 2, generation });
const versions = [key(1), key(2), key(3)];

describe('the ages of pages', () => {
  it('are told page by page, and may be mixed between pages', () => {
    const bytes = patternBytes(key(3), 0, 16_384).slice();
    bytes.set(patternBytes(key(1), 4096, 4096), 4096);
    const ages = agesOf(bytes, 0, versions);
    expect(ages).toEqual([
      { offset: 0, length: 4096, versions: [2] },
      { offset: 4096, length: 4096, versions: [0] },
      { offset: 8192, length: 8192, versions: [2] },
    ]);
    expect(isMixOf(ages)).toBe(true);
    expect(isMixOf(ages, 1)).toBe(false);
  });

  it('are none for a page that mixes versions within', () => {
    const bytes = patternBytes(key(3), 0, 4096).slice();
    bytes.set(patternBytes(key(2), 0, 512), 0);
    expect(agesOf(bytes, 0, versions)).toEqual([{ offset: 0, length: 4096, versions: [] }]);
    expect(isMixOf(agesOf(bytes, 0, versions))).toBe(false);
  });

  it('are several where versions agree', () => {
    const first = patternBytes(key(1), 0, 8192).slice();
    const second = first.slice();
    second.set([1, 2, 3], 5000);
    expect(agesOf(first, 0, [first, second])).toEqual([
      { offset: 0, length: 4096, versions: [0, 1] },
      { offset: 4096, length: 4096, versions: [0] },
    ]);
  });

  it('count pages from the beginning of the file, wherever the read begins', () => {
    const bytes = patternBytes(key(2), 4000, 200);
    expect(agesOf(bytes, 4000, versions)).toEqual([{ offset: 4000, length: 200, versions: [1] }]);
  });

  it('take zeros behind the end of a shorter version for that version, and say so', () => {
    const short = patternBytes(key(1), 0, 5000).slice();
    const bytes = new Uint8Array(8192);
    bytes.set(short);
    expect(agesOf(bytes, 0, [short])).toEqual([
      { offset: 0, length: 4096, versions: [0] },
      { offset: 4096, length: 4096, versions: [0], padded: [0] },
    ]);
  });
});
