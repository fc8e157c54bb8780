import { afterAll, expect, test } from 'vitest';
import type { LabInfo } from '../../src/lab/info.ts';
import { downLab, inGuest, reportOf, upLab, vfsVerify } from './cli.ts';

// An older guest kernel: Debian 12's 6.1, which has no cachestat and no tracepoints of FUSE.

const name = `kernels-${process.pid}`;
const modes = ['auto', 'never+allow-mmap', '9p:none', '9p:mmap', '9p:loose'];

afterAll(() => downLab(name));

test('Debian 12’s kernel is fetched and booted, and every mode is in force in it', async () => {
  const lab: LabInfo = await upLab(
    name,
    '--kernel',
    'bookworm',
    '--modes',
    modes.join(','),
    '--boot-timeout',
    '90',
  );
  expect(lab.programs['guest-kernel']?.version).toMatch(/^6\.1\.\d+-\d+-amd64$/);
  expect(await inGuest(name, 'uname -r')).toBe(lab.programs['guest-kernel']?.version);

  const { report } = await reportOf(['check', `--lab=${name}`, 'md5', 'mode-in-force']);
  const found = report.results.map(({ check, mode, verdict }) => `${check} ${mode} ${verdict.kind}`);
  expect(found.filter((each) => each.endsWith('fail'))).toEqual([]);
  expect(found).toContain('md5 9p:loose pass');
  expect(found).toContain('mode-in-force 9p:mmap pass');
});

test('what that kernel cannot tell is said', async () => {
  const { report } = await reportOf(['check', `--lab=${name}`, '--modes', 'auto', 'drop-caches/guest-file']);
  expect(report.results[0]?.cases[0]?.verdict.reason).toContain('Linux 6.5 or newer');
  const missing = await vfsVerify(['lab', 'up', `${name}-b`, '--kernel', 'nosuchrelease']);
  expect(missing.status).toBe(2);
  expect(missing.stderr).toContain('--kernel nosuchrelease: apt-get failed');
});
