import { describe, expect, it } from 'vitest';
import { machineOfWords } from '../../../src/share/discover/qemu-words.ts';
import { qemuByHand, qemuOfLibvirt, qemuWithWindow } from './recorded.ts';

describe("QEMU's command line", () => {
  it('says which devices share directories, and where their daemons listen', () => {
    const machine = machineOfWords(qemuByHand, '/home/me');
    expect(machine?.devices).toEqual([
      { type: 'virtiofs', tag: 'data', socket: '/home/me/run/a,b.sock', directory: undefined },
      { type: '9p', tag: 'nine', socket: undefined, directory: '/srv/nine', securityModel: 'none' },
      { type: '9p', tag: 'old', socket: undefined, directory: '/srv/old', securityModel: 'mapped-xattr' },
    ]);
  });

  it('says who the machine is and how it is reached', () => {
    expect(machineOfWords(qemuByHand, '/home/me')).toMatchObject({
      name: 'build',
      uuid: '6d2f1b0c-9e0b-4e52-9c0a-7f7f6b8e5a01',
      sshForwards: [{ host: '127.0.0.1', port: 2222 }],
      qmpSocket: '/run/build.qmp',
      memoryShared: true,
      ofLibvirt: false,
    });
  });

  it('is read where libvirt writes it as JSON', () => {
    const machine = machineOfWords(qemuOfLibvirt, '/');
    expect(machine).toMatchObject({
      ...{ name: 'one', uuid: 'c7a5fdbd-edaf-9455-926a-d65c16db1809' },
      ...{ sshForwards: [], qmpSocket: undefined, memoryShared: true, ofLibvirt: true },
    });
    expect(machine?.devices.map(({ tag, socket, directory }) => [tag, socket ?? directory])).toEqual([
      ['data', '/var/lib/libvirt/qemu/domain-1-one/fs0-fs.sock'],
      ['nine', '/srv/one/share'],
    ]);
  });

  it('knows the generic device that a file system with a window is', () => {
    expect(machineOfWords(qemuWithWindow, undefined)?.devices).toEqual([
      { type: 'virtiofs', tag: undefined, socket: '/run/w/m0.w.sock', directory: undefined },
    ]);
    const other = qemuWithWindow.map((word) => word.replace('virtio-id=26', 'virtio-id=4'));
    expect(machineOfWords(other, undefined)).toBeUndefined();
  });

  it('of a machine without shares is none, and neither is that of an editor', () => {
    expect(machineOfWords(['qemu-system-x86_64', '-m', '1G'], '/')).toBeUndefined();
    expect(machineOfWords(['vim', '-device'], '/')).toBeUndefined();
    expect(machineOfWords(['x', '-device', '{"driver":'], '/')).toBeUndefined();
  });
});
