import { describe, expect, it } from 'vitest';
import { splitDaemonBytes } from '../../src/ledger/daemon-bytes.ts';

const mib = 1024 * 1024;
const base = { grain: 4096, odd: 2, most: mib } as const;

describe("the daemon's bytes and its queue kicks", () => {
  it('separate in a measured run of 4 KiB reads in mode never', () => {
    // 64 MiB, 16,384 reads: rchar 67,240,000 = 67,108,864 + 8 × 16,392, as seen on a real daemon.
    const split = splitDaemonBytes({
      ...base,
      rchar: 67_240_000,
      syscr: 16_384 + 16_392,
      needed: 64 * mib,
      ownRequests: [16_384, 16_384],
    });
    expect(split).toMatchObject({
      bytes: [64 * mib, 64 * mib],
      requests: [16_384, 16_384],
      kicks: [16_392, 16_392],
      fits: true,
    });
  });

  it('are all kicks when the guest served everything', () => {
    const split = splitDaemonBytes({ ...base, rchar: 32, syscr: 4, needed: 0, ownRequests: [0, 0] });
    expect(split).toMatchObject({ bytes: [0, 0], requests: [0, 0], kicks: [4, 4] });
  });

  it('stay an interval where readahead mixes request sizes', () => {
    const split = splitDaemonBytes({
      ...base,
      rchar: 64 * mib + 8 * 520,
      syscr: 512 + 520,
      needed: 64 * mib,
      ownRequests: [64, 16_384],
    });
    expect(split.bytes[0]).toBe(64 * mib);
    expect(split.bytes[1]).toBe(64 * mib + 4096);
    expect(split.how).toContain('2 numbers of kicks');
  });

  it('separate again with the used index of the virtqueue', () => {
    const split = splitDaemonBytes({
      ...base,
      rchar: 64 * mib + 8 * 520,
      syscr: 512 + 520,
      needed: 64 * mib,
      ownRequests: [64, 16_384],
      messages: 515,
    });
    expect(split).toMatchObject({ bytes: [64 * mib, 64 * mib], kicks: [520, 520] });
  });

  it('see the reads of others beside ours', () => {
    const split = splitDaemonBytes({
      ...base,
      rchar: 100 * 4096 + 30 * 8192 + 8 * 128,
      syscr: 130 + 128,
      needed: 100 * 4096,
      ownRequests: [100, 100],
      messages: 131,
    });
    expect(split).toMatchObject({ bytes: [100 * 4096 + 30 * 8192, 100 * 4096 + 30 * 8192], fits: true });
  });

  it('are bounded when others read in odd sizes', () => {
    const split = splitDaemonBytes({
      ...base,
      rchar: 100 * 4096 + 10 * 100 + 8 * 110 + 3,
      syscr: 110 + 110,
      needed: 100 * 4096,
      ownRequests: [100, 100],
    });
    expect(split.bytes[0]).toBeLessThanOrEqual(100 * 4096 + 1003);
    expect(split.bytes[1]).toBeGreaterThanOrEqual(100 * 4096 + 1003);
  });

  it('say when fewer bytes crossed than were needed', () => {
    const split = splitDaemonBytes({
      ...base,
      rchar: 60 * 4096 + 8 * 60,
      syscr: 120,
      needed: 100 * 4096,
      ownRequests: [100, 100],
    });
    expect(split.fits).toBe(false);
    expect(split.bytes[1]).toBeLessThan(100 * 4096);
  });
});
