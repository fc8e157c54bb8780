/**
 * What is counted while somebody else's program runs, in one place: the timeline, its CSV and the metrics all take
 * names, units and words from here.
 */

/** One thing that is counted. */
interface Quantity {
  /** Whose counter it is, and so at which moments it is looked at. `queue`: the share's virtqueue, by QEMU's monitor. */
  readonly side: 'guest' | 'host' | 'queue';
  /** `sum`: it only grows, and what matters is by how much; `level`: how much there is now. */
  readonly kind: 'sum' | 'level';
  readonly unit: 'bytes' | 'count';
  readonly words: string;
}

const of = (
  side: Quantity['side'],
  kind: Quantity['kind'],
  unit: Quantity['unit'],
  words: string,
): Quantity => ({ side, kind, unit, words });

export const runQuantities = {
  askedReadBytes: of('guest', 'sum', 'bytes', 'read by the program, by the counters of all its processes'),
  askedReads: of('guest', 'sum', 'count', 'read calls of the program'),
  askedWrittenBytes: of(
    'guest',
    'sum',
    'bytes',
    'written by the program, by the counters of all its processes',
  ),
  askedWrites: of('guest', 'sum', 'count', 'write calls of the program'),
  crossedReadBytes: of(
    'host',
    'sum',
    'bytes',
    'read by the process that serves the share, less 8 bytes for each of its calls: its queue is among them',
  ),
  crossedWrittenBytes: of(
    'host',
    'sum',
    'bytes',
    'written by the process that serves the share, less 8 bytes for each of its calls: its queue is among them',
  ),
  crossedMessages: of('queue', 'sum', 'count', "messages of every kind that the share's server completed"),
  serverDiskReadBytes: of(
    'host',
    'sum',
    'bytes',
    "read from the disk for the process that serves the share, the host's readahead included",
  ),
  vmmDiskReadBytes: of('host', 'sum', 'bytes', 'read from the disk for QEMU: by loads through a DAX window'),
  deviceReadBytes: of('host', 'sum', 'bytes', 'read from the block device below the share, by everybody'),
  deviceReads: of('host', 'sum', 'count', 'reads of that block device'),
  deviceWrittenBytes: of('host', 'sum', 'bytes', 'written to that block device, by everybody'),
  deviceWrites: of('host', 'sum', 'count', 'writes of that block device'),
  deviceFlushes: of('host', 'sum', 'count', "flushes of that disk's own cache"),
  guestCachedBytes: of('guest', 'level', 'bytes', "page cache of the guest's whole machine"),
  guestDirtyBytes: of('guest', 'level', 'bytes', "dirty pages of the guest's whole machine"),
  guestWritebackBytes: of('guest', 'level', 'bytes', "pages under writeback of the guest's whole machine"),
  hostCachedBytes: of('host', 'level', 'bytes', "page cache of the host's whole machine"),
  hostDirtyBytes: of('host', 'level', 'bytes', "dirty pages of the host's whole machine"),
  hostWritebackBytes: of('host', 'level', 'bytes', "pages under writeback of the host's whole machine"),
} as const satisfies Readonly<Record<string, Quantity>>;

export type QuantityName = keyof typeof runQuantities;

/** In the order in which they are written down. */
export const quantityNames = Object.keys(runQuantities) as readonly QuantityName[];

/** Some of them at one moment; what could not be seen is absent. */
export type Quantities = Readonly<Partial<Record<QuantityName, number>>>;

/** `askedReadBytes` → `asked_read_bytes`, as other programs' tables and metrics are named. */
export function snakeCase(name: QuantityName): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
