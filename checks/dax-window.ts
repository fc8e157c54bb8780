import { type Check, defineCheck, type Setting } from '../src/model/check.ts';
import { hasWindow } from '../src/model/mode.ts';
import {
  type Act,
  create,
  fill,
  load,
  map,
  open,
  openToRead,
  page,
  read,
  size,
  store,
} from './coherence/acts.ts';
import { coherenceCodes, told } from './coherence/judge.ts';
import { guest, host, type Story, turn } from './coherence/turn.ts';
import { daxState, groundCodes, inWindow } from './dax/ground.ts';
import { caseOfShape, judgeShape, rangeToRead, shapes } from './dax/reclaim.ts';

/** Two ranges of 2 MiB, of which the first and the last pages are looked at. */
const range = 2 * 1024 * 1024;
const full = 2 * range;
const ends = [0, range - page, range, full - page] as const;
const by = 'dax/window';

function madeFile(file: string, generation: number): readonly Act[] {
  return [create(file), ...ends.map((at) => fill(file, generation, at, page))];
}

function looks(file: string): readonly Act[] {
  return ends.map((at) => load(file, at, page));
}

/**
 * Two shares in one guest, each with a window, each with a file of its own mapped into the same ranges of it:
 *
 * ```
 *  window of the share          |aaaa|aaaa|
 *  window of the other share    |bbbb|bbbb|
 * ```
 * One of them holds the other's file only where the two windows are one.
 */
const twoShares: Story = {
  name: 'two-shares',
  actors: { host: 'host', guest: 'guest', other: 'guest-other-tag' },
  needs: ['other-tag'],
  applies: ({ mode }) => hasWindow(mode),
  turns: () => [
    host('make', [...madeFile('a', 1), ...madeFile('b', 2)]),
    guest('maps', [open('a'), size('a', 'dont'), map('a', full), ...looks('a')], by),
    turn('other', 'maps-too', [open('b'), size('b', 'dont'), map('b', full), ...looks('b')], by),
    guest('again', [...looks('a'), read('a', range - page, 2 * page)], by),
    turn('other', 'again-too', [...looks('b'), read('b', range - page, 2 * page)], by),
    guest('stores', [store('a', 3, range, page)], by),
    turn('other', 'stores-too', [...looks('b'), store('b', 4, 0, page)], by),
    guest('untouched', looks('a'), by),
    host(
      'sees',
      [...ends.map((at) => read('a', at, page)), ...ends.map((at) => read('b', at, page))],
      'dax/seen-on-host',
    ),
  ],
};

/** One share, many files at once: each range of the window is of one of them. */
const manyFiles: Story = {
  name: 'many-files',
  applies: ({ mode }) => hasWindow(mode),
  turns: () => {
    const files = Array.from({ length: 12 }, (_, index) => `f${index}`);
    return [
      host(
        'make',
        files.flatMap((file, index) => [create(file), fill(file, index + 1, 0, 2 * page)]),
      ),
      guest(
        'maps',
        files.flatMap((file) => [
          openToRead(file),
          size(file, 'dont'),
          ...[
            {
              do: 'map',
              file,
              as: file,
              offset: 0,
              length: 2 * page,
              protection: 'read',
              share: 'shared',
            } as const,
          ],
          load(file, 0, 2 * page),
        ]),
        by,
      ),
      guest(
        'again',
        files.flatMap((file) => [load(file, page, page), read(file, 0, page)]),
        by,
      ),
    ];
  },
};

const stories = told([twoShares, manyFiles]);

const isShape = (name: string) => shapes.some((each) => each.name === name);

const answers: Required<Pick<Check, 'next' | 'judge'>> = {
  next: (observed) => (isShape(observed.case.name) ? rangeToRead(observed) : stories.next(observed)),
  judge(observed, promises) {
    if (isShape(observed.case.name)) return judgeShape(observed, promises);
    if (daxState(observed, 'other') === false)
      return {
        kind: 'skip',
        code: 'no-other-window',
        reason: 'the directory has another tag in the guest, and that one has no window',
      };
    return stories.judge(observed, promises);
  },
};

/** What the guest sees through a window is that file, and that place in it. */
export default defineCheck({
  name: 'dax-window',
  title:
    'through a window smaller than the file, at its last range, and beside another share’s, the bytes are the right ones',
  codes: {
    ...coherenceCodes,
    ...groundCodes,
    'no-other-window': 'the other tag of the directory has no window',
  },
  cases: (setting: Setting) =>
    hasWindow(setting.mode)
      ? [...shapes.map((shape) => caseOfShape(shape, setting.seed)), ...stories.cases(setting)]
      : [],
  ...inWindow(answers),
});
