import { defineCheck, type Setting } from '../src/model/check.ts';
import { hasWindow } from '../src/model/mode.ts';
import {
  type Act,
  append,
  close,
  create,
  fill,
  load,
  map,
  mapToRead,
  open,
  openToRead,
  page,
  read,
  size,
  store,
  tick,
  truncate,
  unmap,
} from './coherence/acts.ts';
import { coherenceCodes, told } from './coherence/judge.ts';
import { guest, host, type Story, turn } from './coherence/turn.ts';
import { groundCodes, inWindow } from './dax/ground.ts';

/**
 * Whole pages, so that every server can map them; a server that maps nothing smaller than 2 MiB maps them too.
 *
 * ```
 *  page       0    1    2    3    4
 *  before   |1111|1111|1111|1111|1111|
 *  after    |1111|2222|1113|3111|4444|
 * ```
 */
const full = 5 * page;
const made: readonly Act[] = [create('f'), fill('f', 1, 0, full)];
const whole = read('f', 0, full);
const loaded = load('f', 0, full);
/** Opened, and asked at once whether it is in DAX state; this asks no daemon. */
const opened: readonly Act[] = [open('f'), size('f', 'dont')];
const mapped: readonly Act[] = [...opened, map('f', full)];
const places = [
  [2, page, page],
  [3, 3 * page - 500, 1000],
  [4, 4 * page, page],
] as const;
const stores = places.map(([generation, at, length]) => store('f', generation, at, length));
const writes = places.map(([generation, at, length]) => fill('f', generation, at, length));

const seenInGuest = 'dax/seen-in-guest';
const seenOnHost = 'dax/seen-on-host';

/** Nobody syncs anything: a store is where the other side looks. */
function hostTo(name: string, acts: readonly Act[]): Story {
  return {
    name,
    turns: () => [
      host('make', [...made, map('f', full)]),
      guest('warm', [...mapped, loaded, whole]),
      host('change', acts),
      guest('loads', [loaded], seenInGuest),
      guest('reads', [whole], seenInGuest),
    ],
  };
}

function guestTo(name: string, acts: readonly Act[]): Story {
  return {
    name,
    turns: () => [
      host('make', [...made, map('f', full), loaded]),
      guest('change', [...mapped, loaded, ...acts]),
      host('loads', [loaded], seenOnHost),
      host('reads', [whole], seenOnHost),
    ],
  };
}

/** A mapping of the guest's own, private and not yet written to, shows the same pages. */
const privateMapping: Story = {
  name: 'private-mapping',
  turns: () => [
    host('make', [...made, map('f', full)]),
    guest('warm', [openToRead('f'), size('f', 'dont'), mapToRead('f', full), loaded]),
    host('change', stores),
    guest('loads', [loaded], seenInGuest),
  ],
};

/** Both store in turn into one page, each beside the other's bytes: none is lost, none is late. */
const byTurns: Story = {
  name: 'by-turns',
  turns: () => [
    host('make', [...made, map('f', full)]),
    guest('map', [...mapped, loaded]),
    ...[0, 1, 2].flatMap((round) => [
      host(`host-${round}`, [store('f', 2 + 2 * round, page + 700 * round, 300)]),
      guest(
        `guest-${round}`,
        [loaded, store('f', 3 + 2 * round, page + 700 * round + 350, 300)],
        seenInGuest,
      ),
      host(`host-looks-${round}`, [loaded], seenOnHost),
    ]),
  ],
};

/** The file grows by whole pages: the new ones are mapped as the old ones are. */
const guestGrows: Story = {
  name: 'guest-grows',
  turns: () => [
    host('make', made),
    guest('grow', [...mapped, loaded, truncate('f', full + 2 * page), fill('f', 2, full, page)]),
    host('sees', [read('f', 0, full + 3 * page), size('f')], seenOnHost),
    guest('store', [unmap('f'), map('f', full + 2 * page), store('f', 3, full + page - 200, 400)]),
    host('sees-more', [read('f', 0, full + 3 * page)], seenOnHost),
  ],
};

const hostGrows: Story = {
  name: 'host-grows',
  turns: () => [
    host('make', made),
    guest('warm', [...mapped, loaded]),
    host('grow', [tick, fill('f', 2, full, 2 * page)]),
    // Until the guest has asked for the size, the old one counts.
    guest('reads', [read('f', 0, full + 3 * page)], 'host-append/read'),
    guest('asks', [size('f', 'force')], 'host-append/size'),
    guest('reads-on', [read('f', 0, full + 3 * page)], seenInGuest),
    guest('loads', [unmap('f'), map('f', full + 2 * page), load('f', 0, full + 2 * page)], seenInGuest),
  ],
};

const range = 2 * 1024 * 1024;

/** At the end of a file, behind it, and nothing at all: each read ends, and with what there is. */
const atTheEnd: Story = {
  name: 'at-the-end',
  actors: { host: 'host', guest: 'guest', witness: 'guest' },
  mustEnd: {
    turn: 'ends',
    witness: turn('witness', 'meanwhile', [openToRead('other'), read('other', 0, page)]),
  },
  turns: () => {
    const end = range + 3 * page;
    return [
      host('make', [
        create('f'),
        fill('f', 1, 0, page),
        fill('f', 1, range, 3 * page),
        create('other'),
        fill('other', 1, 0, page),
      ]),
      guest('begins', [...opened, read('f', 0, page)], seenInGuest),
      guest(
        'ends',
        [
          read('f', end - 100, page),
          read('f', end, page),
          read('f', end, 1),
          read('f', end + range, page),
          read('f', end - 1, 1, { how: 'vectored' }),
          read('f', end - page, 2 * page, { how: 'splice' }),
          map('f', end),
          load('f', end - page, page),
        ],
        seenInGuest,
      ),
    ];
  },
};

/**
 * Lengths of all kinds. A server that cannot map a part of a page leaves such a file, and one without bytes, to
 * FUSE_READ: either way what is read is what is there, and what is appended arrives.
 */
const lengths = [0, 1, page - 1, page + 1, range - 1, range + 77] as const;
const names = lengths.map((length, index) => ({ length, file: `part-${index}` }));
const oddLengths: Story = {
  name: 'odd-lengths',
  turns: () => [
    host('make', [
      ...made,
      ...names.flatMap(({ file, length }) => [create(file), ...tailOf(file, 1, length)]),
    ]),
    guest('anchor', [...opened, whole], 'host-write/first-read'),
    guest(
      'reads',
      names.flatMap(({ file, length }) => [
        open(file),
        size(file, 'dont'),
        read(file, 0, page),
        read(file, Math.max(0, length - page), 2 * page),
      ]),
      'host-write/first-read',
    ),
    guest(
      'appends',
      names.flatMap(({ file, length }) => [
        open(`${file}:end`, 'append'),
        append(`${file}:end`, 2, length, 10),
        close(`${file}:end`),
        read(file, Math.max(0, length - page), 2 * page),
      ]),
      'access-paths/after-guest-write',
    ),
    host(
      'sees',
      names.flatMap(({ file, length }) => [read(file, Math.max(0, length - page), 2 * page), size(file)]),
      'guest-write/after-close',
    ),
  ],
};

/** The first page and the last bytes: the middle of a large file is a hole. */
function tailOf(file: string, generation: number, length: number): readonly Act[] {
  if (length === 0) return [];
  const head = Math.min(length, page);
  const from = Math.max(head, length - page);
  return [
    fill(file, generation, 0, head),
    ...(from < length ? [fill(file, generation, from, length - from)] : []),
  ];
}

const stories: readonly Story[] = [
  hostTo('host-stores', stores),
  hostTo('host-writes', writes),
  guestTo('guest-stores', stores),
  guestTo('guest-writes', writes),
  privateMapping,
  byTurns,
  guestGrows,
  hostGrows,
  atTheEnd,
  oddLengths,
].map((story) => ({ ...story, applies: ({ mode }: Setting) => hasWindow(mode) }));

const stated = told(stories);

/** Loads and stores of both sides meet in the host's own pages: at once, and without msync. */
export default defineCheck({
  name: 'dax-coherence',
  title:
    'through a DAX window both sides see one memory: stores at once, ends of files, and files that cannot be mapped',
  codes: { ...coherenceCodes, ...groundCodes },
  cases: stated.cases,
  ...inWindow(stated),
});
