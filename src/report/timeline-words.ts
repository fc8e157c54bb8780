import { type QuantityName, runQuantities } from '../model/run-quantities.ts';
import { isQuiet, type Timeline } from '../model/timeline.ts';
import { formatBytes, formatSeconds } from './quantities.ts';

/** Several quantities that are looked at together. */
export interface Panel {
  readonly title: string;
  readonly kind: 'sum' | 'level';
  readonly unit: 'bytes' | 'count';
  readonly lines: readonly PanelLine[];
}

export interface PanelLine {
  readonly name: QuantityName;
  readonly words: string;
  /** What a picture in small has as well: where bytes came from and went. */
  readonly inSmall: boolean;
}

const line = (name: QuantityName, words: string): PanelLine => ({ name, words, inSmall: false });
const inSmall = (name: QuantityName, words: string): PanelLine => ({ name, words, inSmall: true });

const panels: readonly Pick<Panel, 'title' | 'lines'>[] = [
  {
    title: 'Read',
    lines: [
      inSmall('askedReadBytes', 'asked by the program'),
      inSmall('crossedReadBytes', 'through the daemon'),
      inSmall('serverDiskReadBytes', 'from the disk, for it'),
      inSmall('vmmDiskReadBytes', 'from the disk, for QEMU'),
    ],
  },
  {
    title: 'Written',
    lines: [
      inSmall('askedWrittenBytes', 'asked by the program'),
      inSmall('crossedWrittenBytes', 'through the daemon'),
      inSmall('deviceWrittenBytes', 'to the disk, by all'),
    ],
  },
  {
    title: 'Requests',
    lines: [
      line('askedReads', 'read calls'),
      line('askedWrites', 'write calls'),
      inSmall('crossedMessages', 'FUSE messages'),
      line('deviceReads', 'disk reads, by all'),
      line('deviceWrites', 'disk writes, by all'),
      line('deviceFlushes', 'disk flushes, by all'),
    ],
  },
  { title: 'Page cache of the guest', lines: [inSmall('guestCachedBytes', "guest's page cache")] },
  { title: 'Page cache of the host', lines: [inSmall('hostCachedBytes', "host's page cache")] },
  {
    title: 'Dirty pages',
    lines: [
      inSmall('guestDirtyBytes', 'dirty in the guest'),
      line('guestWritebackBytes', 'under writeback in the guest'),
      inSmall('hostDirtyBytes', 'dirty on the host'),
      line('hostWritebackBytes', 'under writeback on the host'),
    ],
  },
];

/** What of a timeline there is to see; quantities that were 0 all the time are left out, and panels without any. */
export function panelsOf({ series }: Timeline): Panel[] {
  return panels.flatMap(({ title, lines }) => {
    const seen = lines.filter(({ name }) => !isQuiet(series[name]));
    const [first] = seen;
    if (first === undefined) return [];
    const { kind, unit } = runQuantities[first.name];
    return [{ title, kind, unit, lines: seen }];
  });
}

/** Of a whole machine's cache only the changes matter: its picture does not begin at nothing. */
export function isCache(name: QuantityName): boolean {
  return name === 'guestCachedBytes' || name === 'hostCachedBytes';
}

/** `12.3 MiB/s`, `940/s`, `1.2 GiB`: a value of one interval, sums by the second. */
export function valueWords(name: QuantityName, value: number, intervalMs: number): string {
  const { kind, unit } = runQuantities[name];
  if (kind === 'level') return formatBytes(value);
  const rate = value / (intervalMs / 1000);
  if (unit === 'bytes') return `${formatBytes(Math.round(rate))}/s`;
  return `${(rate < 10 ? Number(rate.toPrecision(2)) : Math.round(rate)).toLocaleString('en-US')}/s`;
}

/** `0.1 s`, `25.6 s`. */
export function intervalWords(intervalMs: number): string {
  return intervalMs < 60_000 ? `${intervalMs / 1000} s` : formatSeconds(intervalMs / 1000);
}

/** How far the picture may be trusted: clocks, and looks that came late. */
export function timelineGround({ withinMs, longestGapMs, intervalMs, unseen }: Timeline): string[] {
  const within = Math.max(1, Math.ceil(withinMs.guest + withinMs.host));
  const gaps = [
    ...(longestGapMs.guest > 2 * intervalMs ? [`${longestGapMs.guest} ms in the guest`] : []),
    ...(longestGapMs.host > 2 * intervalMs ? [`${longestGapMs.host} ms on the host`] : []),
    ...((longestGapMs.queue ?? 0) > 2 * intervalMs ? [`${longestGapMs.queue} ms at the queue`] : []),
  ];
  return [
    `the guest's and the host's moments fit together to ${within} ms`,
    ...(gaps.length === 0
      ? []
      : [`longest time between two looks: ${gaps.join(', ')}; what happened in it is shown as its average`]),
    ...unseen.map(({ what, why }) => `not over time: ${what}: ${why}`),
  ];
}
