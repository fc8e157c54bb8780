import { defineCheck } from '../src/model/check.ts';
import {
  type Act,
  append,
  close,
  create,
  fill,
  fsync,
  load,
  map,
  mapToRead,
  msync,
  open,
  openToRead,
  page,
  read,
  store,
  unmap,
  write,
} from './coherence/acts.ts';
import { coherenceCodes, told } from './coherence/judge.ts';
import { guest, host, type Story } from './coherence/turn.ts';

/**
 * The guest writes over parts of a file that the host made, and some bytes behind its end; the host looks at
 * once, and again after the guest closed or synced. The number is the generation of the bytes:
 *
 * ```
 *  page       0    1    2    3    4    5
 *  before   |1111|1111|1111|1111|11
 *  after    |1111|2222|1311|1114|4555|5
 * ```
 */
const size = 4 * page + 2000;
const grown = 5 * page + 1000;

const made: readonly Act[] = [create('f'), fill('f', 1, 0, size)];
const whole = read('f', 0, 2 * grown);

const before = 'guest-write/before-fsync';
const after = 'guest-write/after-close';

type Way = Parameters<typeof write>[4];

function written(way: Way): readonly Act[] {
  return [
    write('f', 2, page, page, way),
    write('f', 3, 2 * page + 100, 900, way),
    write('f', 4, 4 * page - 1500, 3000, way),
    write('f', 5, size - 500, grown - size + 500, way),
  ];
}

/** write(2) in one of its forms, then whatever must bring the bytes to the host. */
function byWrite(name: string, way: Way, flushes: Act): Story {
  return {
    name,
    turns: () => [
      host('make', made),
      guest('write', [open('f'), ...written(way)]),
      host('at-once', [whole], before),
      guest('flush', [flushes]),
      host('afterwards', [whole], after),
    ],
  };
}

/** A file that the host has never seen, from its first byte. */
const created: Story = {
  name: 'created',
  turns: () => [
    guest('write', [create('f'), fill('f', 1, 0, 3 * page + 77)]),
    host('at-once', [openToRead('f'), whole], before),
    guest('flush', [close('f')]),
    host('afterwards', [whole], after),
  ],
};

/** At the end of a descriptor with O_APPEND, twice in one page, then across its end. */
const appended: Story = {
  name: 'append',
  turns: () => [
    host('make', made),
    guest('write', [
      open('f', 'append'),
      append('f', 2, size, 100),
      append('f', 3, size + 100, 900),
      append('f', 4, size + 1000, 5000),
    ]),
    host('at-once', [whole], before),
    guest('flush', [close('f')]),
    host('afterwards', [whole], after),
  ],
};

/** O_DIRECT in whole blocks: nothing may wait in the guest, in any mode. */
const direct: Story = {
  name: 'direct',
  turns: () => [
    host('make', made),
    guest('write', [open('f', 'direct'), fill('f', 2, page, page), fill('f', 3, 3 * page, 3 * page)]),
    host('at-once', [whole], 'guest-write/direct'),
  ],
};

/** The host has the pages mapped: one cache on the host, so it sees what a read sees. */
const hostMapped: Story = {
  name: 'host-mapped',
  turns: () => [
    host('make', [...made, mapToRead('f', size, 'shared'), load('f', 0, size)]),
    guest('write', [open('f'), fill('f', 2, page, page), fill('f', 3, 4 * page - 1500, 3000)]),
    host('at-once', [load('f', 0, size)], before),
    guest('flush', [fsync('f')]),
    host('afterwards', [load('f', 0, size)], after),
  ],
};

/** Stores through a shared mapping, which wait in the guest until something flushes them. */
function stored(name: string, flush: Act, scenario: string): Story {
  return {
    name,
    turns: () => [
      host('make', made),
      guest(
        'store',
        [
          open('f'),
          map('f', size),
          store('f', 2, page, page),
          store('f', 3, 2 * page + 100, 900),
          store('f', 4, 4 * page - 1500, 3000),
        ],
        'guest-map-store/before-msync',
      ),
      host('at-once', [whole], 'guest-map-store/before-msync'),
      guest('flush', [flush]),
      host('afterwards', [whole], scenario),
    ],
  };
}

/** What the guest writes, by each way of writing, the host sees as soon as the mode promises. */
export default defineCheck({
  name: 'guest-write',
  title: 'what the guest writes the host sees at once, or after close, fsync or msync, as the mode promises',
  codes: coherenceCodes,
  ...told([
    byWrite('write-fsync', {}, fsync('f')),
    byWrite('write-fdatasync', {}, { do: 'fsync', file: 'f', data: true }),
    byWrite('write-close', {}, close('f')),
    byWrite('vectored', { how: 'vectored' }, close('f')),
    byWrite('splice', { how: 'splice' }, close('f')),
    created,
    appended,
    direct,
    hostMapped,
    stored('stored-msync', msync('f'), 'guest-map-store/after-msync'),
    stored('stored-unmap', unmap('f'), 'guest-map-store/after-munmap'),
    stored('stored-close', close('f'), 'guest-map-store/after-close'),
  ]),
});
