import { cp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  blocksOf,
  commandMs,
  differenceOf,
  examples,
  isSession,
  makePlace,
  type Place,
  pages,
  root,
} from './examples.ts';

describe('a block in the documentation that a reader could type', () => {
  it.each(pages())('is a session that is run, or says why not: %s', (page) => {
    const sessions = blocksOf(page).filter(isSession);
    expect(sessions.filter(({ info }) => info !== 'console').map(({ place }) => place)).toEqual([]);
  });

  it('is not left out without a reason, and seldom', () => {
    const left = examples().filter(({ notRun }) => notRun !== undefined);
    for (const { place, notRun } of left) console.log(`not run: ${place}: ${notRun}`);
    expect(left.filter(({ notRun }) => (notRun ?? '').length < 10)).toEqual([]);
    expect(left.length).toBeLessThan(examples().length / 2);
  });
});

describe('what an example prints is compared with what is written', () => {
  const printed = 'same  e6cb3a043282cd6716f3944acbd5beca  /f  4.0 MiB  0.4 s\n      guest 10.2 MiB/s\n';

  it('by its words, whatever its figures and lines', () => {
    const written = ['same  00000000000000000000000000000000  /f', '  900 KiB  12 ms  guest 1 GiB/s'];
    expect(differenceOf(written, printed)).toBeUndefined();
    expect(differenceOf(['same'], printed)).toBeDefined();
    expect(differenceOf(['same …'], printed)).toBeUndefined();
  });

  it('and anything may stand where three dots are', () => {
    expect(differenceOf(['…', '  guest 1 KiB/s'], printed)).toBeUndefined();
    expect(differenceOf(['same  0000000', '…'], printed)).toBeUndefined();
    expect(differenceOf(['…', 'host 1 KiB/s'], printed)).toContain('host');
  });

  it('and another word, one too few or one too many is seen', () => {
    expect(differenceOf(['DIFFERENT  #', '…'], printed)).toContain('DIFFERENT');
    expect(differenceOf(['same 0000000 /f 1 B 1 s'], printed)).toContain('more than is written');
  });
});

describe('an example that needs no lab', () => {
  let place: Place;
  beforeAll(async () => {
    place = await makePlace();
    const fixtures = path.join(root, 'test/workload/fixtures');
    await cp(fixtures, path.join(place.directory, 'outputs'), { recursive: true });
    await writeFile(path.join(place.directory, 'notes.txt'), 'kept\n');
  });
  afterAll(() => place.remove());

  it.each(examples().filter(({ notRun, needsLab }) => notRun === undefined && !needsLab))(
    'is as it is written: $place',
    async (example) => {
      expect(await place.run(example)).toBeUndefined();
    },
    2 * commandMs,
  );
});
