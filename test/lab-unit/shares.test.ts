import { expect, test } from 'vitest';
import { deviceOf, qemuOptions, windowDevice } from '../../src/lab/vm/qemu-options.ts';
import {
  cVirtiofsdOptions,
  planShares,
  shareOf,
  virtiofsdOptions,
  windowOptions,
  withDaemons,
} from '../../src/lab/vm/shares.ts';
import { allModes, labModes, parseMode } from '../../src/model/mode.ts';

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
  const shares = planShares([...labModes, 'auto'], { sockets: '/run/x' });
  expect(shares.map(({ mode }) => mode.name)).toEqual(labModes);
  expect(new Set(shares.map(({ tag }) => tag)).size).toBe(6);
  expect(shares[5]).toMatchObject({
    socket: '/run/x/m5.sock',
    mount: { tag: 'm5', type: 'virtiofs', path: '/mnt/always+writeback' },
  });
});

test('a 9p mode has a device and a mount of its own, and no daemon', () => {
  const shares = planShares(['auto', '9p:readahead', '9p:loose+msize=65536'], { sockets: '/run/x' });
  expect(withDaemons(shares).map(({ mode }) => mode.name)).toEqual(['auto']);
  expect(shares[1]).toMatchObject({
    socket: undefined,
    mount: {
      tag: 'm1',
      type: '9p',
      path: '/mnt/9p:readahead',
      options: expect.stringContaining('cache=readahead'),
    },
  });
  expect(shares[2]?.mount.options).toMatch(/cache=loose,msize=65536$/);
});

test('a dax mode is the lab’s own backend’s, with a window, a mount option, and a device that has one', () => {
  const [share] = withDaemons(planShares(['auto+dax=inode'], { sockets: '/run/x' }));
  expect(share?.mount).toMatchObject({ type: 'virtiofs', options: 'rw,dax=inode' });
  expect(share && windowOptions(share, false)).toEqual(['--tag=m0', '--window=32']);
  expect(virtiofsdOptions(parseMode('auto+dax=inode'), '/s', '/d')).toContain('--cache=auto');
});

test.each(['9p:loose+dax=always', 'c:auto+dax=always'])('the lab says that it cannot serve %s', (mode) => {
  expect(() => planShares([mode], { sockets: '/run/x' })).toThrow(
    expect.objectContaining({ code: 'mode-not-in-lab' }),
  );
});

test.each([
  ['c:none', ['-o', 'cache=none']],
  ['c:auto+allow-direct-io', ['-o', 'cache=auto', '-o', 'allow_direct_io']],
  ['c:always+posix_lock+flock', ['-o', 'cache=always', '-o', 'flock', '-o', 'posix_lock']],
  ['c:auto+timeout=5+thread-pool-size=4', ['-o', 'cache=auto', '-o', 'timeout=5', '--thread-pool-size=4']],
])('the mode %s becomes words behind -o', (name, options) => {
  expect(cVirtiofsdOptions(parseMode(name), '/run/m0.sock', '/a,dir')).toEqual([
    '--socket-path=/run/m0.sock',
    ...['-o', 'source=/a\\,dir'],
    ...options,
  ]);
});

test('a lab takes more shares than there are places on the bus', () => {
  const layout = { sockets: '/s', secondTag: true };
  const options = qemuOptions({
    ...{ accelerator: 'tcg', memoryMiB: 1024, cpus: 2, kernel: '/k', initrd: '/i', programsDisk: '/p' },
    ...{ consoleLog: '/c', qmpSocket: '/q', sshPort: 4022, hostDir: '/d', securityModel: 'none' },
    hasSpareExport: true,
    shares: planShares(allModes, layout),
  });
  const places = options.flatMap(
    (each) => /^pcie-root-port,.*addr=([^,]*),multifunction=on/.exec(each)?.[1] ?? [],
  );
  expect(places.length).toBeGreaterThan(2 * allModes.length);
  expect(new Set(places).size).toBe(places.length);
});

test('only daemons with a window have sockets that tell QEMU’s library so', () => {
  const shares = withDaemons(planShares(['auto', 'auto+dax=never'], { sockets: '/s' }));
  expect(shares.map(({ socket }) => socket)).toEqual(['/s/m0.sock', '/s/m1.w.sock']);
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
    shares: planShares(['auto', '9p:none'], { sockets: '/s,t' }),
    hostDir: '/a,b',
    hasSpareExport: true,
    securityModel: 'none',
  });
  expect(options).toContain('file,id=console,path=/a,,b/console.log');
  expect(options).toContain('socket,id=m0,path=/s,,t/m0.sock');
  expect(options).toContain('vhost-user-fs-pci,id=fs-m0,bus=port-m0,chardev=m0,tag=m0');
  expect(options).toContain('local,id=m1,path=/a,,b,security_model=none');
  expect(options).toContain('virtio-9p-pci,id=fs-m1,bus=port-m1,fsdev=m1,mount_tag=m1');
  expect(options).toContain('local,id=spare,path=/a,,b,security_model=none');
});

test('a share that is plugged in later has the device that it would have had at the start', () => {
  const deviceIn = (mode: string) =>
    deviceOf(shareOf(parseMode(mode), 'x0', false, { sockets: '/s' }), 'spare');
  const place = { id: 'fs-x0', bus: 'port-x0' };
  expect(deviceIn('never')).toEqual({ driver: 'vhost-user-fs-pci', ...place, chardev: 'x0', tag: 'x0' });
  expect(deviceIn('9p:mmap')).toEqual({
    ...{ driver: 'virtio-9p-pci', ...place, fsdev: 'spare', mount_tag: 'x0' },
  });
  expect(deviceIn('auto+dax=inode')).toMatchObject({ driver: windowDevice, ...place, 'virtio-id': 26 });
});
