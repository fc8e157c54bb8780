import { describe, expect, it } from 'vitest';
import { layerOf, type Votes } from '../../src/model/triage.ts';

const differ: Votes = {
  guestCache: 'old',
  hostCache: 'new',
  guestEvicted: 'old',
  hostDirect: 'new',
  guestDirty: 0,
  guestSize: 100,
  hostSize: 100,
  otherInode: false,
};

describe('the layer that a difference sits in', () => {
  it.each<[string, Partial<Votes>, string | undefined]>([
    ['evicting the file mends it: the guest cache was stale', { guestEvicted: 'new' }, 'stale-guest-cache'],
    [
      'the guest has dirty pages: it has not written them back',
      { guestDirty: 3, guestEvicted: undefined },
      'guest-not-written-back',
    ],
    ['the sides name different inodes', { otherInode: true }, 'stale-name'],
    [
      'only the tail is missing',
      {
        guestCache: '',
        hostCache: '',
        guestEvicted: undefined,
        hostDirect: undefined,
        guestSize: 50,
      },
      'stale-size',
    ],
    ['nothing mends it and the host agrees with its disk: the daemon', {}, 'daemon'],
    ['the host past its cache says something else', { hostDirect: 'disk' }, 'host-cache-vs-medium'],
    ['they agree when read again', { guestCache: 'new', guestEvicted: 'new' }, 'caught-up'],
    ['the guest could not be read again', { guestCache: undefined }, undefined],
    ['the eviction vote is missing', { guestEvicted: undefined, hostDirect: undefined }, undefined],
    ['three different answers', { guestEvicted: 'other' }, undefined],
  ])('%s', (_, votes, layer) => {
    expect(layerOf({ ...differ, ...votes })).toBe(layer);
  });
});
