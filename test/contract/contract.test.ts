import { describe, expect, it } from 'vitest';
import { promiseFor } from '../../src/contract/contract.ts';
import { rows } from '../../src/contract/rows.ts';
import { layerScenarios } from '../../src/model/comparison.ts';
import { labModes, parseMode } from '../../src/model/mode.ts';
import { staleMsMax } from '../../src/model/promise.ts';

const versions = { 'guest-kernel': '6.12.107+deb13', 'host-kernel': '6.18.44', virtiofsd: '1.13.2' };

function kindIn(scenario: string, mode: string): string | undefined {
  return promiseFor(scenario, parseMode(mode), versions)?.freshness.kind;
}

describe('the contract', () => {
  it('names each scenario once and gives every row a source', () => {
    expect(new Set(rows.map(({ scenario }) => scenario)).size).toBe(rows.length);
    for (const row of rows) expect(row.sources.length, row.scenario).toBeGreaterThan(0);
  });

  it('knows the rows that a comparison asks for, in every mode of the lab', () => {
    for (const scenario of Object.values(layerScenarios)) {
      if (scenario === undefined) continue;
      for (const mode of labModes)
        expect(promiseFor(scenario, parseMode(mode)), `${scenario} in ${mode}`).toBeDefined();
    }
  });

  it('is silent for a scenario, a mode, a flag or a server that it has no row for', () => {
    expect(promiseFor('never-heard-of', parseMode('auto'))).toBeUndefined();
    expect(promiseFor('host-write/reopen', undefined)).toBeUndefined();
    expect(promiseFor('host-write/reopen', parseMode('auto+cache-the-moon'))).toBeUndefined();
  });

  it('promises nothing of what a mapping 9p server keeps beside the files, and knows one of its ways alone', () => {
    const mapped = '9p:none+security_model=mapped-xattr';
    for (const scenario of ['guest-chmod/mode', 'links/guest-target', 'open-flags/link-of-the-guest']) {
      expect(kindIn(scenario, '9p:none')).not.toBe('reported');
      expect(kindIn(scenario, mapped)).toBe('reported');
    }
    expect(kindIn('guest-write/after-close', mapped)).toBe('fresh');
    expect(kindIn('guest-write/after-close', '9p:none+security_model=mapped-file')).toBeUndefined();
  });

  it('lets always keep stale bytes over an open, and auto not', () => {
    expect(promiseFor('host-write/reopen', parseMode('always'))?.freshness).toEqual({
      kind: 'stale-for',
      ms: 86_400_000,
    });
    expect(promiseFor('host-write/reopen', parseMode('auto'))?.freshness).toEqual({ kind: 'fresh' });
  });

  it('answers every scenario in every mode of a lab, and names a source of the server at hand', () => {
    for (const { scenario } of rows) {
      // Rows of nothing but files in DAX state.
      if (scenario.startsWith('dax/')) continue;
      for (const mode of labModes) {
        const promise = promiseFor(scenario, parseMode(mode), versions);
        expect(promise, `${scenario} in ${mode}`).toBeDefined();
        expect(promise?.sources.length, `${scenario} in ${mode}`).toBeGreaterThan(0);
        expect(promise?.sources.join('; ')).not.toMatch(/9p/);
      }
    }
  });

  it('never says that the host sees less of a guest without writeback than with it', () => {
    for (const { scenario } of rows.filter((row) => row.scenario.startsWith('guest-'))) {
      for (const policy of ['auto', 'always']) {
        const [through, back] = [policy, `${policy}+writeback`].map((mode) =>
          promiseFor(scenario, parseMode(mode), versions),
        );
        const bounds = [through, back].map((promise) =>
          promise === undefined ? NaN : (staleMsMax(promise) ?? 0),
        );
        expect(bounds[0], scenario).toBeLessThanOrEqual(bounds[1] as number);
      }
    }
  });

  it('lets flags that change nothing change nothing', () => {
    const plain = promiseFor('host-write/kept-descriptor', parseMode('auto'), versions);
    for (const flag of [
      'xattr',
      'posix-acl',
      'allow-direct-io',
      'inode-file-handles=mandatory',
      'thread-pool-size=4',
    ])
      expect(promiseFor('host-write/kept-descriptor', parseMode(`auto+${flag}`), versions)).toEqual(plain);
  });

  it('takes a window for fresh bytes, and for the timeouts of its policy', () => {
    expect(kindIn('host-write/mapped', 'always+dax=always')).toBe('fresh');
    expect(kindIn('host-chmod/mode', 'always+dax=always')).toBe('stale-for');
    expect(kindIn('host-chmod/mode', 'auto+dax=inode')).toBe('stale-for');
    expect(kindIn('host-write/mapped', 'auto+dax=inode')).toBe('stale-until');
    expect(kindIn('host-write/mapped', 'auto+dax=never')).toBe('stale-until');
    expect(kindIn('dax/seen-in-guest', 'auto+dax=always')).toBe('fresh');
    expect(kindIn('dax/seen-in-guest', 'auto+dax=inode')).toBe('fresh');
    expect(kindIn('dax/seen-in-guest', 'auto+dax=never')).toBeUndefined();
  });

  it('knows that the C daemon locks on the host only when told to', () => {
    expect(kindIn('locks/posix-across-sides', 'c:auto')).toBe('local-only');
    expect(kindIn('locks/posix-across-sides', 'c:auto+posix_lock')).toBe('excludes');
    expect(kindIn('locks/flock-across-sides', 'c:auto+posix_lock')).toBe('local-only');
    expect(kindIn('locks/posix-wait', 'c:auto+posix_lock')).toBe('error');
    expect(kindIn('locks/ofd-across-guests', 'auto')).toBe('local-only');
  });

  it('has the C daemon list a directory anew where the Rust daemon need not', () => {
    expect(kindIn('readdir/after-change', 'c:always')).toBe('fresh');
    expect(kindIn('readdir/after-change', 'always')).toBe('stale-for');
  });

  it('knows that size and times are the guest’s own under writeback, DIRECT_IO or not', () => {
    expect(kindIn('host-append/size', 'never+writeback')).toBe('stale-until');
    expect(kindIn('host-append/read', 'never+writeback')).toBe('fresh');
    expect(kindIn('concurrent-append', 'never+writeback')).toBe('may-lose');
  });
});
