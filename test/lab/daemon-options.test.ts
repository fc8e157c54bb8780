import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Result } from '../../src/model/report.ts';
import { downLab, reportOf, upLab } from './cli.ts';

// Daemon options as axes: each is in force, and those that must change no promise change none.

const name = `daemon-options-${process.pid}`;
const control = 'auto';
/** What the daemon does inside, how many do it, and what else it offers: no promise of these checks depends on it. */
const indifferent = [
  'auto+thread-pool-size=4',
  'auto+no-announce-submounts',
  'auto+no-readdirplus',
  'auto+inode-file-handles=never',
  'auto+inode-file-handles=prefer',
  'auto+inode-file-handles=mandatory',
  'auto+xattr',
  'auto+posix-acl',
  'c:auto+thread-pool-size=4',
];
const others = [
  'always+allow-direct-io',
  'metadata+allow-mmap',
  'c:auto+allow-direct-io+xattr',
  'c:none+writeback',
  'c:always+flock+posix_lock',
];

beforeAll(async () => {
  await upLab(name, '--modes', [control, ...indifferent, ...others].join(','), '--boot-timeout', '90');
});
afterAll(() => downLab(name));

/** `CASE kind code`, of every case. */
function told({ cases }: Result): readonly string[] {
  // A known defect shows in that case by chance, in any mode (docs/findings.md).
  const certain = cases.filter((each) => each.name !== 'while-names-come-and-go');
  return certain.map((each) => `${each.name} ${each.verdict.kind} ${each.verdict.code ?? ''}`);
}

it('finds every option in force that shows', async () => {
  const { report } = await reportOf(['check', `--lab=${name}`, 'mode-in-force'], { timeoutMs: 200_000 });
  const codes = report.results.flatMap(({ cases }) => cases.flatMap(({ verdict }) => verdict.code ?? []));
  // A busy machine may be too slow to tell a second from none.
  expect(
    codes.filter((code) => code !== 'could-not-tell'),
    JSON.stringify(report.results),
  ).toEqual([]);
  // The C daemon's words are written with underscores, whichever were given.
  expect(report.results.map(({ mode }) => mode)).toContain('c:auto+allow_direct_io+xattr');
}, 210_000);

it('sees nothing change by options that must change nothing', async () => {
  const checks = ['md5', 'guest-write', 'host-truncate', 'readdir'];
  const modes = [control, ...indifferent].join(',');
  const { report } = await reportOf(['check', `--lab=${name}`, ...checks, '--modes', modes, '--seed', '7'], {
    timeoutMs: 400_000,
  });
  for (const check of checks) {
    const [first, ...rest] = report.results.filter((each) => each.check === check);
    const expected = told(first as Result);
    expect(
      expected.filter((each) => / (fail|unknown) /.test(each)),
      check,
    ).toEqual([]);
    for (const each of rest) expect(told(each), `${check} in ${each.mode}`).toEqual(expected);
  }
}, 410_000);
