import { expect, test } from 'vitest';
import { qemuOptions } from '../../src/lab/vm/qemu-options.ts';
import { planShares, virtiofsdOptions } from '../../src/lab/vm/shares.ts';
import { labModes, parseMode } from '../../src/model/mode.ts';

test.each([
  ['never', ['--cache=never']],
  ['auto+writeback', ['--cache=auto', '--writeback']],
  ['never+allow-mmap', ['--cache=never', '--allow-mmap']],
  ['always+writeback+allow-direct-io', ['--cache=always', '--allow-direct-io', '--writeback']],
  ['auto+thread-pool-size=4', ['--cache=auto', '--thread-pool-size=4']],
])('the mode %s becomes the daemon’s own options', (name, options) => {
  expect(virtiofsdOptions(parseMode(name), '/run/m0.sock', '/a dir')).toEqual([
    '--socket-path=/run/m0.sock',
    '--shared-dir=/a dir',
    ...options,
  ]);
});

test('every mode has a tag, a socket and a mount of its own, and one that is named twice is there once', () => {
  const shares = planShares([...labModes, 'auto'], '/run/x');
  expect(shares.map(({ mode }) => mode.name)).toEqual(labModes);
  expect(new Set(shares.map(({ tag }) => tag)).size).toBe(6);
  expect(shares[5]).toMatchObject({
    socket: '/run/x/m5.sock',
    mount: { tag: 'm5', type: 'virtiofs', path: '/mnt/always+writeback' },
  });
});

test.each(['9p:loose', 'c:auto', 'auto+dax=always'])('the lab says that it cannot serve %s', (mode) => {
  expect(() => planShares([mode], '/run/x')).toThrow(expect.objectContaining({ code: 'mode-not-in-lab' }));
});

test('a comma in a path does not end the option that it is in', () => {
  const options = qemuOptions({
    accelerator: 'tcg',
    memoryMiB: 1024,
    cpus: 2,
    kernel: '/k',
    initrd: '/i',
    programsDisk: '/p',
    consoleLog: '/a,b/console.log',
    qmpSocket: '/q',
    sshPort: 4022,
    shares: planShares(['auto'], '/s,t'),
  });
  expect(options).toContain('file,id=console,path=/a,,b/console.log');
  expect(options).toContain('socket,id=m0,path=/s,,t/m0.sock');
  expect(options).toContain('vhost-user-fs-pci,id=fs-m0,bus=port-m0,chardev=m0,tag=m0');
});
