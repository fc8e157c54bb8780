import { defineCheck } from '../src/model/check.ts';
import {
  type Act,
  append,
  close,
  create,
  fill,
  fsync,
  map,
  msync,
  open,
  openToRead,
  page,
  read,
  size,
  store,
  write,
} from './coherence/acts.ts';
import { coherenceCodes, told } from './coherence/judge.ts';
import { guest, host, type Story } from './coherence/turn.ts';

/**
 * Writes of less than a page. A cache thinks in pages, a file does not: neither its size nor the bytes around
 * may show that a page was sent.
 */
const atOnce = 'small-writes/at-once';
const afterClose = 'small-writes/after-close';

/** What the host sees: the size by stat, then the bytes, asked for far behind the end. */
const look: readonly Act[] = [size('f'), read('f', 0, 4 * page)];

/** The guest makes the file, and it is as long as what was written. */
function alone(name: string, length: number): Story {
  return {
    name,
    turns: () => [
      guest('write', [create('f'), fill('f', 1, 0, length)]),
      host('at-once', [openToRead('f'), ...look], atOnce),
      guest('flush', [close('f')]),
      host('afterwards', look, afterClose),
    ],
  };
}

/**
 * Bytes here and there in a file of the host's that ends inside a page:
 *
 * ```
 *  page       0              1              2
 *  before   |11111111111111|11111111111111|1111
 *  after    |21111111113311|44511111111667|7118
 * ```
 */
const scattered: Story = {
  name: 'scattered',
  turns: () => [
    host('make', [create('f'), fill('f', 1, 0, 2 * page + 1500)]),
    guest('write', [
      open('f'),
      fill('f', 2, 0, 1),
      fill('f', 3, page - 700, 200),
      fill('f', 4, page, 511),
      fill('f', 5, page + 511, 2),
      fill('f', 6, 2 * page - 512, 512),
      fill('f', 7, 2 * page - 3, 6),
      fill('f', 8, 2 * page + 1499, 1),
    ]),
    host('at-once', look, atOnce),
    guest('flush', [close('f')]),
    host('afterwards', look, afterClose),
  ],
};

/** The file becomes longer a few bytes at a time, at its end and by leaving zeros between. */
const growing: Story = {
  name: 'growing',
  turns: () => [
    host('make', [create('f'), fill('f', 1, 0, 100)]),
    guest('write', [
      open('f', 'append'),
      append('f', 2, 100, 1),
      append('f', 3, 101, 411),
      append('f', 4, 512, page - 513),
      append('f', 5, page - 1, 2),
    ]),
    host('at-once', look, atOnce),
    guest('gap', [open('f:gap'), write('f:gap', 6, page + 900, 100)]),
    host('at-once-again', look, atOnce),
    guest('flush', [close('f')]),
    host('afterwards', look, afterClose),
  ],
};

/** Cut to an odd length and written at the new end. */
const cut: Story = {
  name: 'cut',
  turns: () => [
    host('make', [create('f'), fill('f', 1, 0, 2 * page)]),
    guest('write', [
      open('f'),
      { do: 'ftruncate', file: 'f', length: page + 77 },
      fill('f', 2, page + 77, 3),
      { do: 'ftruncate', file: 'f', length: page + 79 },
    ]),
    host('at-once', look, atOnce),
    guest('flush', [close('f')]),
    host('afterwards', look, afterClose),
  ],
};

/** O_DSYNC: each write has been sent when it returns, in every mode. */
const synced: Story = {
  name: 'dsync',
  turns: () => [
    host('make', [create('f'), fill('f', 1, 0, page + 50)]),
    guest('write', [open('f', 'dsync'), fill('f', 2, 10, 20), fill('f', 3, page + 40, 33)]),
    host('at-once', look, 'guest-write/after-fsync'),
    guest('flush', [fsync('f')]),
    host('afterwards', look, 'guest-write/after-fsync'),
  ],
};

/** A byte stored into the last page of a mapping does not make the file longer. */
const storedByte: Story = {
  name: 'stored-byte',
  turns: () => [
    host('make', [create('f'), fill('f', 1, 0, page + 10)]),
    guest(
      'store',
      [open('f'), map('f', page + 10), store('f', 2, 5, 1), store('f', 3, page + 9, 1)],
      'guest-map-store/before-msync',
    ),
    host('at-once', look, 'guest-map-store/before-msync'),
    guest('flush', [msync('f')]),
    host('afterwards', look, 'guest-map-store/after-msync'),
  ],
};

/** Bytes and sizes of writes that are smaller than a page, as the host sees them. */
export default defineCheck({
  name: 'small-writes',
  title: 'a write of less than a page is that many bytes on the host, and the file is as long as it was made',
  codes: coherenceCodes,
  ...told([
    alone('one-byte', 1),
    alone('a-sector-less-one', 511),
    alone('a-page-less-one', page - 1),
    alone('a-page-and-one', page + 1),
    scattered,
    growing,
    cut,
    synced,
    storedByte,
  ]),
});
