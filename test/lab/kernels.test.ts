import { afterAll, expect, test } from 'vitest';
import type { LabInfo } from '../../src/lab/info.ts';
import { downLab, inGuest, reportOf, upLab, vfsVerify } from './cli.ts';

// Other guest kernels than the lab's own 6.12: Debian 12's 6.1, which has no cachestat and no tracepoints of FUSE,
// and the newest that Debian builds for the release of the lab's programs.

const name = `kernels-${process.pid}`;
const modes = ['auto', 'never+allow-mmap', 'auto+dax=always', 'c:auto', '9p:none', '9p:mmap', '9p:loose'];

afterAll(() => downLab(name));

test('Debian 12’s kernel is fetched and booted, and every mode is in force in it', async () => {
  const lab: LabInfo = await upLab(
    name,
    '--kernel',
    'bookworm',
    '--modes',
    [...modes, '9p:readahead'].join(','),
    '--skip-impossible',
    '--boot-timeout',
    '90',
  );
  expect(Object.keys(lab.mounts)).toEqual(modes);
  expect(lab.leftOut).toEqual([
    { mode: '9p:readahead', why: expect.stringContaining('has no cache=readahead (6.4 and newer)') },
  ]);
  expect(lab.programs['guest-kernel']?.version).toMatch(/^6\.1\.\d+-\d+-amd64$/);
  expect(await inGuest(name, 'uname -r')).toBe(lab.programs['guest-kernel']?.version);

  const { report } = await reportOf(['check', `--lab=${name}`, 'md5', 'mode-in-force']);
  const found = report.results.map(({ check, mode, verdict }) => `${check} ${mode} ${verdict.kind}`);
  expect(found.filter((each) => each.endsWith('fail'))).toEqual([]);
  expect(found).toContain('md5 9p:loose pass');
  expect(found).toContain('mode-in-force 9p:mmap pass');
  expect(found).toContain('md5 auto+dax=always pass');
});

test('what that kernel cannot tell is said', async () => {
  const { report } = await reportOf(['check', `--lab=${name}`, '--modes', 'auto', 'drop-caches/guest-file']);
  expect(report.results[0]?.cases[0]?.verdict.reason).toContain('Linux 6.5 or newer');
  const missing = await vfsVerify(['lab', 'up', `${name}-b`, '--kernel', 'nosuchrelease']);
  expect(missing.status).toBe(2);
  expect(missing.stderr).toContain('--kernel nosuchrelease: apt-get failed');
});

test('the newest kernel of Debian is fetched from its packages, and every mode is in force in it', async () => {
  await downLab(name);
  const newest = ['auto', 'auto+writeback', 'auto+dax=always', 'c:auto', '9p:readahead', '9p:loose'];
  const flags = ['--kernel', 'backports', '--modes', newest.join(','), '--boot-timeout', '90'];
  const lab: LabInfo = await upLab(name, ...flags);
  const version = lab.programs['guest-kernel']?.version ?? '';
  expect(Number.parseInt(version, 10)).toBeGreaterThanOrEqual(7);
  expect(await inGuest(name, 'uname -r')).toBe(version);
  const { report } = await reportOf(['check', `--lab=${name}`, 'md5', 'mode-in-force']);
  const found = report.results.map(({ check, mode, verdict }) => `${check} ${mode} ${verdict.kind}`);
  expect(found.filter((each) => each.endsWith('fail'))).toEqual([]);
  for (const mode of newest) expect(found).toContain(`md5 ${mode} pass`);
});
