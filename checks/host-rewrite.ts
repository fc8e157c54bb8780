import { defineCheck } from '../src/model/check.ts';
import {
  type Act,
  close,
  create,
  evict,
  fill,
  load,
  map,
  mapToRead,
  open,
  openToRead,
  page,
  read,
  store,
  tick,
} from './coherence/acts.ts';
import { coherenceCodes, told } from './coherence/judge.ts';
import { guest, host, type Story, turn } from './coherence/turn.ts';

/**
 * The host writes over parts of a file that the guest has in its cache: a whole page, some bytes in one, some
 * across two, and the tail. The size stays as it is. The number is the generation of the bytes:
 *
 * ```
 *  page       0    1    2    3    4    5 (tail)
 *  before   |1111|1111|1111|1111|1111|11
 *  after    |1111|2222|1311|1114|4111|15
 * ```
 */
const size = 5 * page + 2000;

const made: readonly Act[] = [create('f'), fill('f', 1, 0, size)];

/** The four changes, as one request: each is a version of its own. */
const rewritten: readonly Act[] = [
  fill('f', 2, page, page),
  fill('f', 3, 2 * page + 100, 900),
  fill('f', 4, 4 * page - 1500, 3000),
  fill('f', 5, size - 500, 500),
];

const whole = read('f', 0, size);

/** What a kept descriptor may show until then ends with each of these; all are asked only where it was stale. */
function untilFresh(by: string): readonly ReturnType<typeof guest>[] {
  return [
    guest('in-time', [whole], by, { afterTimeout: true }),
    guest('opened-again', [open('f:again'), whole, close('f:again')], by),
    guest('evicted', [evict('f'), whole], by),
  ];
}

/** Read again through the descriptor that filled the cache. */
function kept(name: string, look: Act): Story {
  const by = 'host-write/kept-descriptor';
  return {
    name,
    turns: () => [
      host('make', made),
      guest('warm', [open('f'), whole]),
      host('rewrite', [tick, ...rewritten]),
      guest('at-once', [look], by),
    ],
    whenStale: () => untilFresh(by),
  };
}

/** A new descriptor, the old one closed before: what close-to-open consistency is about. */
const reopened: Story = {
  name: 'reopened',
  turns: () => [
    host('make', made),
    guest('warm', [open('f'), whole, close('f')]),
    host('rewrite', [tick, ...rewritten]),
    guest('reopened', [open('f'), whole], 'host-write/reopen'),
  ],
  whenStale: () => [
    guest('in-time', [whole], 'host-write/reopen', { afterTimeout: true }),
    guest('evicted', [evict('f'), whole], 'host-write/reopen'),
  ],
};

/** Loads through a mapping that has its pages. */
const mapped: Story = {
  name: 'mapped',
  turns: () => [
    host('make', made),
    guest('warm', [open('f'), mapToRead('f', size), load('f', 0, size)]),
    host('rewrite', [tick, ...rewritten]),
    guest('at-once', [load('f', 0, size)], 'host-write/mapped'),
  ],
  whenStale: () => [
    guest('asked', [{ do: 'fstat', file: 'f', sync: 'force' }, load('f', 0, size)], 'host-write/mapped'),
    guest('opened-again', [open('f:again'), load('f', 0, size)], 'host-write/mapped'),
  ],
};

/** O_DIRECT passes the guest's cache by, whatever another descriptor has put there. */
const direct: Story = {
  name: 'direct',
  turns: () => [
    host('make', made),
    guest('warm', [open('f'), whole, openToRead('f:direct', 'direct')]),
    host('rewrite', [tick, ...rewritten]),
    // A length of whole blocks: the last one ends where the file does.
    guest('at-once', [read('f:direct', 0, 6 * page)], 'host-write/direct-read'),
  ],
};

/** The mtime is put back afterwards, as `cp -p` and `rsync -t` do: a guest that compares it sees no change. */
const sameMtime: Story = {
  name: 'same-mtime',
  turns: () => [
    host('make', [...made, { do: 'utimens', path: 'f', mtimeNs: thenNs }]),
    guest('warm', [open('f'), whole]),
    host('rewrite', [...rewritten, { do: 'utimens', path: 'f', mtimeNs: thenNs }]),
    guest('at-once', [whole], 'host-write-same-mtime/kept-descriptor'),
  ],
  whenStale: () => untilFresh('host-write-same-mtime/kept-descriptor'),
};

const thenNs = '1600000000000000000';

/**
 * A store into a page that the host has mapped and dirtied already: the kernel does not even move the mtime.
 */
const storedOnHost: Story = {
  name: 'stored-on-host',
  turns: () => [
    host('make', [...made, map('f', size), store('f', 2, page, page)]),
    guest('warm', [open('f'), whole]),
    host('rewrite', [store('f', 3, page, 500), store('f', 4, page + 3000, 1096)]),
    guest('at-once', [whole], 'host-write-same-mtime/kept-descriptor'),
  ],
  whenStale: () => untilFresh('host-write-same-mtime/kept-descriptor'),
};

/** The same directory under another tag has a cache of its own: to this mount its writes are the host's. */
const secondMount: Story = {
  name: 'second-mount',
  actors: { host: 'host', guest: 'guest', other: 'guest-other-tag' },
  needs: ['other-tag'],
  turns: () => [
    host('make', made),
    guest('warm', [open('f'), whole]),
    turn('other', 'rewrite', [{ do: 'wait', ms: 20 }, open('f'), ...rewritten, { do: 'fsync', file: 'f' }]),
    guest('at-once', [whole], 'host-write/kept-descriptor'),
    host('on-host', [whole], 'guest-write/after-close'),
  ],
  whenStale: () => untilFresh('host-write/kept-descriptor'),
};

/** The host overwrites bytes in place; the guest, which has them cached, looks again. */
export default defineCheck({
  name: 'host-rewrite',
  title: 'what the host overwrites in place the guest sees as soon as the mode promises',
  codes: coherenceCodes,
  ...told([
    kept('kept-descriptor', whole),
    kept('kept-vectored', read('f', 100, size - 100, { how: 'vectored' })),
    kept('kept-mid-page', read('f', 3 * page + 2500, 2000)),
    reopened,
    mapped,
    direct,
    sameMtime,
    storedOnHost,
    secondMount,
  ]),
});
