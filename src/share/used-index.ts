import type { Qmp } from '../endpoint/qmp.ts';
import { KnownError } from '../model/error.ts';

/** More queues than any file system device here has. */
const mostQueues = 64;

interface VirtioDevice {
  readonly name: string;
  readonly path: string;
}

/** How each kind of device is called, and which property holds its tag. */
const kinds = {
  virtiofs: { name: 'fs', property: 'tag' },
  '9p': { name: '9p', property: 'mount_tag' },
};

/**
 * Reads how many messages the server of a share has completed, per queue and mod 65,536, without touching the
 * guest. QEMU counts those of 9p, which it serves itself. For a daemon it says where each queue's used ring is,
 * and the 16 bits at offset 2 of it count. The device is looked up once.
 * @throws KnownError `no-queue` where this machine has no such device; what QMP throws.
 */
export async function usedIndexReader(
  qmp: Qmp,
  tag: string,
  type: keyof typeof kinds = 'virtiofs',
): Promise<() => Promise<number[]>> {
  const { name: part, property } = kinds[type];
  const devices = (await qmp.execute('x-query-virtio')) as readonly VirtioDevice[];
  let path: string | undefined;
  for (const device of devices.filter(({ name }) => name.includes(part))) {
    const found = await qmp.execute('qom-get', { path: device.path, property }).catch(() => undefined);
    if (found === tag) path = device.path;
  }
  if (path === undefined) {
    throw new KnownError(
      'no-queue',
      `this QEMU has no ${type} device with the tag ${tag}`,
      'Name the QMP socket of the machine that the share belongs to.',
    );
  }
  const device = path;
  if (type === '9p') return async () => [await completedByQemu(qmp, device)];
  const rings = await ringsOf(qmp, device);
  return () => Promise.all(rings.map((address) => usedIndex(qmp, address)));
}

/** Where the used rings of a device's queues are, in the guest's physical memory. */
async function ringsOf(qmp: Qmp, path: string): Promise<number[]> {
  const rings: number[] = [];
  for (let queue = 0; queue < mostQueues; queue += 1) {
    try {
      const status = (await qmp.execute('x-query-virtio-vhost-queue-status', { path, queue })) as {
        'used-phys': number;
      };
      rings.push(status['used-phys']);
    } catch (error) {
      if (queue > 0 && error instanceof KnownError && error.code === 'qmp-refused') break;
      throw error;
    }
  }
  return rings;
}

/** A 9p device has one queue. */
async function completedByQemu(qmp: Qmp, path: string): Promise<number> {
  const status = (await qmp.execute('x-query-virtio-queue-status', { path, queue: 0 })) as {
    'used-idx': number;
  };
  return status['used-idx'];
}

async function usedIndex(qmp: Qmp, ring: number): Promise<number> {
  const text = String(
    await qmp.execute('human-monitor-command', { 'command-line': `xp /1hx 0x${(ring + 2).toString(16)}` }),
  );
  const value = /: 0x([0-9a-f]{1,4})\s*$/.exec(text)?.[1];
  if (value === undefined)
    throw new KnownError(
      'qmp-refused',
      `QEMU did not read the guest's memory: ${text.trim()}`,
      'Leave the used index out: the account is then bounded in places.',
    );
  return Number.parseInt(value, 16);
}
