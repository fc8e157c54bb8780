import { defineCheck } from '../src/model/check.ts';
import {
  type Act,
  create,
  evict,
  fill,
  fsync,
  open,
  openToRead,
  page,
  read,
  tick,
} from './coherence/acts.ts';
import { coherenceCodes, told } from './coherence/judge.ts';
import { guest, host, type Story, type Turn, turn } from './coherence/turn.ts';

/**
 * One of two has the file open with O_DIRECT, the other without: the one goes past a cache that the other fills.
 * Whole blocks, since O_DIRECT may ask for that. The number is the generation of the bytes:
 *
 * ```
 *  page       0    1    2    3    4    5
 *  before   |1111|1111|1111|1111|1111|1111|
 *  after    |1111|2222|1111|3333|3333|1111|
 * ```
 */
const size = 6 * page;
const made: readonly Act[] = [create('f'), fill('f', 1, 0, size)];
const changed: readonly Act[] = [fill('f', 2, page, page), fill('f', 3, 3 * page, 2 * page)];
const whole = read('f', 0, size);

/** Two processes of one guest beside the host. */
const actors = { host: 'host', guest: 'guest', other: 'guest' } as const;

/** What the first did is the same guest's doing: where the other may lack it, a promise says so. */
const ofSameGuest = { ownToo: true };

/** Writes buffered, reads direct: what waits as a dirty page must be sent before the read is. */
const bufferedThenDirect: Story = {
  name: 'guest-buffered-then-direct',
  actors,
  turns: () => [
    host('make', made),
    guest('write', [open('f'), whole, ...changed]),
    turn(
      'other',
      'reads',
      [openToRead('f', 'direct'), whole],
      'direct-and-buffered/direct-read',
      ofSameGuest,
    ),
    guest('again', [fill('f', 4, 2 * page, page)]),
    turn('other', 'reads-again', [whole], 'direct-and-buffered/direct-read', ofSameGuest),
  ],
};

/** Writes direct, reads buffered: pages that the reader has must go. */
const directThenBuffered: Story = {
  name: 'guest-direct-then-buffered',
  actors,
  turns: () => [
    host('make', made),
    turn('other', 'warm', [openToRead('f'), whole]),
    guest('write', [open('f', 'direct'), ...changed]),
    turn('other', 'reads', [whole], 'direct-and-buffered/buffered-read', ofSameGuest),
    guest('again', [fill('f', 4, 2 * page, page)]),
    turn('other', 'reads-again', [whole], 'direct-and-buffered/buffered-read', ofSameGuest),
    host('on-host', [whole], 'guest-write/direct'),
  ],
};

/** One process, two descriptors, in turns: over its own dirty pages, and back. */
const inTurns: Story = {
  name: 'guest-in-turns',
  turns: () => [
    host('make', made),
    guest('open', [open('f'), open('f:direct', 'direct'), whole]),
    guest('direct-over-dirty', [fill('f', 2, 0, 3 * page), fill('f:direct', 3, page, page)]),
    guest('buffered', [whole], 'direct-and-buffered/buffered-read', ofSameGuest),
    guest('buffered-over-direct', [fill('f:direct', 4, 2 * page, 2 * page), fill('f', 5, 3 * page, page)]),
    guest('direct', [read('f:direct', 0, size)], 'direct-and-buffered/direct-read', ofSameGuest),
    guest('flush', [fsync('f')]),
    host('afterwards', [whole], 'guest-write/after-fsync'),
  ],
};

/** The host goes past its own cache, or not; the guest keeps its descriptor. */
function hostToGuest(name: string, hosts: readonly 'direct'[], guests: readonly 'direct'[]): Story {
  const by = guests.length > 0 ? 'host-write/direct-read' : 'host-write/kept-descriptor';
  const untilFresh: readonly Turn[] = [
    guest('in-time', [whole], by, { afterTimeout: true }),
    guest('opened-again', [openToRead('f:again'), whole], by),
    guest('evicted', [evict('f'), whole], by),
  ];
  return {
    name,
    turns: () => [
      host('make', made),
      guest('warm', [openToRead('f', ...guests), whole, openToRead('f:warm'), read('f:warm', 0, size)]),
      host('rewrite', [tick, open('f:writer', ...hosts), ...changed.map(throughWriter)]),
      guest('at-once', [whole], by),
    ],
    ...(guests.length > 0 ? {} : { whenStale: () => untilFresh }),
  };
}

/** The same fill through the descriptor that was opened for it. */
function throughWriter(act: Act): Act {
  return (hand) => {
    const op = typeof act === 'function' ? act(hand) : act;
    return op.do === 'fill' ? { ...op, file: 'f:writer' } : op;
  };
}

/** The guest goes past its own cache, or not; the host looks past its own, or not. */
function guestToHost(name: string, guests: readonly 'direct'[], hosts: readonly 'direct'[]): Story {
  const atOnce = guests.length > 0 ? 'guest-write/direct' : 'guest-write/before-fsync';
  return {
    name,
    turns: () => [
      host('make', [...made, openToRead('f:reader', ...hosts), read('f:reader', 0, size)]),
      guest('write', [open('f', ...guests), ...changed]),
      host('at-once', [read('f:reader', 0, size)], atOnce),
      guest('flush', [fsync('f')]),
      host('afterwards', [read('f:reader', 0, size)], 'guest-write/after-fsync'),
    ],
  };
}

/** A direct and a buffered descriptor of one file, on one side or on both, in all orders. */
export default defineCheck({
  name: 'direct-and-buffered',
  title: 'O_DIRECT and the page cache do not hide from each other what was written, on one side or across',
  codes: coherenceCodes,
  ...told([
    bufferedThenDirect,
    directThenBuffered,
    inTurns,
    hostToGuest('host-direct-guest-buffered', ['direct'], []),
    hostToGuest('host-buffered-guest-direct', [], ['direct']),
    hostToGuest('host-direct-guest-direct', ['direct'], ['direct']),
    guestToHost('guest-direct-host-buffered', ['direct'], []),
    guestToHost('guest-buffered-host-direct', [], ['direct']),
    guestToHost('guest-direct-host-direct', ['direct'], ['direct']),
  ]),
});
