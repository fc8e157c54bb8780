import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Result } from '../../src/model/report.ts';
import { downLab, reportOf, upLab } from './cli.ts';
import { type Liar, modeOfLiar, writeLiars } from './lying-backend.ts';

// The checks of access paths, of two writers, of open flags, locks and events fail on a daemon that misbehaves
// in their way, each with the code that says how; on the same daemon without a fault they pass. All daemons
// serve one guest, each in a mode of its own.

const name = `coherence-paths-${process.pid}`;

interface Told extends Liar {
  /** The case → the code of its fail. Without any: all of the cases pass. */
  readonly fails: Readonly<Record<string, string>>;
  /** Cases that pass, where some fail. */
  readonly passes?: readonly string[];
}

const told: readonly Told[] = [
  { policy: 'never', fails: {} },
  // What the guest's own kernel does, whatever the daemon: docs/findings.md.
  {
    policy: 'auto',
    passes: [
      'shared-mapping/guest-mapped-host-buffered',
      'shared-mapping/guest-mapped-guest-direct',
      'same-page-writers/buffered-in-turns',
      'concurrent-append/two-sides',
    ],
    fails: { 'concurrent-append/seen-by-mapping': 'guest-sees-other-bytes' },
  },
  {
    policy: 'never',
    faults: 'write-drop',
    fails: {
      'direct-and-buffered/guest-direct-host-buffered': 'stale',
      'same-page-writers/buffered-in-turns': 'own-lost',
      'concurrent-append/one-guest': 'lost',
      'small-writes/one-byte': 'stale',
      'open-flags/guest-opens': 'other-bytes',
      'events/host-watch-writes': 'missing',
    },
  },
  {
    policy: 'never',
    faults: 'write-pages',
    fails: { 'small-writes/one-byte': 'wrong-size', 'same-page-writers/buffered-host-first': 'wrong-bytes' },
  },
  {
    policy: 'never',
    faults: 'read-old',
    fails: { 'direct-and-buffered/host-buffered-guest-direct': 'stale' },
  },
  {
    policy: 'never',
    faults: 'write-delay=800',
    fails: {
      'direct-and-buffered/guest-direct-host-buffered': 'stale',
      'events/host-watch-writes': 'missing',
    },
  },
  {
    policy: 'auto',
    faults: 'write-drop',
    fails: {
      'shared-mapping/guest-mapped-host-buffered': 'stale',
      'shared-mapping/guest-mapped-guest-direct': 'stale',
    },
  },
  // The mode that the user asked for is not the one that is in force.
  {
    policy: 'auto',
    options: '--writeback',
    fails: { 'same-page-writers/buffered-in-turns': 'lost', 'concurrent-append/two-sides': 'lost' },
  },
  { policy: 'never', faults: 'append-races', fails: { 'concurrent-append/two-sides': 'lost' } },
  { policy: 'never', faults: 'o-trunc-ignored', fails: { 'open-flags/guest-opens': 'other-bytes' } },
  { policy: 'never', faults: 'open-error=EINVAL', fails: { 'open-flags/guest-opens': 'refused' } },
  {
    policy: 'never',
    options: '--locks',
    faults: 'lock-grants-all',
    fails: { 'locks/one-guest': 'both-hold', 'locks/wait-one-guest': 'both-hold' },
  },
  // Linux asks no daemon to give back an OFD lock when its descriptor is closed.
  {
    policy: 'never',
    options: '--locks',
    passes: ['locks/one-guest'],
    fails: { 'locks/closed-in-one-guest': 'not-released' },
  },
  {
    policy: 'never',
    options: '--locks',
    faults: 'lock-refuses',
    fails: { 'locks/one-guest': 'not-granted' },
  },
  { policy: 'never', faults: 'unlink-silent', fails: { 'events/host-watch-names': 'missing' } },
  { policy: 'never', faults: 'rename-copies', fails: { 'events/host-watch-names': 'unasked' } },
];

const modes = told.map(modeOfLiar);
const cases = [...new Set(told.flatMap(({ fails }) => Object.keys(fails)))];
const isHonest = ({ fails }: Told) => Object.keys(fails).length === 0;

let directory = '';
const results: Result[] = [];

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
  const script = path.join(directory, 'virtiofsd');
  await writeLiars(script, told);
  await upLab(name, '--virtiofsd', script, '--modes', modes.join(','), '--boot-timeout', '300');
  // A check and the modes in which it is lied to at a time: all checks in all modes would take longer.
  for (const check of new Set(cases.map((each) => each.split('/')[0] ?? ''))) {
    const own = cases.filter((each) => each.startsWith(`${check}/`));
    const asked = told.flatMap((each, index) =>
      isHonest(each) || own.some((text) => text in each.fails || each.passes?.includes(text) === true)
        ? (modes[index] ?? [])
        : [],
    );
    const { report } = await reportOf([
      'check',
      `--lab=${name}`,
      ...own,
      '--modes',
      asked.join(','),
      '--seed',
      '5',
    ]);
    results.push(...report.results);
  }
});
afterAll(async () => {
  await downLab(name);
  await rm(directory, { recursive: true, force: true });
});

function verdictOf(mode: string | undefined, text: string) {
  const [check, each] = text.split('/', 2);
  const result = results.find((one) => one.check === check && one.mode === mode);
  return result?.cases.find((one) => one.name === each)?.verdict;
}

describe.each(told.map((each, index) => ({ ...each, index })))(
  'the backend in $policy with $options $faults',
  (each) => {
    const mode = modes[each.index];
    if (isHonest(each))
      it.each(cases)('passes %s', (text) => {
        expect(verdictOf(mode, text)).toMatchObject({ kind: 'pass' });
      });
    if (each.passes !== undefined)
      it.each(each.passes)('passes %s', (text) => {
        expect(verdictOf(mode, text)).toMatchObject({ kind: 'pass' });
      });
    if (!isHonest(each))
      it.each(Object.entries(each.fails))('fails %s with %s', (text, code) => {
        expect(verdictOf(mode, text)).toMatchObject({ kind: 'fail', code });
      });
  },
);
