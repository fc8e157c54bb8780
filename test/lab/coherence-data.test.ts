import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Result } from '../../src/model/report.ts';
import { downLab, reportOf, upLab } from './cli.ts';
import { type Lie, lyingMode, writeManyLiars } from './lying-daemon.ts';

// Each check of the bytes fails, with the code that says how, on a daemon that spoils bytes in its way; the same
// cases pass on the same daemon where it does not lie. All daemons serve one guest, each in a mode of its own.

const name = `coherence-data-${process.pid}`;

interface Told {
  readonly policy: string;
  readonly lie: Lie | 'cache-always';
  /** The case → the code of its fail, or several, joined by |. */
  readonly fails: Readonly<Record<string, string>>;
}

const lies: readonly Told[] = [
  { policy: 'never', lie: 'drop-all', fails: { 'guest-write/write-fsync': 'stale' } },
  { policy: 'never', lie: 'shift-write', fails: { 'guest-write/host-mapped': 'wrong-bytes' } },
  {
    policy: 'never',
    lie: 'whole-page',
    fails: { 'guest-write/append': 'wrong-size', 'tail-page/guest-writes': 'wrong-size' },
  },
  {
    policy: 'never',
    lie: 'flip-read',
    fails: { 'access-paths/first-vectored': 'wrong-bytes', 'host-rewrite/reopened': 'wrong-bytes' },
  },
  { policy: 'never', lie: 'old-read', fails: { 'host-rewrite/reopened': 'stale' } },
  { policy: 'auto', lie: 'old-read', fails: { 'host-rewrite/kept-descriptor': 'stale-too-long' } },
  {
    policy: 'auto+writeback',
    lie: 'old-read',
    fails: { 'host-rewrite/kept-descriptor': 'stale-after-event' },
  },
  {
    policy: 'never',
    lie: 'nul-tail',
    fails: { 'host-append/read': 'wrong-bytes', 'tail-page/host-grows': 'wrong-bytes' },
  },
  {
    policy: 'never',
    lie: 'old-size',
    // It remembers by inode number: that of a file that is gone gives a size that this one never had.
    fails: { 'host-append/size': 'stale|wrong-size', 'host-truncate/host-cut-size': 'stale|wrong-size' },
  },
  { policy: 'never', lie: 'keep-cut', fails: { 'host-truncate/guest-cut-and-regrow': 'stale' } },
  { policy: 'never', lie: 'no-data', fails: { 'holes/host-sparse': 'hole-over-data' } },
  { policy: 'never', lie: 'keep-punched', fails: { 'holes/guest-punches': 'wrong-bytes' } },
  { policy: 'never', lie: 'empty-copy', fails: { 'access-paths/first-copy-file-range': 'stale' } },
  {
    policy: 'auto',
    lie: 'cache-always',
    fails: { 'host-append/size': 'stale-too-long', 'host-rewrite/reopened': 'stale' },
  },
];

/**
 * What the guest kernel of the lab does by itself, whatever the daemon: sendfile and splice read pages without
 * asking whether they are still good, and SEEK_DATA asks the daemon before what is dirty was written back.
 */
const ownDefects: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  never: { 'access-paths/host-write-sendfile': 'stale', 'access-paths/host-write-splice': 'stale' },
  auto: {
    'access-paths/host-write-sendfile': 'stale-too-long',
    'access-paths/host-write-splice': 'stale-too-long',
  },
  'auto+writeback': { 'holes/guest-sparse': 'hole-over-data' },
};
const defective = [...new Set(Object.values(ownDefects).flatMap((each) => Object.keys(each)))];

/**
 * And of its 9p: what lies behind the size that it saw first reads as zeros, and what is stored through a mapping
 * of a file with O_APPEND is appended.
 */
const ofNinep: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '9p:readahead': { 'host-append/size-then-bytes': 'wrong-bytes' },
  '9p:mmap': { 'tail-page/guest-stores-appending': 'wrong-size' },
};

const cases = [...new Set(lies.flatMap(({ fails }) => Object.keys(fails)))];
const modeOf = ({ policy, lie }: Told) => lyingMode(policy, lie);
const honest = ['never', 'auto', 'auto+writeback'];

let directory = '';
const results: Result[] = [];

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
  const script = path.join(directory, 'virtiofsd');
  await writeManyLiars(script, directory);
  const modes = [...honest, ...Object.keys(ofNinep), ...lies.map(modeOf)];
  await upLab(name, '--virtiofsd', script, '--modes', modes.join(','), '--boot-timeout', '120');
  const run = async (asked: readonly string[], modes: readonly string[]) => {
    const { report } = await reportOf([
      'check',
      `--lab=${name}`,
      ...asked,
      '--modes',
      modes.join(','),
      '--seed',
      '5',
    ]);
    results.push(...report.results);
  };
  await run([...cases, ...defective], honest);
  for (const [mode, codes] of Object.entries(ofNinep)) await run(Object.keys(codes), [mode]);
  // A check and the modes in which it is lied to at a time: all checks in all modes would take longer.
  for (const check of new Set(cases.map((each) => each.split('/')[0] ?? ''))) {
    const own = cases.filter((each) => each.startsWith(`${check}/`));
    await run(own, lies.filter(({ fails }) => own.some((each) => each in fails)).map(modeOf));
  }
});
afterAll(async () => {
  await downLab(name);
  await rm(directory, { recursive: true, force: true });
});

function verdictOf(mode: string, text: string) {
  const [check, each] = text.split('/', 2);
  const result = results.find((one) => one.check === check && one.mode === mode);
  return result?.cases.find((one) => one.name === each)?.verdict;
}

describe('a daemon that is honest', () => {
  it.each(honest)('passes in %s', (mode) => {
    for (const text of cases) expect(verdictOf(mode, text), text).toMatchObject({ kind: 'pass' });
  });

  it.each(Object.entries(ofNinep))('shows in %s what the guest kernel does there', (mode, codes) => {
    for (const [text, code] of Object.entries(codes))
      expect(verdictOf(mode, text), text).toMatchObject({ kind: 'fail', code });
  });

  it.each(honest)('shows in %s what the guest kernel does by itself', (mode) => {
    for (const text of defective) {
      const code = ownDefects[mode]?.[text];
      const expected = code === undefined ? { kind: 'pass' } : { kind: 'fail', code };
      expect(verdictOf(mode, text), text).toMatchObject(expected);
    }
  });
});

describe.each(lies.map((told) => ({ ...told, mode: modeOf(told) })))(
  'a daemon in $policy with the lie $lie',
  ({ mode, fails }) => {
    it.each(Object.entries(fails))('fails %s with %s', (text, code) => {
      expect(verdictOf(mode, text)).toMatchObject({
        kind: 'fail',
        code: expect.stringMatching(`^(${code})$`),
      });
    });
  },
);
