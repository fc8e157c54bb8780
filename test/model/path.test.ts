import { describe, expect, it } from 'vitest';
import { compareTreePaths, pathFromBytes, pathToBytes } from '../../src/model/path.ts';

describe('paths as strings', () => {
  it.each([
    ['plain', [0x61, 0x2f, 0x62]],
    ['a byte that is no UTF-8', [0x61, 0xff, 0x62]],
    ['a truncated sequence', [0xe2, 0x82]],
    ['an overlong form', [0xc0, 0xaf]],
    ['an encoded surrogate', [0xed, 0xb2, 0x80]],
    ['four bytes', [0xf0, 0x9f, 0x98, 0x80, 0x80]],
    ['a byte order mark', [0xef, 0xbb, 0xbf, 0x61]],
  ])('keeps every byte: %s', (_, bytes) => {
    const text = pathFromBytes(Uint8Array.from(bytes));
    expect([...pathToBytes(text)]).toEqual(bytes);
    // JSON is how they travel.
    expect([...pathToBytes(JSON.parse(JSON.stringify(text)) as string)]).toEqual(bytes);
  });

  it('writes an invalid byte as one lone surrogate', () => {
    expect(pathFromBytes(Uint8Array.of(0x61, 0xff))).toBe('a\udcff');
  });
});

describe('the order of a walk', () => {
  it('puts a directory before what is in it, and what is in it before its next sibling', () => {
    const walked = ['', 'a', 'a/z', 'a-b', 'a/z/1', 'b'];
    expect([...walked].sort(compareTreePaths)).toEqual(['', 'a', 'a/z', 'a/z/1', 'a-b', 'b']);
  });

  it('goes by bytes, not by UTF-16 units', () => {
    // U+FFFD is EF BF BD, U+1F600 is F0 9F 98 80, byte FF stands as U+DCFF.
    const names = ['\u{1f600}', '\ufffd', '\udcff', 'z'];
    expect([...names].sort(compareTreePaths)).toEqual(['z', '\ufffd', '\u{1f600}', '\udcff']);
  });
});
