import type { Certainty, Conclusion, Figure } from '../../model/diagnosis.ts';
import { anyDevice, deviceOfName } from '../device.ts';
import type { SavedDisk } from '../saved-run.ts';
import { figure, isDirect, type Quantity, type Stream } from '../stream.ts';
import { bytesWords, countWords, percentWords } from '../words.ts';
import { conclude, explainCommand, readsCommand, type Trial } from './trial.ts';

/** fio looks at the disks four times a second, and what came after its last look is missing. */
const blindSeconds = 0.5;
/** Larger random requests are split by the kernel: counting says nothing of them. */
const maxSingleRequest = 128 * 1024;
/** No kernel's block layer makes larger requests. */
const largestDiskRequest = 32 * 1024 ** 2;

/** How much of what a run asked for its disks did, in one direction. */
export interface DiskShare {
  readonly disks: readonly SavedDisk[];
  readonly names: string;
  readonly asked: number;
  /** Requests that the disks completed, those merged into others counted. */
  readonly done: number;
  readonly requests: number;
  /** Bounds of the part that reached the disks; absent where counts cannot say. */
  readonly least?: number;
  readonly most?: number;
  /** Whether the disks can be said to have done all of it. */
  readonly served?: Certainty;
  readonly figures: readonly Figure[];
}

/** What a run's disk figures say about all streams of one direction together. Undefined: there are none. */
export function diskShare(inRun: readonly Stream[], direction: 'read' | 'write'): DiskShare | undefined {
  const streams = inRun.filter((each) => each.direction === direction);
  const [first] = streams;
  if (first === undefined || first.run.disks.length === 0) return undefined;
  const { disks } = first.run;
  const column = direction === 'read' ? 0 : 1;
  const total = (of: (disk: SavedDisk) => number) => disks.reduce((sum, disk) => sum + of(disk), 0);
  const requests = total((disk) => disk.requests[column].value);
  const done = requests + total((disk) => disk.merges[column].value);
  const asked = streams.reduce((sum, each) => sum + (each.requests?.value ?? Number.NaN), 0);
  const askedBytes = streams.reduce((sum, each) => sum + (each.bytes?.value ?? Number.NaN), 0);
  const seconds = Math.min(...streams.map((each) => each.seconds?.value ?? 0));
  const base = {
    disks,
    names: disks.map(({ name }) => name.value).join(', '),
    asked,
    done,
    requests,
    figures: figuresOf(first, streams, disks, direction),
  };
  if (!Number.isFinite(asked) || asked === 0 || seconds <= blindSeconds * 2) return base;
  if (areCountersOff(disks, streams)) return base;
  const blind = blindSeconds / seconds;
  const sectors = disks.every((disk) => disk.sectors !== undefined)
    ? total((disk) => (disk.sectors?.[column].value ?? 0) * 512)
    : undefined;
  if (sectors !== undefined && direction === 'read') {
    const part = sectors / askedBytes;
    return { ...base, ...bounds(part, blind), ...servedBy(part, blind) };
  }
  const isCountable = streams.every(
    (each) =>
      (each.order === 'random' || isDirect(each) === true) &&
      (each.blockBytes ?? Number.POSITIVE_INFINITY) <= maxSingleRequest,
  );
  if (isCountable) {
    const part = done / asked;
    return { ...base, ...bounds(part, blind), ...servedBy(part, blind) };
  }
  // In order, one disk request can be many of the program's: only too few of them say anything.
  const part = (requests * largestDiskRequest) / askedBytes;
  return part < 0.9 ? { ...base, ...bounds(part, blind) } : base;
}

/**
 * Some devices count nothing (NVMe multipath on many kernels, or iostats switched off): all zeros are believed
 * only of random requests that no device can have done anyway.
 */
function areCountersOff(disks: readonly SavedDisk[], streams: readonly Stream[]): boolean {
  const counted = disks.some(({ requests, ticksMs, utilPercent }) =>
    [...requests, ...ticksMs, utilPercent].some((each) => (each?.value ?? 0) > 0),
  );
  const isMemory = streams.every(({ order, medianNs, meanNs }) => {
    const typical = medianNs ?? meanNs;
    return order === 'random' && typical !== undefined && typical.value < anyDevice.readNsLikely;
  });
  return !counted && !isMemory;
}

function bounds(part: number, blind: number): { least: number; most: number } {
  return { least: 0, most: Math.min(1, part + blind) };
}

function servedBy(part: number, blind: number): { served?: Certainty } {
  if (part >= 0.97 && part <= 1.1) return { served: 'certain' };
  if (part > 1.1 && part <= 1.6) return { served: 'likely' };
  return part >= 0.97 - blind && part >= 0.8 && part < 0.97 ? { served: 'likely' } : {};
}

function figuresOf(
  first: Stream,
  streams: readonly Stream[],
  disks: readonly SavedDisk[],
  direction: 'read' | 'write',
): Figure[] {
  const column = direction === 'read' ? 0 : 1;
  const asked: Quantity = {
    value: streams.reduce((sum, each) => sum + (each.requests?.value ?? 0), 0),
    at: streams.slice(0, 4).flatMap((each) => each.requests?.at ?? []),
    ...(streams.length > 1 ? { how: `sum of ${streams.length} jobs` } : {}),
  };
  return [
    figure(first, `${direction}s that the program issued`, asked),
    ...disks
      .slice(0, 4)
      .flatMap((disk) => [
        figure(first, `${disk.name.value}: ${direction}s completed`, disk.requests[column]),
        ...(disk.merges[column].value > 0
          ? [figure(first, `${disk.name.value}: ${direction}s merged`, disk.merges[column])]
          : []),
        ...(disk.utilPercent === undefined
          ? []
          : [figure(first, `${disk.name.value}: busy`, disk.utilPercent, '%')]),
      ]),
  ];
}

/** What the run's own disk figures say of reads. */
export function judgeDiskReads(trial: Trial): Conclusion[] {
  const { stream, inRun } = trial;
  if (stream.direction !== 'read') return [];
  const share = diskShare(inRun, 'read');
  if (share === undefined) return [];
  const together =
    inRun.filter((each) => each.direction === 'read').length > 1 ? ' of all jobs together' : '';
  if (share.served !== undefined) return [servedConclusion(trial, share, share.served, together)];
  if (share.most !== undefined && share.most < 0.9) {
    const memory = 1 - share.most;
    const direct = isDirect(stream) === true;
    const counts = `${countWords(share.requests)} disk ${share.requests === 1 ? 'read' : 'reads'} for ${countWords(share.asked)} reads${together}`;
    const claim = direct
      ? `with direct=1 not all can have been direct: ${counts}, so at least ${percentWords(memory)} were answered above ${share.names}`
      : `${counts}: at least ${percentWords(memory)} came from the page cache of the machine that fio ran on`;
    return [
      conclude(
        trial,
        direct ? 'direct-not-direct' : 'fewer-disk-requests',
        direct ? 'likely' : 'certain',
        claim,
        share.figures,
        {
          media: trial.isGuest ? ['guest-cache'] : ['host-cache'],
          share: [memory, 1],
          excludes: ['disk'],
          excludedAtMost: share.most,
          unless: [
            `the file lay on another device than ${share.names}`,
            ...(direct ? ['a layer between (RAID, encryption, a volume) joins requests'] : []),
          ],
          settle: readsCommand(trial),
        },
      ),
    ];
  }
  return [];
}

/** Direct writes that the device did: what its own write cache kept is not in these figures. */
export function judgeDiskWrites(trial: Trial): Conclusion[] {
  const { stream, inRun } = trial;
  if (stream.direction !== 'write' || isDirect(stream) !== true) return [];
  const share = diskShare(inRun, 'write');
  if (share?.served === undefined) return [];
  const together =
    inRun.filter((each) => each.direction === 'write').length > 1 ? ' of all jobs together' : '';
  return [servedConclusion(trial, share, share.served, together)];
}

function servedConclusion(
  trial: Trial,
  share: DiskShare,
  certainty: Certainty,
  together: string,
): Conclusion {
  const kinds = new Set(share.disks.map(({ name }) => deviceOfName(name.value)));
  const counts = `the device ${share.names} completed ${countWords(share.requests)} ${trial.stream.direction}s for the ${countWords(share.asked)} that were asked for${together}`;
  if (kinds.has('memory'))
    return conclude(
      trial,
      'device-is-memory',
      'certain',
      `${counts}, and ${share.names} is memory that plays a disk`,
      share.figures,
      { excludes: ['disk'] },
    );
  if (kinds.has('virtual') || kinds.has('loop'))
    return conclude(
      trial,
      'device-served',
      certainty,
      `${counts}: this machine's page cache did not answer; what lies below ${share.names} is not in these figures`,
      share.figures,
      {
        excludes: trial.isGuest ? ['guest-cache'] : [],
        unless: [
          kinds.has('loop')
            ? `${share.names} is a file: its own page cache, on the same machine, may hold all of it`
            : `${share.names} is a virtual disk: the machine that provides it may have answered from its memory`,
        ],
        settle: kinds.has('loop') ? 'losetup --list' : explainCommand(trial),
      },
    );
  return conclude(
    trial,
    'disk-served',
    certainty,
    `the disk served it: ${counts.replace('the device ', '')}`,
    share.figures,
    {
      media: ['disk'],
      ...(certainty === 'certain' ? { share: [0.97, 1] as const } : {}),
      excludes: ['host-cache'],
      unless: [
        ...(trial.stream.direction === 'write'
          ? ["the disk's own write cache answered, which is before its medium"]
          : []),
        ...(certainty === 'certain'
          ? []
          : ['other programs used the disk meanwhile', 'fio missed the last half second of the disk']),
      ],
    },
  );
}

/** `2,097,153 writes became 52,057 of the disk's, 161.1 KiB each`. */
export function writtenWords(stream: Stream, share: DiskShare): string {
  const each =
    share.requests > 0 && stream.bytes !== undefined
      ? `, ${bytesWords(stream.bytes.value / share.requests)} each if all of it went there`
      : '';
  return `${countWords(share.asked)} writes became ${countWords(share.requests)} of ${share.names}'s${each}`;
}
