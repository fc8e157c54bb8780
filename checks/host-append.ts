import { defineCheck } from '../src/model/check.ts';
import {
  type Act,
  append,
  close,
  create,
  end,
  evict,
  open,
  openToRead,
  page,
  read,
  size,
  tick,
} from './coherence/acts.ts';
import { coherenceCodes, told } from './coherence/judge.ts';
import { guest, host, type Story } from './coherence/turn.ts';

/**
 * The host appends to a file that the guest knows: within its last page, to the end of that page, and pages more.
 * The number is the generation of the bytes:
 *
 * ```
 *  page       0    1    2    3    4    5
 *  before   |1111|1111|11
 *  after    |1111|1111|1123|4444|4444|44
 * ```
 */
const before = 2 * page + 2000;
const after = 5 * page + 1500;

const made: readonly Act[] = [create('f', 'append'), append('f', 1, 0, before)];

const appended: readonly Act[] = [
  append('f', 2, before, 1000),
  append('f', 3, before + 1000, page - 3000),
  append('f', 4, 3 * page, after - 3 * page),
];

/** A read that asks for more than there will be. */
const whole = read('f', 0, after + page);

/** The same bytes by another way of looking, each on its own file, since one look may refresh what another sees. */
function grown(name: string, warm: readonly Act[], look: readonly Act[], by: string): Story {
  return {
    name,
    turns: () => [
      host('make', made),
      guest('warm', warm),
      host('append', [tick, ...appended]),
      guest('at-once', look, by),
    ],
    // The look itself, not the way to it: opens come before.
    whenStale: () => [guest('in-time', look.slice(-1), by, { afterTimeout: true })],
  };
}

/** A file that ends with a page, and grows by less than one. */
const aligned: Story = {
  name: 'aligned',
  turns: () => [
    host('make', [create('f', 'append'), append('f', 1, 0, 2 * page)]),
    guest('warm', [open('f'), whole]),
    host('append', [tick, append('f', 2, 2 * page, 100)]),
    guest('at-once', [read('f', 2 * page, page)], 'host-append/read'),
  ],
  whenStale: () => [
    guest('in-time', [read('f', 2 * page, page)], 'host-append/read', { afterTimeout: true }),
  ],
};

/** An empty file, which the guest found empty, gets its first bytes: `tail -f` from the beginning. */
const fromNothing: Story = {
  name: 'from-nothing',
  turns: () => [
    host('make', [create('f', 'append')]),
    guest('warm', [open('f'), whole, size('f')]),
    host('append', [tick, append('f', 1, 0, page + 77)]),
    guest('at-once', [whole], 'host-append/read'),
  ],
  whenStale: () => [guest('in-time', [whole], 'host-append/read', { afterTimeout: true })],
};

/**
 * The host copies a file in pieces while the guest asks for its size after each: what the guest learned in the
 * middle must not stay once the copy is complete.
 */
const copying: Story = {
  name: 'asked-while-growing',
  turns: () => [
    host('make', [create('f', 'append')]),
    guest('warm', [open('f'), size('f')]),
    ...[1, 2, 3].flatMap((piece) => [
      host(`piece-${piece}`, [tick, append('f', piece, (piece - 1) * 5000, 5000)]),
      guest(`asked-${piece}`, [size('f')], 'host-append/size'),
    ]),
    guest('complete', [end('f')], 'host-append/seek-end'),
    guest('read', [whole], 'host-append/read'),
  ],
  whenStale: () => [
    guest('in-time', [size('f')], 'host-append/size', { afterTimeout: true }),
    guest('read-in-time', [whole], 'host-append/read'),
  ],
};

/**
 * Once the guest has said the new size, its bytes are there too: no read gives zeros for the part of the old last
 * page that was behind the end of the file.
 */
const tail: Story = {
  name: 'size-then-bytes',
  turns: () => [
    host('make', made),
    guest('warm', [open('f'), whole]),
    host('append', [tick, ...appended]),
    // By force: from here on the guest knows the size, in every mode that does not keep its own.
    guest('size', [{ do: 'fstat', file: 'f', sync: 'force' }], 'host-append/size'),
    guest('bytes', [whole], 'host-append/read'),
  ],
  whenStale: () => [
    guest('in-time', [size('f')], 'host-append/size', { afterTimeout: true }),
    guest('bytes-in-time', [whole], 'host-append/read'),
    guest('evicted', [evict('f'), whole], 'host-append/read'),
  ],
};

/** What the host appends; the guest looks for it by size and by bytes. */
export default defineCheck({
  name: 'host-append',
  title: 'what the host appends the guest sees, by its size and its bytes, as soon as the mode promises',
  codes: coherenceCodes,
  ...told([
    grown('read', [open('f'), whole], [whole], 'host-append/read'),
    grown('size', [open('f'), size('f')], [size('f')], 'host-append/size'),
    grown('seek-end', [open('f'), size('f')], [end('f')], 'host-append/seek-end'),
    grown(
      'reopened-size',
      [open('f'), whole, close('f')],
      [open('f'), { do: 'stat', path: 'f' }],
      'host-append/size',
    ),
    grown('reopened-read', [open('f'), whole, close('f')], [open('f'), whole], 'host-append/reopen'),
    grown(
      'direct',
      [open('f'), whole, openToRead('f:direct', 'direct')],
      [read('f:direct', 0, after + page)],
      'host-append/direct-read',
    ),
    grown(
      'at-position',
      [open('f'), { do: 'read', file: 'f', length: before }],
      [{ do: 'read', file: 'f', length: after }],
      'host-append/read',
    ),
    aligned,
    fromNothing,
    copying,
    tail,
  ]),
});
