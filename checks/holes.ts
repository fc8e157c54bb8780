import { defineCheck, type Observed } from '../src/model/check.ts';
import type { ManyResult, PageState } from '../src/model/operation.ts';
import {
  type Act,
  close,
  create,
  evict,
  fill,
  fsync,
  open,
  page,
  punch,
  read,
  seek,
  tick,
  truncate,
  zero,
} from './coherence/acts.ts';
import { coherenceCodes, told } from './coherence/judge.ts';
import { guest, host, type Story } from './coherence/turn.ts';
import { traitsOf } from './mode/traits.ts';

/**
 * Holes: a range that is punched or zeroed reads as zeros on both sides, and the map of holes (SEEK_DATA,
 * SEEK_HOLE) never takes data for a hole, since `cp` and `tar` copy by it. The number is the generation, `.` a
 * hole:
 *
 * ```
 *  page       0    1    2    3    4    5    6    7
 *  sparse   |1111|....|....|....|1111|1111|....|11
 *  punched  |1111|....|1.11|....|....|1111|1111|11
 * ```
 */
const size = 7 * page + 2000;
const whole = read('f', 0, size);

const sparse: readonly Act[] = [
  fill('f', 1, 0, page),
  fill('f', 1, 4 * page, 2 * page),
  fill('f', 1, 7 * page, 2000),
];

/**
 * The map, from each place where it could be wrong: no data is passed over, no hole begins in data. ENXIO, where
 * there is nothing more, is an answer.
 */
const mapped: readonly Act[] = [0, 1, 4, 5, 7].flatMap((at) => [
  seek('f', 'data', at * page),
  seek('f', 'hole', at * page),
]);
const seeks = { mayRefuse: ['ENXIO'] } as const;

/** A whole page, some bytes inside one, and two pages by one call. */
const punched: readonly Act[] = [
  punch('f', page, page),
  punch('f', 2 * page + 1000, 700),
  punch('f', 3 * page, 2 * page),
];
const zeroed: readonly Act[] = [
  zero('f', page, page),
  zero('f', 2 * page + 1000, 700),
  zero('f', 4 * page, 2 * page),
  zero('f', size - 100, 100),
];

/**
 * What waits to be written back does not wait for long where others write to the same share: so a page is asked
 * about right after it was written, in one file after the other, each time with the count of dirty pages before.
 */
const tries = ['try1', 'try2', 'try3', 'try4', 'try5', 'try6', 'try7', 'try8'];
const dirtyTries: readonly Act[] = tries.flatMap((file) => [
  create(file),
  truncate(file, 2 * page),
  fill(file, 1, 0, page),
  { do: 'pages', file },
  seek(file, 'data', 0),
]);

/** Whether pages were dirty when the guest was asked about them in any of the tries; undefined: nobody can tell. */
function wasDirty(observed: Observed): boolean | undefined {
  const values = observed.value<ManyResult>('try-dirty')?.values ?? [];
  const states = values.filter((each) => (each as Partial<PageState> | null)?.by !== undefined);
  if (states.some((each) => (each as PageState).by !== 'cachestat')) return undefined;
  return states.some((each) => ((each as PageState).dirty ?? 0) > 0);
}

/** Whether what the guest writes waits in its cache: not where files are opened with DIRECT_IO, whatever else is said. */
function keepsWrites({ setting: { mode } }: Observed): boolean {
  return mode?.flags.includes('writeback') === true && traitsOf(mode)?.data !== 'not at all';
}

/** The guest makes a sparse file; each side's map agrees with its content, before and after it is written back. */
const guestSparse: Story = {
  name: 'guest-sparse',
  turns: () => [
    guest('try-dirty', dirtyTries, 'holes/seek-dirty', seeks),
    guest(
      'make-and-map',
      [create('f'), truncate('f', size), ...sparse, ...mapped, whole],
      'holes/seek-dirty',
      seeks,
    ),
    guest('flush', [fsync('f')]),
    guest('own-map-clean', mapped, 'holes/seek', seeks),
    host('on-host', [open('f'), whole], 'guest-write/after-fsync'),
    host('map-on-host', mapped, 'holes/seek', seeks),
  ],
  doubt: (observed) =>
    keepsWrites(observed) && wasDirty(observed) === false
      ? `no page was still waiting to be written back when it was asked about, in ${tries.length} tries`
      : undefined,
};

/** The host makes it; the guest, which never saw it, reads it and its map. */
const hostSparse: Story = {
  name: 'host-sparse',
  turns: () => [
    host('make', [create('f'), truncate('f', size), ...sparse]),
    guest('bytes', [open('f'), whole], 'host-write/first-read'),
    guest('map', mapped, 'holes/seek', seeks),
  ],
};

/** The guest has it all in its cache and punches, or zeroes: both sides read zeros there at once. */
function guestDigs(name: string, digs: readonly Act[]): Story {
  return {
    name,
    turns: () => [
      host('make', [create('f'), fill('f', 1, 0, size)]),
      guest('warm', [open('f'), whole]),
      guest('dig', digs, 'holes/guest-punch'),
      guest('own', [whole], 'holes/guest-punch'),
      guest('own-map', mapped, 'holes/seek', seeks),
      host('on-host', [whole], 'holes/guest-punch'),
      host('map-on-host', mapped, 'holes/seek', seeks),
    ],
  };
}

/** Punched right after it was written: what waits to be written back must not fill the hole again. */
const guestDigsUnwritten: Story = {
  name: 'guest-punches-unwritten',
  turns: () => [
    host('make', [create('f'), fill('f', 1, 0, size)]),
    guest('write-and-punch', [open('f'), fill('f', 2, 0, size), ...punched], 'holes/guest-punch'),
    guest('own', [whole], 'holes/guest-punch'),
    guest('flush', [close('f')]),
    host('afterwards', [whole], 'guest-write/after-close'),
    host('map-on-host', mapped, 'holes/seek', seeks),
  ],
};

/** Room beyond the end, with the size and without it: zeros where it counts, nothing where it does not. */
const allocated: Story = {
  name: 'guest-allocates',
  turns: () => [
    host('make', [create('f'), fill('f', 1, 0, 2 * page + 100)]),
    guest(
      'allocate',
      [
        open('f'),
        { do: 'fallocate', file: 'f', offset: 2 * page, length: 4 * page, flags: ['keep-size'] },
        { do: 'fallocate', file: 'f', offset: 2 * page, length: 2 * page },
      ],
      'holes/guest-punch',
    ),
    guest('own', [whole], 'holes/guest-punch'),
    host('on-host', [whole, { do: 'fstat', file: 'f' }], 'holes/guest-punch'),
    host('map-on-host', [seek('f', 'data', 0), seek('f', 'hole', 0)], 'holes/seek', seeks),
  ],
};

/** The host punches what the guest has in its cache: an overwrite with zeros, the same size. */
function hostDigs(name: string, digs: readonly Act[]): Story {
  return {
    name,
    turns: () => [
      host('make', [create('f'), fill('f', 1, 0, size)]),
      guest('warm', [open('f'), whole]),
      host('dig', [tick, ...digs]),
      guest('at-once', [whole], 'holes/host-punch'),
      guest('map', mapped, 'holes/seek', seeks),
    ],
    whenStale: () => [
      guest('in-time', [whole], 'holes/host-punch', { afterTimeout: true }),
      guest('opened-again', [open('f:again'), whole], 'holes/host-punch'),
      guest('evicted', [evict('f'), whole], 'holes/host-punch'),
    ],
  };
}

/** Holes are zeros on both sides, and no map of them hides data. */
export default defineCheck({
  name: 'holes',
  title: 'a hole reads as zeros on both sides, and the map of holes agrees with the content',
  codes: coherenceCodes,
  ...told([
    guestSparse,
    hostSparse,
    guestDigs('guest-punches', punched),
    guestDigs('guest-zeroes', zeroed),
    guestDigsUnwritten,
    allocated,
    hostDigs('host-punches', punched),
    hostDigs('host-zeroes', zeroed),
  ]),
});
