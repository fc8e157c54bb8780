import { expect, test } from 'vitest';
import { promiseFor } from '../../src/contract/contract.ts';
import { rows } from '../../src/contract/rows.ts';
import { parseMode } from '../../src/model/mode.ts';

const mode = parseMode('local:bind');
const promised = rows.map(({ scenario }) => [scenario, promiseFor(scenario, mode)] as const);

test('in one superblock nothing may be stale, lost or locked apart', () => {
  const kinds = new Set(promised.map(([, promise]) => promise?.freshness.kind));
  for (const kind of ['stale-for', 'stale-until', 'may-lose', 'local-only', 'error'])
    expect(kinds).not.toContain(kind);
});

test('every scenario has a promise but those of windows, daemons and what the file system may refuse', () => {
  const silent = promised.filter(([, promise]) => promise === undefined).map(([scenario]) => scenario);
  expect(silent).toEqual([
    'holes/guest-collapse',
    'served-by/first-read',
    'served-by/second-read',
    'served-by/reopen',
    'served-by/direct-read',
    'dax/seen-in-guest',
    'dax/seen-on-host',
    'dax/window',
    'dax/path',
  ]);
});

test('its reasons and sources speak of one kernel, not of daemons', () => {
  for (const [, promise] of promised) {
    expect(promise?.because ?? '').not.toMatch(/daemon|guest|FUSE/);
    expect((promise?.sources ?? []).join()).not.toMatch(/virtiofsd|fs\/fuse|9p/);
  }
});

test('it has no options', () => {
  expect(promiseFor('host-append/read', parseMode('local:bind+writeback'))).toBeUndefined();
});
