import { describe, expect, it } from 'vitest';
import { account } from '../../src/ledger/account.ts';
import type { Ledger, Source } from '../../src/model/account.ts';
import { packed } from './build.ts';
import { type Played, play, type WorldOptions } from './world.ts';

const sources: readonly Source[] = ['guest-cache', 'fuse/host-cache', 'fuse/disk', 'fuse/hole'];

async function accountOf(played: Played): Promise<Ledger> {
  return account(played.samples, [packed(played.reads)]);
}

function bytesOf(ledger: Ledger, source: Source): number {
  return ledger.lines.find((line) => line.source === source)?.bytes ?? 0;
}

async function each(
  count: number,
  options: Omit<WorldOptions, 'seed'>,
  verify: (ledger: Ledger, played: Played, seed: number) => void,
) {
  for (let seed = 1; seed <= count; seed += 1) {
    const played = play({ ...options, seed });
    verify(await accountOf(played), played, seed);
  }
}

/** What must hold whatever happened: sums, proofs that are true, bounds that hold. */
function honest(ledger: Ledger, { truth, reads }: Played, seed: number) {
  const total = reads.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(ledger.bytes, `seed ${seed}`).toBe(total);
  expect(
    ledger.lines.reduce((sum, { bytes }) => sum + bytes, 0),
    `seed ${seed}`,
  ).toBe(total);
  for (const source of sources) {
    const line = ledger.lines.find((each) => each.source === source);
    const really = truth.get(source) ?? 0;
    const [low, high] = line?.interval ?? [line?.bytes ?? 0, line?.bytes ?? 0];
    expect(really, `seed ${seed}, ${source}: ${line?.known} ${line?.because}`).toBeGreaterThanOrEqual(low);
    expect(really, `seed ${seed}, ${source}: ${line?.known} ${line?.because}`).toBeLessThanOrEqual(high);
    if (line?.known === 'proved') expect(line.bytes, `seed ${seed}, ${source}`).toBe(really);
  }
}

function exact(ledger: Ledger, played: Played, seed: number) {
  honest(ledger, played, seed);
  for (const source of sources)
    expect(bytesOf(ledger, source), `seed ${seed}, ${source}`).toBe(played.truth.get(source) ?? 0);
  expect(ledger.unexplainedBytes, `seed ${seed}`).toBe(0);
}

describe('random runs against a world played by brute force', () => {
  it('are exact to the byte where nothing is cached', () =>
    each(150, { caches: false, usedIndex: true }, (ledger, played, seed) => {
      exact(ledger, played, seed);
      expect(ledger.otherTraffic?.bytes[0] ?? 0, `seed ${seed}`).toBe(0);
      if (ledger.requests < 16) return;
      expect(
        ledger.lines.filter(({ bytes, known }) => bytes > 0 && known !== 'proved'),
        `seed ${seed} ${JSON.stringify(ledger.daemon)}`,
      ).toEqual([]);
    }));

  it('are exact to the byte past the cache of a mode that has one', () =>
    each(100, { caches: true, direct: true, hostReadahead: 3 }, exact));

  it('are exact to the byte where the guest caches, whatever its readahead and the host’s', () =>
    each(150, { caches: true, guestReadahead: 4, hostReadahead: 5, usedIndex: true }, exact));

  it('are exact without the used index too: only how they are known may be weaker', () =>
    each(120, { caches: true, guestReadahead: 2 }, exact));

  it('book nothing of what others read, and report it', () =>
    each(150, { caches: true, noise: 0.3, usedIndex: true }, (ledger, played, seed) => {
      exact(ledger, played, seed);
      const other = ledger.otherTraffic?.bytes ?? [0, 0];
      expect(other[0], `seed ${seed}`).toBeLessThanOrEqual(played.noise);
      expect(other[1], `seed ${seed}`).toBeGreaterThanOrEqual(played.noise);
    }));

  it('report the noise where nothing is cached', () =>
    each(150, { caches: false, noise: 0.3, usedIndex: true }, (ledger, played, seed) => {
      exact(ledger, played, seed);
      const other = ledger.otherTraffic?.bytes ?? [0, 0];
      expect(other[0], `seed ${seed}`).toBeLessThanOrEqual(played.noise);
      expect(other[1], `seed ${seed}`).toBeGreaterThanOrEqual(played.noise);
    }));

  it('never prove what evictions in the guest make untrue', () =>
    each(150, { caches: true, guestEviction: 0.3, usedIndex: true }, honest));

  it('never prove what evictions on the host make untrue, once one of them can be seen', () =>
    each(150, { caches: false, hostEviction: 0.2, hostReadahead: 2 }, (ledger, played, seed) => {
      if ((ledger.evictedMeanwhile.hostPages ?? 0) > 0) honest(ledger, played, seed);
    }));

  it('stay honest when everything happens at once', () =>
    each(
      200,
      { caches: true, guestEviction: 0.2, hostEviction: 0.2, noise: 0.2, hostReadahead: 2 },
      (ledger, played, seed) => {
        if (!played.hostWasEvicted || (ledger.evictedMeanwhile.hostPages ?? 0) > 0)
          honest(ledger, played, seed);
      },
    ));
});
