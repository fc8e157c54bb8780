import type { Conclusion, MediumWord } from '../../model/diagnosis.ts';
import { figure, flag, isDirect, type Quantity, type Stream } from '../stream.ts';
import { bytesWords, countWords, percentWords, rateWords } from '../words.ts';
import { diskShare } from './disk.ts';
import { conclude, crossed, explainCommand, readsCommand, type Trial } from './trial.ts';
import { isPaced } from './writes.ts';

/** A guest that is faster than this many times the host's own disk did not read from it. */
const clearly = 1.5;

/** Reads against the same job on the host. */
export function judgeAgainstHostRun(trial: Trial): Conclusion[] {
  const { stream, host } = trial;
  if (host === undefined) return [];
  if (trial.isGuest && stream.run.disks.length > 0 && stream.run.endSeen)
    return [
      conclude(
        trial,
        'host-run-differs',
        'likely',
        `below the file was a disk of the guest's own (${stream.run.disks.map(({ name }) => name.value).join(', ')}): it lay on no share, and the host's run says nothing about it`,
        stream.run.disks.slice(0, 4).map((disk) => figure(stream, 'disk', disk.name)),
        { settle: 'findmnt --target FILE' },
      ),
    ];
  if (stream.direction !== 'read') return [];
  return [...differences(trial), ...ceiling(trial)];
}

function differences(trial: Trial): Conclusion[] {
  const { host } = trial;
  if (host === undefined || host.differs.length === 0) return [];
  return [
    conclude(
      trial,
      'host-run-differs',
      'certain',
      `the host's run is another job: ${host.differs.join('; ')}`,
      [],
      {
        unless: [],
        settle: explainCommand(trial).replace('explain --', 'explain --on-host --'),
      },
    ),
  ];
}

/** What two runs are compared by: requests at random, bytes in order. */
interface Compared {
  readonly own: Quantity;
  readonly other: Quantity;
  /** Own ones for each that the host's run allows at the depth of this one. */
  readonly ratio: number;
  readonly words: (value: number) => string;
}

function comparedWith({ stream, host }: Trial): Compared | undefined {
  const other = host?.stream;
  if (other === undefined || stream.order === undefined || stream.order !== other.order) return undefined;
  const isRandom = stream.order === 'random';
  const sizes = [stream.blockBytes, other.blockBytes] as const;
  // A smaller block allows more requests; in order, the disk sees neither's.
  if (isRandom && (sizes[0] === undefined || sizes[1] === undefined || sizes[1] > sizes[0] * 1.05))
    return undefined;
  const [own, its] = isRandom ? [stream.rate, other.rate] : [stream.bytesPerSecond, other.bytesPerSecond];
  const deeper = Math.max(1, stream.outstanding / other.outstanding);
  if (own === undefined || its === undefined || its.value <= 0 || !Number.isFinite(deeper)) return undefined;
  return {
    own,
    other: its,
    ratio: own.value / (its.value * deeper),
    words: isRandom ? (value) => `${rateWords(value)} reads a second` : (value) => `${bytesWords(value)}/s`,
  };
}

function ceiling(trial: Trial): Conclusion[] {
  const { stream, host } = trial;
  const compared = comparedWith(trial);
  if (host === undefined || compared === undefined) return [];
  const { own, other, ratio, words } = compared;
  const unit = stream.order === 'random' ? '1/s' : 'bytes/s';
  const name = stream.order === 'random' ? 'reads a second' : 'bytes a second';
  const disk = diskShare(host.inRun, 'read');
  const isDisk = disk?.served !== undefined;
  const figures = [
    figure(stream, name, own, unit),
    figure(host.stream, `${name} of the host's run`, other, unit),
    ...(disk?.figures ?? []),
    ...latencies(stream, host.stream),
  ];
  const who = host.isAssumed
    ? `the same job had ${words(other.value)} in ${nameOf(host.stream)}`
    : `the host itself had ${words(other.value)}`;
  const rates = `${words(own.value)}, and ${who}`;
  if (ratio < clearly) {
    if (!isDisk || ratio < 1 / clearly) return [];
    return [
      conclude(
        trial,
        'as-fast-as-the-disk',
        'possible',
        `${rates} from its disk: as fast as the disk, and nothing says otherwise`,
        figures,
        {
          media: [crossed(trial, 'disk')],
          unless: ['a cache answered, and something else held it up to the same rate'],
          settle: readsCommand(trial),
        },
      ),
    ];
  }
  if (!isDisk)
    return [
      conclude(
        trial,
        'faster-than-the-disk',
        'possible',
        `${rates}: but that its run measured the disk cannot be seen (${disk === undefined ? 'it has no disk figures' : `${countWords(disk.requests)} disk reads for ${countWords(disk.asked)}`})`,
        figures,
        { unless: ["the host's run was slower for another reason"], settle: readsCommand(trial) },
      ),
    ];
  const atMost = 1 / ratio;
  const isApart = areApart(stream, host.stream);
  if (isApart === false)
    return [
      conclude(
        trial,
        'faster-than-the-disk',
        'possible',
        `${rates} from its disk; but the host's own reads were uneven, and one in twenty of them was as fast as these`,
        [
          ...figures,
          ...(host.stream.fastNs === undefined
            ? []
            : [figure(host.stream, "5th percentile of the host's run", host.stream.fastNs, 'ns')]),
        ],
        { unless: ["the host's run was held up by something else"], settle: readsCommand(trial) },
      ),
    ];
  const certainty =
    disk?.served === 'certain' && isApart === true && host.differs.length === 0 && !host.isAssumed
      ? 'certain'
      : 'likely';
  const whose = host.isAssumed ? 'these' : "the guest's";
  const memory = conclude(
    trial,
    'faster-than-the-disk',
    certainty,
    `${rates}, all from its disk (${countWords(disk?.requests ?? 0)} disk reads for ${countWords(disk?.asked ?? 0)} reads): at most ${percentWords(atMost)} of ${whose} can have come from that disk`,
    figures,
    {
      excludes: [crossed(trial, 'disk')],
      excludedAtMost: atMost,
      unless: [
        ...(host.isAssumed
          ? [`${nameOf(host.stream)} is not the host's run on the same disk (name it: --host-run)`]
          : []),
        ...(host.differs.length > 0 ? ['the two runs differ (host-run-differs)'] : []),
        "the guest's file lay on another disk than the host's",
      ],
      settle: readsCommand(trial),
    },
  );
  return [memory, ...direct(trial, atMost), ...whichMemory(trial, atMost)];
}

/**
 * Whether the guest's usual read is clearly faster than nearly all of the host's. A host whose run was held up
 * has a low average and fast reads all the same. Undefined where latencies do not say.
 */
function areApart(stream: Stream, host: Stream): boolean | undefined {
  if (stream.order !== 'random' || stream.medianNs === undefined || host.fastNs === undefined)
    return undefined;
  // A deeper queue makes each request of the host's wait longer than its disk took.
  const queued = Math.max(1, host.outstanding / stream.outstanding);
  return Number.isFinite(queued) ? stream.medianNs.value * clearly < host.fastNs.value / queued : undefined;
}

function latencies(stream: Stream, host: Stream) {
  return [
    stream.medianNs === undefined ? undefined : figure(stream, 'median latency', stream.medianNs, 'ns'),
    host.medianNs === undefined
      ? undefined
      : figure(host, "median latency of the host's run", host.medianNs, 'ns'),
  ].flatMap((each) => each ?? []);
}

/** O_DIRECT in a guest passes the guest's cache only, unless the daemon lets it through. */
function direct(trial: Trial, atMost: number): Conclusion[] {
  if (isDirect(trial.stream) !== true) return [];
  const option = trial.stream.options.get('direct') ?? trial.stream.options.get('buffered');
  return [
    conclude(
      trial,
      'direct-not-direct',
      'certain',
      `with direct=1 it was not direct down to the disk: at most ${percentWords(atMost)} of the reads reached it. In the guest it passes the guest's cache only; the daemon reads through the host's, unless it was started with --allow-direct-io`,
      [option === undefined ? undefined : figure(trial.stream, 'option direct', option)],
      {
        media: [crossed(trial, 'host-cache')],
        excludes: ['guest-cache'],
        settle: 'vfs-verify check direct-and-buffered',
      },
    ),
  ];
}

/**
 * Which memory it was. fio drops the file from the page cache of the machine it runs on before it begins
 * (`invalidate`, on by default), and at random it meets each block once before any comes again. So in a guest
 * the first pass cannot be the guest's cache, and what is neither that nor the disk is the host's cache.
 */
function whichMemory(trial: Trial, diskAtMost: number): Conclusion[] {
  const { stream } = trial;
  const { bytes, fileBytes } = stream;
  if (!trial.isGuest) return [];
  const isDirectRun = isDirect(stream) === true;
  const invalidates =
    stream.run.program === 'fio' && flag(stream, 'pre_read', false) === false
      ? flag(stream, 'invalidate', true)
      : false;
  const meetsEachOnce = readsEachPageOnce(trial);
  const media: MediumWord = crossed(trial, 'host-cache');
  const settle = readsCommand(trial);
  if (
    isDirectRun ||
    (invalidates === true && meetsEachOnce && bytes !== undefined && fileBytes !== undefined)
  ) {
    const distinct = distinctBytes(stream);
    const again =
      isDirectRun || bytes === undefined || distinct === undefined
        ? 0
        : Math.max(0, 1 - distinct / bytes.value);
    const least = 1 - again - diskAtMost;
    if (least > 0.5) {
      const laid = stream.run.layouts.find(({ job }) => job === stream.job);
      const why = isDirectRun
        ? "direct=1 passes the guest's own cache"
        : `fio drops the file from the guest's own cache before it begins, and at most ${percentWords(again)} of the reads came to a block for the second time`;
      return [
        conclude(
          trial,
          'served-by-host-cache',
          'likely',
          `the host's page cache answered ${percentWords(least)} or more: ${why}; the disk could do ${percentWords(diskAtMost)}${laid === undefined ? '' : '. fio wrote the file just before, which put it there'}`,
          [
            bytes === undefined ? undefined : figure(stream, 'bytes read', bytes, 'bytes'),
            fileBytes === undefined ? undefined : figure(stream, 'size of the file', fileBytes, 'bytes'),
            stream.medianNs === undefined
              ? undefined
              : figure(stream, 'median latency', stream.medianNs, 'ns'),
            laid === undefined
              ? undefined
              : figure(
                  stream,
                  'file laid out in this run',
                  { value: laid.bytes ?? 'yes', at: laid.at },
                  'bytes',
                ),
          ],
          {
            media: [media],
            share: [least, 1],
            unless: [
              "fio could not drop it (the guest's pages were dirty, mapped, or in a DAX window)",
              'the blocks were never written (a hole), which needs no disk either',
            ],
            settle,
          },
        ),
        conclude(
          trial,
          'guest-drop-changes-nothing',
          'likely',
          `dropping the guest's caches cannot change this number: ${isDirectRun ? 'they were passed by' : 'fio itself drops the file there before each run'}, and the bytes were on the host's side`,
          [
            bytes === undefined ? undefined : figure(stream, 'bytes read', bytes, 'bytes'),
            fileBytes === undefined ? undefined : figure(stream, 'size of the file', fileBytes, 'bytes'),
          ],
          {
            media: [media],
            excludes: ['guest-cache'],
            excludedAtMost: again,
            unless: ["fio's drop did not work"],
            settle: settle.replace('--drop both', '--drop guest'),
          },
        ),
      ];
    }
  }
  return [
    conclude(
      trial,
      'served-by-host-cache',
      'possible',
      `memory answered ${percentWords(1 - diskAtMost)} or more: the guest's page cache or the host's, these figures do not tell which`,
      [],
      {
        media: ['guest-cache', media],
        share: [1 - diskAtMost, 1],
        unless: ['the blocks were never written (a hole)'],
        settle,
      },
    ),
  ];
}

function nameOf(stream: Stream): string {
  return stream.output.file.split('/').at(-1) ?? stream.output.file;
}

/** Options by which blocks come in another order than by fio's map, or come before anything is counted. */
const otherOrders = [
  'random_distribution',
  'file_service_type',
  'percentage_random',
  'read_iolog',
  'zonemode',
  'ramp_time',
] as const;

/**
 * Whether no page is read twice before each was read once: at random by fio's map, in whole pages, without the
 * guest's readahead, and by nobody else.
 */
function readsEachPageOnce({ stream, inRun }: Trial): boolean {
  const { options, blockBytes } = stream;
  const file = options.get('filename')?.value;
  const others = inRun.filter(
    (each) =>
      each !== stream &&
      (each.job === stream.job || (file !== undefined && each.options.get('filename')?.value === file)),
  );
  return (
    stream.order === 'random' &&
    blockBytes !== undefined &&
    blockBytes % 4096 === 0 &&
    flag(stream, 'norandommap', false) === false &&
    flag(stream, 'softrandommap', false) === false &&
    flag(stream, 'fadvise_hint', true) === true &&
    options.get('fadvise_hint')?.value !== 'sequential' &&
    !otherOrders.some((name) => options.has(name)) &&
    others.length === 0
  );
}

/** Bytes of the file that were certainly read at least once. */
function distinctBytes({ bytes, fileBytes, options, processes }: Stream): number | undefined {
  if (bytes === undefined || fileBytes === undefined) return undefined;
  // Processes on one file have a map each: they may all have read the same.
  return options.has('filename')
    ? Math.min(fileBytes.value, bytes.value / processes)
    : Math.min(fileBytes.value * processes, bytes.value);
}

/** How the host's run differs from the guest's; empty for the same job. */
export function differencesOf(stream: Stream, host: Stream): string[] {
  const told = (name: string, a: unknown, b: unknown) =>
    a === undefined || b === undefined || a === b ? [] : [`${name} ${a} in the guest, ${b} on the host`];
  return [
    ...told('order', stream.order, host.order),
    ...told('block', stream.blockBytes, host.blockBytes),
    ...told('engine', stream.engine?.value, host.engine?.value),
    ...(Number.isFinite(stream.outstanding) && Number.isFinite(host.outstanding)
      ? told('requests at once', stream.outstanding, host.outstanding)
      : []),
    ...told('file size', stream.fileBytes?.value, host.fileBytes?.value),
    ...told('direct', isDirect(stream), isDirect(host)),
  ];
}

/** Two runs of one job that came out alike: what was done between them did not matter. */
export function judgePairs(trial: Trial, others: readonly Stream[]): Conclusion[] {
  const { stream } = trial;
  if (stream.direction !== 'read' || stream.rate === undefined || isPaced(stream)) return [];
  const rate = stream.rate.value;
  const twin = others.find(
    (each) =>
      each.rate !== undefined &&
      each.job === stream.job &&
      each.direction === stream.direction &&
      differencesOf(stream, each).length === 0 &&
      Math.abs(each.rate.value / rate - 1) < 0.1,
  );
  if (twin?.rate === undefined) return [];
  const apart = Math.abs(twin.rate.value / rate - 1);
  const when = [stream, twin]
    .map((each) => `${rateWords(each.rate?.value ?? 0)} (${nameOf(each)})`)
    .join(' and ');
  return [
    conclude(
      trial,
      'same-from-both-runs',
      'likely',
      `two runs of this job agree within ${percentWords(apart)}: ${when} reads a second. What was done between them, such as dropping the guest's caches, did not change where the bytes came from`,
      [
        figure(stream, 'reads a second', stream.rate, '1/s'),
        figure(twin, 'reads a second of the other run', twin.rate, '1/s'),
        ...latencies(stream, twin).map((each) => ({
          ...each,
          name: each.name.replace("the host's", 'the other'),
        })),
      ],
      { unless: ['what was done between them filled the same cache again'], settle: readsCommand(trial) },
    ),
  ];
}
