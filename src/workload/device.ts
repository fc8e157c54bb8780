/** What a kind of device can do at best, with room: who is judged by it must be beyond doubt. */
export type DeviceKind = 'hdd' | 'ssd' | 'nvme';

interface DeviceLimits {
  readonly name: string;
  /** A random read that is faster was certainly, and likely, not the device's. */
  readonly readNsCertain: number;
  readonly readNsLikely: number;
  /** Bytes a second of one device, likewise. */
  readonly bytesCertain: number;
  readonly bytesLikely: number;
  readonly why: string;
}

export const deviceLimits: Readonly<Record<DeviceKind, DeviceLimits>> = {
  hdd: {
    name: 'rotating disk',
    // Half a turn at 15,000 a minute is 2 ms, without any seek.
    readNsCertain: 1e6,
    readNsLikely: 2e6,
    bytesCertain: 1.2e9,
    bytesLikely: 350e6,
    why: 'half a turn at 15,000 turns a minute takes 2 ms',
  },
  ssd: {
    name: 'SATA or SAS flash disk',
    readNsCertain: 15e3,
    readNsLikely: 40e3,
    bytesCertain: 2.4e9,
    bytesLikely: 600e6,
    why: 'reading a flash page alone takes some 40 µs, and SATA carries 600 MB/s',
  },
  nvme: {
    name: 'NVMe disk',
    readNsCertain: 3e3,
    readNsLikely: 7e3,
    bytesCertain: 32e9,
    bytesLikely: 16e9,
    why: 'a request across PCIe and back takes some 5 µs with nothing to read',
  },
};

/** Below these no block device of any kind has answered a random read. */
export const anyDevice = { readNsCertain: 3e3, readNsLikely: 7e3 } as const;

/** What a rotating disk must wait for on average, by its turning alone: half a turn at 15,000 a minute. */
export const halfTurnNs = 2e6;

/** Disks and their controllers keep this much themselves, at most: files below it prove nothing about platters. */
export const driveCacheBytes = 512 * 1024 ** 2;

/** What a block device's name says of it. */
export function deviceOfName(name: string): 'memory' | 'virtual' | 'loop' | 'disk' {
  if (/^(?:ram|zram|pmem)\d/.test(name)) return 'memory';
  if (/^loop\d/.test(name)) return 'loop';
  return /^(?:vd|xvd|nbd|rbd|ublkb)/.test(name) ? 'virtual' : 'disk';
}
