import { expect, it } from 'vitest';
import type { Share } from '../../src/share/share.ts';
import { hostCommand } from '../../src/workload/explain/on-host.ts';

const shares: readonly Share[] = [
  { guestDir: '/mnt/a', hostDir: '/srv/a', mode: undefined, modeHow: 'test' },
  { guestDir: '/mnt/a/deep', hostDir: '/other', mode: undefined, modeHow: 'test' },
];

it('a command for the host names the same files as the host calls them, and nothing else is changed', () => {
  const argv = [
    'fio',
    '--filename=/mnt/a/f:/mnt/a/deep/g',
    '/mnt/ab/f',
    '/x/mnt/a/f',
    "if='/mnt/a/f' of=/dev/null",
    '/mnt/a',
  ];
  expect(hostCommand({ argv, directory: '/mnt/a/deep' }, shares)).toEqual({
    argv: [
      'fio',
      '--filename=/srv/a/f:/other/g',
      '/mnt/ab/f',
      '/x/mnt/a/f',
      "if='/srv/a/f' of=/dev/null",
      '/srv/a',
    ],
    directory: '/other',
  });
});

it('the probe’s own job stays one', () => {
  const argv = ['vfs-probe', 'job', 'size=1', '--', '/mnt/a/f'];
  expect(hostCommand({ argv, isProbe: true }, shares)).toEqual({
    argv: ['vfs-probe', 'job', 'size=1', '--', '/srv/a/f'],
    isProbe: true,
  });
});
