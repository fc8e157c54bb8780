import { defineCheck } from '../src/model/check.ts';
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
} from './coherence/acts.ts';
import { coherenceCodes, told } from './coherence/judge.ts';
import { guest, host, type Story, type Turn, turn } from './coherence/turn.ts';

/**
 * A writer and a reader, each by a shared mapping, by read and write, or by O_DIRECT: two processes of one guest,
 * or one of them on the host. Whole pages where O_DIRECT has to do with it, and some bytes across two.
 *
 * ```
 *  page       0    1    2    3    4
 *  before   |1111|1111|1111|1111|1111|
 *  after    |1111|2222|1113|3111|4444|
 * ```
 */
const size = 5 * page;
const made: readonly Act[] = [create('f'), fill('f', 1, 0, size)];
const parts = [
  [2, page, page],
  [3, 3 * page - 500, 1000],
  [4, 4 * page, page],
] as const;
const filled: readonly Act[] = parts.map(([generation, at, length]) => fill('f', generation, at, length));
const stored: readonly Act[] = parts.map(([generation, at, length]) => store('f', generation, at, length));
const filledDirect: readonly Act[] = [fill('f', 2, page, page), fill('f', 4, 4 * page, page)];

type How = 'mapped' | 'buffered' | 'direct';

/** How a reader begins, and how it looks again. */
const readers: Readonly<Record<How, { readonly opens: readonly Act[]; readonly look: Act }>> = {
  mapped: {
    opens: [open('f'), map('f', size), load('f', 0, size)],
    look: load('f', 0, size),
  },
  buffered: { opens: [openToRead('f'), read('f', 0, size)], look: read('f', 0, size) },
  direct: { opens: [openToRead('f', 'direct'), read('f', 0, size)], look: read('f', 0, size) },
};

const writers: Readonly<Record<How, { readonly opens: readonly Act[]; readonly acts: readonly Act[] }>> = {
  mapped: { opens: [open('f'), map('f', size)], acts: stored },
  buffered: { opens: [open('f')], acts: filled },
  direct: { opens: [open('f', 'direct')], acts: filledDirect },
};

/** Two processes of one guest, on one cache: what the one did the other sees at once. */
function inOneGuest(writer: How, reader: How, by: string): Story {
  const { opens, look } = readers[reader];
  const { opens: first, acts } = writers[writer];
  // Where a shared mapping is refused, whichever of the two asks for it is told so.
  const refused = (how: How) => (how === 'mapped' ? by : undefined);
  return {
    name: `guest-${writer}-guest-${reader}`,
    actors: { host: 'host', guest: 'guest', reader: 'guest' },
    turns: () => [
      host('make', made),
      turn('reader', 'warm', opens, refused(reader)),
      guest('write', [...first, ...acts], refused(writer)),
      turn('reader', 'at-once', [look], by, { ownToo: true }),
    ],
  };
}

/** The guest stores; the host looks by each way, before and after msync. */
function guestStores(reader: How): Story {
  const { opens, look } = readers[reader];
  const before = 'guest-map-store/before-msync';
  return {
    name: `guest-mapped-host-${reader}`,
    actors: { host: 'host', guest: 'guest', reader: 'host' },
    turns: () => [
      host('make', made),
      turn('reader', 'warm', opens),
      guest('store', [...writers.mapped.opens, ...stored], before),
      turn('reader', 'at-once', [look], before),
      guest('msync', [msync('f')]),
      turn('reader', 'afterwards', [look], 'guest-map-store/after-msync'),
    ],
  };
}

/** The host stores; the guest looks by each way: its own mapping is a private one, which every mode permits. */
function hostStores(reader: How): Story {
  const by = {
    mapped: 'host-write/mapped',
    buffered: 'host-map-store/kept-descriptor',
    direct: 'host-write/direct-read',
  }[reader];
  const { opens, look } =
    reader === 'mapped'
      ? { opens: [openToRead('f'), mapToRead('f', size), load('f', 0, size)], look: load('f', 0, size) }
      : readers[reader];
  const untilFresh: readonly Turn[] = [
    guest('opened-again', [openToRead('f:again'), look], by),
    ...(reader === 'buffered' ? [guest('evicted', [evict('f'), look], by)] : []),
  ];
  return {
    name: `host-mapped-guest-${reader}`,
    turns: () => [
      host('make', [...made, map('f', size)]),
      guest('warm', opens),
      host('store', [tick, ...stored]),
      guest('at-once', [look], by),
    ],
    ...(reader === 'direct' ? {} : { whenStale: () => untilFresh }),
  };
}

/** Every pairing of a way to read and a way to write of which one is a shared mapping. */
export default defineCheck({
  name: 'shared-mapping',
  title: 'what is stored through a mapping, or seen through one, is what read, write and O_DIRECT see and do',
  codes: coherenceCodes,
  ...told([
    inOneGuest('mapped', 'mapped', 'shared-mapping/store-then-load'),
    inOneGuest('mapped', 'buffered', 'shared-mapping/store-then-read'),
    inOneGuest('mapped', 'direct', 'shared-mapping/store-then-direct-read'),
    inOneGuest('buffered', 'mapped', 'shared-mapping/write-then-load'),
    inOneGuest('direct', 'mapped', 'shared-mapping/direct-write-then-load'),
    guestStores('mapped'),
    guestStores('buffered'),
    guestStores('direct'),
    hostStores('mapped'),
    hostStores('buffered'),
    hostStores('direct'),
  ]),
});
