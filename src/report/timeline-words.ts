import { type QuantityName, runQuantities } from '../model/run-quantities.ts';
import { isQuiet, type Timeline } from '../model/timeline.ts';
import { formatBytes, formatSeconds } from './quantities.ts';
import { type Server, serverName } from './server-name.ts';

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
  /** What it is called in a picture in small, which has no titles; absent: it is not in that. */
  readonly short?: string;
}

const line = (name: QuantityName, words: string, short?: string): PanelLine => ({
  name,
  words,
  ...(short === undefined ? {} : { short }),
});

const panels: readonly Pick<Panel, 'title' | 'lines'>[] = [
  {
    title: 'Read',
    lines: [
      line('askedReadBytes', 'asked by the program', 'read, asked'),
      line('crossedReadBytes', 'through the daemon', 'read, daemon'),
      line('serverDiskReadBytes', 'from the disk, for it', 'read, disk for it'),
      line('vmmDiskReadBytes', 'from the disk, for QEMU', 'read, disk for QEMU'),
    ],
  },
  {
    title: 'Written',
    lines: [
      line('askedWrittenBytes', 'asked by the program', 'written, asked'),
      line('crossedWrittenBytes', 'through the daemon', 'written, daemon'),
      line('deviceWrittenBytes', 'to the disk, by all', 'written, disk (all)'),
    ],
  },
  {
    title: 'Requests',
    lines: [
      line('askedReads', 'read calls'),
      line('askedWrites', 'write calls'),
      line('crossedMessages', 'FUSE messages', 'FUSE messages'),
      line('deviceReads', 'disk reads, by all'),
      line('deviceWrites', 'disk writes, by all'),
      line('deviceFlushes', 'disk flushes, by all'),
    ],
  },
  { title: "The guest's page cache", lines: [line('guestCachedBytes', 'cached', "guest's page cache")] },
  { title: "The host's page cache", lines: [line('hostCachedBytes', 'cached', "host's page cache")] },
  {
    title: 'Dirty pages',
    lines: [
      line('guestDirtyBytes', 'dirty in the guest', 'dirty in the guest'),
      line('guestWritebackBytes', 'under writeback in the guest'),
      line('hostDirtyBytes', 'dirty on the host', 'dirty on the host'),
      line('hostWritebackBytes', 'under writeback on the host'),
    ],
  },
];

/** What of a timeline there is to see; quantities that were 0 all the time are left out, and panels without any. */
export function panelsOf({ series, server }: Timeline): Panel[] {
  return panels.flatMap(({ title, lines }) => {
    const seen = linesFor(server, lines).filter(({ name }) => !isQuiet(series[name]));
    const [first] = seen;
    if (first === undefined) return [];
    const { kind, unit } = runQuantities[first.name];
    return [{ title, kind, unit, lines: seen }];
  });
}

/** Where QEMU is the server its disk reads are the server's, and are not told twice; and messages are 9P's. */
function linesFor(server: Server, lines: readonly PanelLine[]): readonly PanelLine[] {
  if (server === undefined) return lines;
  const own = (words: string) => words.replace(/(?:the )?daemon/, serverName(server)).replace('FUSE', '9P');
  return lines
    .filter(({ name }) => name !== 'vmmDiskReadBytes')
    .map(({ name, words, short }) => line(name, own(words), short === undefined ? undefined : own(short)));
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

/** The queue is looked at more rarely. */
const queueEveryMs = 500;

/** How far the picture may be trusted: clocks, and looks that came late. */
export function timelineGround({ withinMs, longestGapMs, intervalMs, unseen }: Timeline): string[] {
  const within = Math.max(1, Math.ceil(withinMs.guest + withinMs.host));
  const gaps = [
    ...(longestGapMs.guest > 2 * intervalMs ? [`${longestGapMs.guest} ms in the guest`] : []),
    ...(longestGapMs.host > 2 * intervalMs ? [`${longestGapMs.host} ms on the host`] : []),
    ...((longestGapMs.queue ?? 0) > 2 * Math.max(queueEveryMs, intervalMs)
      ? [`${longestGapMs.queue} ms at the queue`]
      : []),
  ];
  return [
    `the guest's and the host's moments fit together to ${within} ms`,
    ...(gaps.length === 0
      ? []
      : [`longest time between two looks: ${gaps.join(', ')}; what happened in it is shown as its average`]),
    ...unseen.map(({ what, why }) => `not over time: ${what}: ${why}`),
  ];
}
