import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseMode } from '../../src/model/mode.ts';
import type { Result } from '../../src/model/report.ts';
import { backend } from './backend.ts';
import { downLab, reportOf, upLab } from './cli.ts';

// Each check of names and attributes fails, with the code that says how, on a daemon that lies in its way; the same
// cases pass where it does not lie. All daemons serve one guest, each in a mode of its own.

const name = `coherence-names-${process.pid}`;

interface Lie {
  readonly policy: string;
  /** Faults of the lab's own backend (src/lab/backend/README.md). */
  readonly faults: string;
  /** The case → the code of its fail. */
  readonly fails: Readonly<Record<string, string>>;
}

const lies: readonly Lie[] = [
  {
    policy: 'never',
    faults: 'entry-timeout attr-timeout',
    fails: {
      'attributes/host-by-path': 'stale',
      'lookup/unlinked': 'stale',
      'rename-over/by-path': 'stale',
      'recreate/directory': 'stale',
      'links/new-target': 'stale',
    },
  },
  {
    policy: 'auto',
    faults: 'entry-timeout=60 attr-timeout=60',
    fails: {
      'attributes/host-by-descriptor': 'stale-too-long',
      'lookup/renamed-away': 'stale-too-long',
      'recreate/guest-after-host-in-time': 'stale-too-long',
    },
  },
  { policy: 'auto', faults: 'readdir-stale', fails: { 'create-storm/host-seen-names': 'stale-too-long' } },
  { policy: 'always', faults: 'mode-stale', fails: { 'attributes/host-by-path': 'stale-after-event' } },
  {
    policy: 'never',
    faults: 'mtime-frozen',
    fails: { 'attributes/read-then-stat': 'stale', 'attributes/host-by-descriptor': 'stale' },
  },
  { policy: 'never', faults: 'mtime-coarse', fails: { 'attributes/host-by-path': 'never-was' } },
  {
    policy: 'never',
    faults: 'chmod-ignored rename-lost unlink-silent',
    fails: {
      'attributes/guest-changes': 'not-done',
      'lookup/guest-changes-names': 'not-done',
      'rename-over/guest-renames-over': 'not-done',
      'rename-over/kept-descriptor': 'not-done',
    },
  },
  { policy: 'never+xattr', faults: 'xattr-stale', fails: { 'attributes/xattr-from-host': 'stale' } },
  { policy: 'never+xattr', faults: 'xattr-lost', fails: { 'attributes/xattr-from-guest': 'not-done' } },
  {
    policy: 'never',
    faults: 'negative-timeout',
    fails: { 'lookup/created-after-failed-lookup': 'stale' },
  },
  { policy: 'never', faults: 'lookup-gone', fails: { 'rename-over/mapped': 'refused' } },
  {
    policy: 'never',
    faults: 'lookup-wrong-inode',
    fails: { 'lookup/never-looked-for': 'never-was' },
  },
  {
    policy: 'never',
    faults: 'lookup-wrong-inode=1',
    fails: { 'create-storm/host-new-names': 'other-file' },
  },
  {
    policy: 'never',
    faults: 'readdir-drop=7',
    fails: { 'readdir/complete': 'name-missing', 'readdir/while-names-come-and-go': 'name-missing' },
  },
  { policy: 'never', faults: 'readdir-duplicate=7', fails: { 'readdir/complete': 'name-twice' } },
  {
    policy: 'never',
    faults: 'readdir-stale',
    fails: { 'readdir/host-changes': 'stale', 'readdir/guest-changes': 'not-done' },
  },
  { policy: 'never', faults: 'readdir-error', fails: { 'readdir/while-names-come-and-go': 'refused' } },
  {
    policy: 'never',
    faults: 'link-new-inode symlink-other-target',
    fails: { 'links/guest-links': 'other-inode', 'links/targets-under-signals': 'other-target' },
  },
  { policy: 'never', faults: 'ino-changes', fails: { 'links/number': 'other-inode' } },
  { policy: 'never', faults: 'link-error', fails: { 'links/guest-links': 'refused' } },
  {
    policy: 'never',
    faults: 'create-lost',
    fails: { 'create-storm/guest': 'refused', 'recreate/guest-after-host': 'refused' },
  },
  { policy: 'never', faults: 'rename-copies', fails: { 'create-storm/guest': 'left-over' } },
  { policy: 'never', faults: 'write-flip=5', fails: { 'create-storm/guest': 'wrong-bytes' } },
  { policy: 'never', faults: 'mkdir-error', fails: { 'create-storm/parallel-mkdir': 'refused' } },
];

const honest = ['never', 'auto', 'always', 'never+xattr'];
const cases = [...new Set(lies.flatMap(({ fails }) => Object.keys(fails)))];

/** A mode of its own for each lie: its daemon is told which by the size of a thread pool, which it has not. */
function modeOf(lie: Lie): string {
  return parseMode(`${lie.policy}+thread-pool-size=${10 + lies.indexOf(lie)}`).name;
}

let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
  const script = path.join(directory, 'virtiofsd');
  const branches = lies.map(
    ({ faults }, index) => `    --thread-pool-size=${10 + index}) export VFS_BACKEND_FAULT='${faults}' ;;`,
  );
  // Each word is taken from the front and put back at the end, save the one that says which lie it is.
  const text = `#!/bin/sh
for word do
  shift
  case "$word" in
${branches.join('\n')}
    *) set -- "$@" "$word" ;;
  esac
done
exec '${backend}' "$@"
`;
  await writeFile(script, text, { mode: 0o755 });
  await upLab(name, '--virtiofsd', script, '--modes', [...honest, ...lies.map(modeOf)].join(','));
});
afterAll(async () => {
  await downLab(name);
  await rm(directory, { recursive: true, force: true });
});

async function run(names: readonly string[], modes: readonly string[]): Promise<readonly Result[]> {
  const asked = ['check', `--lab=${name}`, ...names, '--modes', modes.join(','), '--seed', '5'];
  return (await reportOf(asked)).report.results;
}

describe('without a lie', () => {
  it('all of these cases pass', async () => {
    for (const { mode, cases: ended } of await run(cases, honest)) {
      for (const { name: each, verdict } of ended)
        expect(verdict, `${mode}, ${each}: ${verdict.reason}`).toMatchObject({ kind: 'pass' });
    }
  });
});

describe('a daemon that lies', () => {
  // They wait for each other's requests, and for timeouts: several at once take no longer than one.
  it.concurrent.each(lies.map((lie) => ({ ...lie, lie })))(
    'in $policy by $faults fails as expected',
    async ({ lie, fails }) => {
      const results = await run(Object.keys(fails), [modeOf(lie)]);
      const codes = results.flatMap(({ check, cases: ended }) =>
        ended.map(({ name: each, verdict }) => [`${check}/${each}`, verdict.code ?? verdict.reason]),
      );
      expect(Object.fromEntries(codes)).toEqual(fails);
    },
  );
});
