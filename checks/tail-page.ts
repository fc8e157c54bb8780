import { defineCheck } from '../src/model/check.ts';
import {
  type Act,
  append,
  close,
  create,
  fill,
  load,
  map,
  msync,
  open,
  page,
  read,
  size,
  store,
  tick,
  truncate,
} from './coherence/acts.ts';
import { coherenceCodes, told } from './coherence/judge.ts';
import { guest, host, type Story } from './coherence/turn.ts';

/**
 * The last page of a file is cached whole and stored in part; whatever moves it must leave the file's end where it
 * is, and what lies behind the end reads as zeros, or as nothing.
 *
 * ```
 *  page       0    1 (tail)
 *  file     |1111|11
 *  cached   |1111|11..|   the dots are nobody's bytes
 * ```
 */
const length = page + 1000;
const made: readonly Act[] = [create('f'), fill('f', 1, 0, length)];
const whole = read('f', 0, 3 * page);
const looks: readonly Act[] = [whole, size('f')];

/** A few bytes at the end, over the end, and in steps of less than a cell. */
const written: Story = {
  name: 'guest-writes',
  turns: () => [
    host('make', made),
    guest('write', [
      open('f'),
      fill('f', 2, length - 10, 10),
      fill('f', 3, length - 5, 10),
      fill('f', 4, length + 5, 1),
      fill('f', 5, length + 6, 2000),
    ]),
    guest('own', looks, 'access-paths/after-guest-write'),
    guest('flush', [close('f')]),
    host('afterwards', looks, 'tail-page/guest'),
  ],
};

/** Cut within the page, and extended again: what was behind the cut must be gone on both sides. */
const cutAndExtended: Story = {
  name: 'guest-cuts-and-extends',
  turns: () => [
    host('make', made),
    guest('cut', [open('f'), whole, truncate('f', length - 500), truncate('f', length + 300)]),
    guest('own', looks, 'access-paths/after-guest-write'),
    guest('flush', [close('f')]),
    host('afterwards', looks, 'tail-page/guest'),
  ],
};

/** Stores in the last page, flushed by msync: the file must not grow to the end of the page. */
function stored(name: string, flags: readonly 'append'[]): Story {
  return {
    name,
    turns: () => [
      host('make', made),
      guest(
        'store',
        [open('f', ...flags), map('f', length), store('f', 2, page + 100, 500), msync('f')],
        'guest-map-store/after-msync',
      ),
      host('afterwards', looks, 'guest-map-store/after-msync'),
      guest('own', looks, 'access-paths/after-guest-write'),
    ],
  };
}

/** Stores behind the end: nobody's bytes. When the file grows over them it grows with zeros. */
const storedBehind: Story = {
  name: 'guest-stores-behind-the-end',
  turns: () => [
    host('make', made),
    guest(
      'store',
      [open('f'), map('f', 2 * page), store('f', 2, length - 100, 300), msync('f')],
      'tail-page/store-past-eof',
    ),
    host('afterwards', looks, 'tail-page/store-past-eof'),
    guest('extend', [truncate('f', length + 1000)]),
    host('extended', looks, 'tail-page/store-past-eof'),
    guest('own', looks, 'tail-page/store-past-eof'),
  ],
};

/** The host grows the file within the page that the guest has cached: no zeros in place of the new bytes. */
const hostGrows: Story = {
  name: 'host-grows',
  turns: () => [
    host('make', made),
    guest('warm', [open('f'), whole]),
    host('append', [tick, fill('f', 2, length, 700)]),
    guest('at-once', [whole], 'host-append/read'),
    // The size first, by force, so that the bytes are asked for beyond the old end.
    guest('size', [{ do: 'fstat', file: 'f', sync: 'force' }], 'host-append/size'),
    guest('bytes', [whole], 'host-append/read'),
  ],
  whenStale: () => [guest('in-time', [whole], 'host-append/read', { afterTimeout: true })],
};

/**
 * Both sides append by turns in one page, each with O_APPEND: each begins where the other ended.
 *
 * ```
 *  |1111|11gghhgghh
 * ```
 */
const byTurns: Story = {
  name: 'appends-by-turns',
  // Where the guest owns the size it chooses the place, and the host's bytes may be lost: see concurrent-append.
  applies: ({ mode }) => mode?.server !== '9p' && mode?.flags.includes('writeback') !== true,
  turns: () => [
    host('make', [create('f', 'append'), append('f', 1, 0, length)]),
    guest('first', [open('f', 'append'), append('f', 2, length, 200), { do: 'fsync', file: 'f' }]),
    host('second', [tick, append('f', 3, length + 200, 200)]),
    guest('third', [append('f', 4, length + 400, 200), { do: 'fsync', file: 'f' }]),
    host('afterwards', looks, 'concurrent-append'),
  ],
};

/** A mapping of the tail, loaded to its page's end. */
const mappedTail: Story = {
  name: 'behind-the-end',
  turns: () => [
    host('make', made),
    guest('map', [
      open('f'),
      { do: 'map', file: 'f', as: 'f', offset: 0, length: 2 * page, protection: 'read', share: 'private' },
    ]),
    guest('loads', [load('f', page, page)], 'host-write/tail-zeros'),
    guest('reads', [whole], 'host-write/tail-zeros'),
  ],
};

/** The last page of a file, which is cached whole and stored in part. */
export default defineCheck({
  name: 'tail-page',
  title: 'the last page of a file keeps its end and its bytes, whatever writes, maps, cuts or extends it',
  codes: coherenceCodes,
  ...told([
    written,
    cutAndExtended,
    stored('guest-stores', []),
    stored('guest-stores-appending', ['append']),
    storedBehind,
    hostGrows,
    byTurns,
    mappedTail,
  ]),
});
