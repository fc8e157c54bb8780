import { describe, expect, it } from 'vitest';
import { promiseFor } from '../../src/contract/contract.ts';
import { isWithin, versionNumbers } from '../../src/contract/versions.ts';
import { parseMode } from '../../src/model/mode.ts';

describe('versions', () => {
  it('are the numbers at the beginning of what a program calls itself', () => {
    expect(versionNumbers('6.12.107+deb13-amd64')).toEqual([6, 12, 107]);
    expect(versionNumbers('v1.14.0-dev')).toEqual([1, 14, 0]);
    expect(versionNumbers('unknown')).toBeUndefined();
    expect(versionNumbers(undefined)).toBeUndefined();
  });

  it('are compared number by number, and a range ends before its end', () => {
    expect(isWithin('6.4', { before: '6.12' })).toBe(true);
    expect(isWithin('6.12.0', { from: '6.12' })).toBe(true);
    expect(isWithin('6.12', { before: '6.12' })).toBe(false);
    expect(isWithin('strange', { from: '1' })).toBeUndefined();
  });
});

describe('a promise that depends on a version', () => {
  const bound = (scenario: string, mode: string, versions?: Record<string, string>) =>
    promiseFor(scenario, parseMode(mode), versions)?.freshness;

  it('is that of the version', () => {
    expect(bound('host-write/kept-descriptor', '9p:mmap', { 'guest-kernel': '6.1.0-40' })?.kind).toBe(
      'fresh',
    );
    expect(bound('host-write/kept-descriptor', '9p:mmap', { 'guest-kernel': '6.12' })?.kind).toBe(
      'stale-until',
    );
    expect(bound('create/after-failed-lookup', '9p:loose', { 'guest-kernel': '7.2.13' })?.kind).toBe(
      'stale-for',
    );
    expect(bound('guest-map-store/before-msync', 'never+allow-mmap', { 'guest-kernel': '6.1' })?.kind).toBe(
      'error',
    );
    expect(
      bound('rename-over/working-directory', 'auto', { virtiofsd: '1.13.3', 'guest-kernel': '6.12' }),
    ).toEqual({ kind: 'as-local', orErrnos: ['ESTALE'] });
  });

  it('is not that of the other daemon, which is on the same machine', () => {
    const both = { virtiofsd: '1.13.3', 'c-virtiofsd': '7.2.22', 'guest-kernel': '6.12' };
    for (const mode of ['c:none', 'c:auto', 'c:always'])
      expect(bound('rename-over/working-directory', mode, both), mode).toEqual(
        bound('rename-over/working-directory', mode, { ...both, virtiofsd: '1.10' }),
      );
    expect(bound('rename-over/working-directory', 'c:auto', both)).toEqual({ kind: 'as-local' });
  });

  it('is not known where the version is not, and would matter', () => {
    expect(bound('create/after-failed-lookup', '9p:loose')).toBeUndefined();
    expect(bound('create/after-failed-lookup', 'auto')?.kind).toBe('fresh');
    expect(bound('guest-map-store/before-msync', 'never+allow-mmap')).toBeUndefined();
    expect(bound('guest-map-store/before-msync', 'never')?.kind).toBe('error');
  });

  it('is not known where a version is older than any that was read', () => {
    expect(bound('host-write/reopen', 'auto', { 'guest-kernel': '4.19.0' })).toBeUndefined();
    expect(bound('host-write/reopen', 'auto', { virtiofsd: '1.5.1' })).toBeUndefined();
    expect(bound('host-write/reopen', 'auto', { virtiofsd: '0.1 of somebody' })?.kind).toBe('fresh');
  });
});
