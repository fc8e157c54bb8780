import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { blocksOf, keptRun, pages, pictureOf, withBlock } from '../../tasks/story/keep.mjs';
import type { Measured } from '../../tasks/story/run.mjs';
import { isAsTold, stepLines } from '../../tasks/story/tell.mjs';

const root = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');

describe('what the pages show of the story', () => {
  const kept = keptRun();

  it('is a run that went as the story says', () => {
    expect(kept.measured.filter((each) => !isAsTold(each))).toEqual([]);
    expect(kept.compared.looks.map(({ same }) => same)).toEqual([true, true]);
  });

  it.each(pages.flatMap(({ path, blocks }) => blocks.map((block) => ({ path, block }))))(
    'is in $path what its data give ($block; npm run story -- --keep)',
    ({ path, block }) => {
      const page = read(path);
      expect(withBlock(page, block, blocksOf(kept)[block])).toBe(page);
    },
  );

  it('is a picture of the same figures, in the reader’s own dress', () => {
    const svg = read('docs/field-case/rates.svg');
    expect(svg).toBe(pictureOf(kept));
    expect(svg).toContain('prefers-color-scheme: dark');
    expect(svg).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
  });

  it('keeps to the width of a terminal', () => {
    for (const line of blocksOf(kept).told.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });
});

describe('a step that went otherwise', () => {
  const measured: Measured = {
    name: 'laid-out',
    did: ['vfs-verify explain -- fio'],
    iops: 166.4,
    asked: 4096,
    crossed: [4096, 4096],
    requests: [1, 3],
    fromDisk: 16_384,
    lines: [{ source: 'fuse/disk', bytes: 4096 }],
    sentence: '100 % of what it read came from the disk: this measured the disk.',
  };

  it('says what was seen, and not what the story would have', () => {
    expect(isAsTold(measured)).toBe(false);
    const text = stepLines(measured, 1).join('\n').replaceAll(/\s+/g, ' ');
    expect(text).toContain('This time it was otherwise: 100 % of what it read came from the disk');
    expect(text).toContain('166 reads a second');
    expect(text).toContain('asked 4 KiB → daemon 4 KiB in 1 to 3 requests → disk 16 KiB: fuse/disk 100 %');
    expect(text).not.toContain('No read reached the disk');
  });

  it('cannot go into a page without a place for it', () => {
    expect(() => withBlock('# A page', 'told', 'text')).toThrow('no marks for the block told');
  });
});
