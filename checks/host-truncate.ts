import { defineCheck, type Isolation, type Setting } from '../src/model/check.ts';
import {
  type Act,
  append,
  close,
  create,
  end,
  evict,
  fill,
  open,
  openToRead,
  page,
  read,
  size,
  tick,
  truncate,
} from './coherence/acts.ts';
import { coherenceCodes, told } from './coherence/judge.ts';

import { guest, host, type Story, turn } from './coherence/turn.ts';
import { withoutWindow } from './mode/window.ts';

/**
 * A file is cut, and grows again; what was cut must not come back. The number is the generation of the bytes, `.`
 * is zeros:
 *
 * ```
 *  page       0    1    2    3    4
 *  before   |1111|1111|1111|1111|11
 *  cut      |1111|11
 *  regrown  |1111|11..|....|.222|22
 * ```
 */
const full = 4 * page + 2000;
const cut = page + 2000;
const backAt = 3 * page + 1000;

const made: readonly Act[] = [create('f'), fill('f', 1, 0, full)];
const whole = read('f', 0, full + page);

/**
 * In 9p:none Linux 6.12 asks for the cut bytes for ever (docs/findings.md): the read never ends, and its requests
 * would be in every later account of that machine.
 */
function whereReadsMayNeverEnd({ mode }: Setting): Isolation {
  return mode?.server === '9p' && mode.cache === 'none' ? 'own-share' : 'shared';
}

/** Beside a read that does not end: whether the share serves others meanwhile. */
const witnessed: Pick<Story, 'actors' | 'isolation' | 'mustEnd'> = {
  isolation: whereReadsMayNeverEnd,
  actors: { host: 'host', guest: 'guest', witness: 'guest' },
  mustEnd: {
    turn: 'at-once',
    witness: turn('witness', 'meanwhile', [openToRead('other'), read('other', 0, page)]),
  },
};
const madeBoth: readonly Act[] = [...made, create('other'), fill('other', 1, 0, page)];

/** The host cuts it; the guest, which has it all, reads on. */
const shrunkRead: Story = {
  name: 'host-cut-read',
  ...witnessed,
  applies: withoutWindow,
  turns: () => [
    host('make', madeBoth),
    guest('warm', [open('f'), whole]),
    host('cut', [tick, truncate('f', cut)]),
    guest('at-once', [whole], 'host-truncate/read'),
  ],
  whenStale: () => [guest('in-time', [whole], 'host-truncate/read', { afterTimeout: true })],
};

/** The same by its size, by the descriptor, by name and by SEEK_END. */
function shrunkSize(name: string, look: Act, by = 'host-truncate/size'): Story {
  return {
    name,
    turns: () => [
      host('make', made),
      guest('warm', [open('f'), size('f')]),
      host('cut', [tick, truncate('f', cut)]),
      guest('at-once', [look], by),
    ],
    whenStale: () => [guest('in-time', [look], by, { afterTimeout: true })],
  };
}

/** Cut and grown again before the guest looks: the same size as before, or another. */
function regrown(name: string, again: readonly Act[], looks: readonly Act[], by: string): Story {
  return {
    name,
    turns: () => [
      host('make', made),
      guest('warm', [open('f'), whole]),
      host('regrow', [tick, truncate('f', cut), ...again]),
      guest('at-once', looks, by),
    ],
    whenStale: () => [
      guest('in-time', [whole], by, { afterTimeout: true }),
      guest('evicted', [evict('f'), whole], by),
    ],
  };
}

const bytesAgain = fill('f', 2, backAt, full - backAt);

/**
 * What a log rotation does: opened with O_TRUNC, and appended to at once. A size that was learned in between, or
 * before, must not leave a hole of zeros before what was appended.
 */
const rotated: Story = {
  name: 'host-rotates',
  ...witnessed,
  applies: withoutWindow,
  turns: () => [
    host('make', madeBoth),
    guest('warm', [open('f', 'append'), whole]),
    host('rotate', [tick, open('f:new', 'trunc', 'append'), append('f:new', 2, 0, 300)]),
    guest('at-once', [whole], 'host-truncate/read'),
  ],
  whenStale: () => [guest('in-time', [whole], 'host-truncate/read', { afterTimeout: true })],
};

/** The guest truncates with O_TRUNC and appends within the second: the host finds the bytes at 0. */
const guestRotates: Story = {
  name: 'guest-rotates',
  turns: () => [
    host('make', made),
    guest('warm', [open('f:old'), read('f:old', 0, full), size('f:old')]),
    guest('rotate', [
      open('f', 'trunc', 'append'),
      append('f', 2, 0, 300),
      append('f', 3, 300, 200),
      close('f'),
    ]),
    host('afterwards', [whole, size('f')], 'guest-write/after-close'),
    guest('own', [read('f:old', 0, full), size('f:old')], 'access-paths/after-guest-write'),
  ],
};

/** The guest cuts; then it writes behind the cut, and the gap reads as zeros on both sides. */
const guestCuts: Story = {
  name: 'guest-cut-and-regrow',
  turns: () => [
    host('make', made),
    guest('cut', [open('f'), whole, truncate('f', cut)]),
    host('when-cut', [whole, size('f'), end('f')], 'guest-truncate/host'),
    guest('regrow', [fill('f', 2, backAt, full - backAt)]),
    guest('own', [whole, size('f')], 'access-paths/after-guest-write'),
    guest('flush', [close('f')]),
    host('afterwards', [whole, size('f')], 'guest-write/after-close'),
    guest('again', [openToRead('f'), whole], 'access-paths/after-guest-write'),
  ],
};

/** The guest cuts and extends with ftruncate alone, right after it wrote: what waits to be written must not undo it. */
const guestCutsDirty: Story = {
  name: 'guest-cut-unwritten',
  turns: () => [
    host('make', made),
    guest('write-and-cut', [open('f'), fill('f', 2, 0, full), truncate('f', cut), truncate('f', full - 500)]),
    host('at-once', [size('f')], 'guest-truncate/host'),
    guest('own', [whole, size('f')], 'access-paths/after-guest-write'),
    guest('flush', [close('f')]),
    host('afterwards', [whole, size('f')], 'guest-write/after-close'),
  ],
};

/** A file is cut and regrown on one side; the other one sees it as soon as the mode promises, and no old byte again. */
export default defineCheck({
  name: 'host-truncate',
  title: 'what one side cuts off does not come back on the other, also when the file grows again',
  codes: coherenceCodes,
  ...told([
    shrunkRead,
    shrunkSize('host-cut-size', size('f')),
    shrunkSize('host-cut-size-by-name', { do: 'stat', path: 'f' }),
    // What SEEK_END may answer with after a change of the size.
    shrunkSize('host-cut-seek-end', end('f'), 'host-append/seek-end'),
    regrown('host-regrows', [bytesAgain], [whole], 'host-truncate/regrow'),
    regrown('host-extends', [truncate('f', full)], [whole], 'host-truncate/regrow'),
    regrown('host-regrows-reopened', [bytesAgain], [open('f:again'), whole], 'host-truncate/regrow-reopen'),
    rotated,
    guestRotates,
    guestCuts,
    guestCutsDirty,
  ]),
});
