import { defineCheck } from '../src/model/check.ts';
import type { ReadHow } from '../src/model/operation.ts';
import {
  type Act,
  create,
  evict,
  fill,
  load,
  map,
  mapToRead,
  msync,
  open,
  openToRead,
  page,
  read,
  store,
  tick,
  write,
} from './coherence/acts.ts';
import { coherenceCodes, told } from './coherence/judge.ts';
import { guest, host, type Story } from './coherence/turn.ts';

/**
 * One file in one guest, read by each way there is. A file system has code of its own for most of them, and a
 * server whose files are read by sendfile must not serve what `cat` no longer shows.
 *
 * ```
 *  page       0    1    2    3
 *  before   |1111|1111|1111|11
 *  after    |1222|2111|1133|33
 * ```
 */
const size = 3 * page + 2000;
const made: readonly Act[] = [create('f'), fill('f', 1, 0, size)];
const changed: readonly Act[] = [
  fill('f', 2, 1000, page),
  fill('f', 3, 2 * page + 2000, size - 2 * page - 2000),
];

const ways: readonly ReadHow[] = ['read', 'vectored', 'sendfile', 'splice', 'mmap', 'copy-file-range'];

/** Of the whole file, and of some bytes across a page; copy_file_range by way of another file. */
function byWay(how: ReadHow): readonly Act[] {
  const through = how === 'copy-file-range' ? { through: 'copy' } : {};
  return [read('f', 0, size + page, { how, ...through }), read('f', page - 500, 1000, { how, ...through })];
}

const everyWay = ways.flatMap(byWay);
const other = create('copy');

/** At the end of the file and for no bytes at all: an answer, and no waiting. */
const ofNothing: readonly Act[] = (['read', 'vectored', 'sendfile', 'splice'] as const).flatMap((how) => [
  read('f', size, page, { how }),
  read('f', size + page, page, { how }),
  read('f', 100, 0, { how }),
]);

/** Nobody has read it before: each way comes first once, and read(2) agrees with it. */
function first(how: ReadHow): Story {
  return {
    name: `first-${how}`,
    turns: () => [
      host('make', made),
      guest('reads', [open('f'), other, ...byWay(how), ...byWay('read')], 'access-paths/agree'),
    ],
  };
}

/** A read of nothing ends at once. */
const atTheEnd: Story = {
  name: 'of-nothing',
  turns: () => [
    host('make', made),
    guest('reads', [open('f'), ...ofNothing, ...byWay('read'), ...ofNothing], 'access-paths/agree'),
  ],
};

/** The guest has it in its cache and writes over parts of it: each way sees it at once. */
const afterWrite: Story = {
  name: 'after-own-write',
  turns: () => [
    host('make', made),
    guest('warm', [open('f'), other, ...everyWay]),
    guest('write', changed),
    guest('reads', everyWay, 'access-paths/after-guest-write'),
  ],
};

/** The same through a descriptor of its own, and written by each way of writing. */
const afterOtherWrites: Story = {
  name: 'after-other-writes',
  turns: () => [
    host('make', made),
    guest('warm', [open('f'), other, ...everyWay, open('f:writer'), create('source')]),
    guest('write', [
      write('f:writer', 2, 1000, page, { how: 'vectored' }),
      write('f:writer', 3, 2 * page + 2000, 1000, { how: 'splice' }),
      write('f:writer', 4, size - 200, 1200, { how: 'copy-file-range', through: 'source' }),
    ]),
    guest('reads', everyWay, 'access-paths/after-guest-write'),
  ],
};

/** The guest stores through a mapping that it keeps; the others see the page that it dirtied. */
const afterStore: Story = {
  name: 'after-own-store',
  turns: () => [
    host('make', made),
    guest(
      'store',
      [open('f'), other, map('f', size), store('f', 2, 1000, page), store('f', 3, 2 * page + 2000, 1500)],
      'shared-mapping/store-then-read',
    ),
    guest('reads', everyWay, 'shared-mapping/store-then-read'),
    guest('synced', [msync('f'), ...everyWay], 'shared-mapping/store-then-read'),
  ],
};

/** Loads through a mapping that was there before the write. */
const keptMapping: Story = {
  name: 'kept-mapping',
  turns: () => [
    host('make', made),
    guest('warm', [open('f'), mapToRead('f', size), load('f', 0, size)]),
    guest('write', changed),
    guest('loads', [load('f', 0, size)], 'access-paths/mapping-after-guest-write', { ownToo: true }),
  ],
  whenStale: () => [
    guest(
      'evicted',
      [{ do: 'unmap', map: 'f' }, evict('f'), mapToRead('f', size), load('f', 0, size)],
      'access-paths/mapping-after-guest-write',
      {
        ownToo: true,
      },
    ),
  ],
};

/** The host overwrites it, and the guest reads by one way through the descriptor that it kept. */
function afterHostWrite(how: ReadHow): Story {
  return {
    name: `host-write-${how}`,
    turns: () => [
      host('make', made),
      guest('warm', [open('f'), other, ...byWay(how)]),
      host('rewrite', [tick, ...changed]),
      guest('at-once', byWay(how), 'host-write/kept-descriptor'),
    ],
    whenStale: () => [
      guest('in-time', byWay(how), 'host-write/kept-descriptor', { afterTimeout: true }),
      guest('opened-again', [openToRead('f:again'), ...byWay(how)], 'host-write/kept-descriptor'),
      guest('evicted', [evict('f'), ...byWay(how)], 'host-write/kept-descriptor'),
    ],
  };
}

/** Every way to a file's bytes gives the same bytes. */
export default defineCheck({
  name: 'access-paths',
  title: 'read, readv, mmap, sendfile, splice and copy_file_range give the same bytes in one guest',
  codes: coherenceCodes,
  ...told([
    ...ways.map(first),
    atTheEnd,
    afterWrite,
    afterOtherWrites,
    afterStore,
    keptMapping,
    ...(['sendfile', 'splice', 'copy-file-range'] as const).map(afterHostWrite),
  ]),
});
