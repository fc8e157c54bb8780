import type { Conclusion, Figure, MediumWord } from '../../model/diagnosis.ts';
import { anyDevice } from '../device.ts';
import { optionSeconds } from '../fio-numbers.ts';
import { figure, flag, isDirect, type Quantity, type Stream } from '../stream.ts';
import { bytesWords, countWords, nsWords, percentWords, rateWords, secondsWords } from '../words.ts';
import { optionFigure, typicalNs } from './device.ts';
import { diskShare, writtenWords } from './disk.ts';
import { conclude, crossed, explainCommand, type Trial, toldFigure } from './trial.ts';

const durable = 'vfs-verify check fsync-durable';

/** Writes: what had acknowledged them, and when they were on the disk. */
export function judgeWrites(trial: Trial): Conclusion[] {
  const { stream } = trial;
  if (stream.direction !== 'write') return [];
  const flush = flushAtEnd(trial);
  return [
    ...(flush === undefined ? [] : [flush.conclusion]),
    ...acknowledged(trial, flush),
    ...flushAfterEach(trial),
    ...(flush === undefined ? noFlush(trial) : []),
    ...tooFast(trial),
  ];
}

/** O_SYNC or O_DSYNC: a write ends when it is durable. */
function isSynchronous(stream: Stream): boolean | undefined {
  const option = stream.options.get('sync');
  if (option !== undefined) return !/^(?:0|none)$/.test(option.value);
  return stream.optionsComplete ? false : undefined;
}

/** Through the page cache, as far as the options are known. */
function isBuffered(stream: Stream): boolean | undefined {
  const [direct, synchronous] = [isDirect(stream), isSynchronous(stream)];
  if (direct === true || synchronous === true) return false;
  return direct === false && synchronous === false ? true : undefined;
}

function everyNth(stream: Stream): Quantity | undefined {
  for (const name of ['fsync', 'fdatasync'] as const) {
    const option = stream.options.get(name);
    const every = Number(option?.value);
    if (option !== undefined && every > 0) return { value: every, at: [option.at] };
  }
  return undefined;
}

/** A rate that was set, or pauses: then time outside requests is no flush. */
export function isPaced({ options }: Stream): boolean {
  return [...options.keys()].some((name) => /^(?:rate|rate_iops|thinktime)$/.test(name));
}

interface Flush {
  readonly conclusion: Conclusion;
  /** Seconds after the last write. */
  readonly from: number;
  readonly to: number;
}

/**
 * Time in which no write was under way: beyond the time that was asked for, outside fio's samples, and outside
 * the writes themselves. Each is a bound of its own; together they are an interval.
 */
function flushAtEnd(trial: Trial): Flush | undefined {
  const { stream } = trial;
  const { seconds, requests, meanNs, sampledSeconds, rate } = stream;
  if (stream.run.program !== 'fio' || seconds === undefined || requests === undefined || rate === undefined)
    return undefined;
  if (isBuffered(stream) === false || everyNth(stream) !== undefined || isPaced(stream)) return undefined;
  if ((stream.syncs?.value ?? 0) > stream.processes * 10) return undefined;
  const flushes = flag(stream, 'end_fsync', false) === true || flag(stream, 'fsync_on_close', false) === true;
  if (!flushes && stream.optionsComplete) return undefined;
  const total = seconds.value;
  const asked = stream.options.get('runtime');
  const limit = asked === undefined ? undefined : optionSeconds(asked.value);
  const beyond = limit === undefined || limit === 0 ? 0 : Math.max(0, total - limit - 0.5);
  const unsampled = sampledSeconds === undefined ? 0 : Math.max(0, total - sampledSeconds.value - 0.5);
  const busy =
    meanNs === undefined || stream.outstanding !== 1 ? undefined : (requests.value * meanNs.value) / 1e9;
  const from = Math.max(beyond, unsampled);
  const to = busy === undefined ? total : Math.max(from, total - busy);
  // Without a lower bound that stands out, or where the writes themselves fill the time, there was none to speak of.
  // A machine under load pauses too: where no flush is known of, only a long time is one.
  const least = flushes ? Math.max(1, 0.05 * total) : Math.max(3, 0.15 * total);
  if (from < least || (busy !== undefined && total - busy < 0.8 * from)) return undefined;
  const writing = total - from;
  const isCertain = flushes && (beyond > 0 || busy !== undefined);
  const told = from >= 0.98 * to ? secondsWords(from) : `${secondsWords(from)} to ${secondsWords(to)}`;
  const conclusion = conclude(
    trial,
    'flush-at-end',
    isCertain ? 'certain' : 'likely',
    `${told} of ${secondsWords(total)} no write was under way: the flush that had to follow. The ${rateWords(rate.value)} writes a second are an average over both; while it wrote there were ${rateWords(stream.sampledRate?.value ?? requests.value / writing)}`,
    [
      figure(stream, 'time in all', seconds, 's'),
      figure(stream, 'writes', requests),
      ...(asked === undefined || limit === undefined
        ? []
        : [figure(stream, 'time that was asked for', { value: limit, at: asked.at }, 's')]),
      ...(sampledSeconds === undefined
        ? []
        : [figure(stream, 'time with writes (samples)', sampledSeconds, 's')]),
      ...(busy === undefined || meanNs === undefined
        ? []
        : [
            figure(
              stream,
              'time inside writes',
              { value: busy, at: [...requests.at, ...meanNs.at], how: 'writes × mean latency' },
              's',
            ),
          ]),
      ...(stream.sampledRate === undefined
        ? []
        : [figure(stream, 'writes a second while writing', stream.sampledRate, '1/s')]),
      ...optionFigure(stream, 'end_fsync'),
      ...optionFigure(stream, 'fsync_on_close'),
    ],
    {
      share: [from / total, to / total],
      unless: isCertain ? [] : ['the program waited for something else'],
      settle: durable,
    },
  );
  return { conclusion, from, to };
}

/** Where an acknowledged write was kept. */
function keptIn(trial: Trial): MediumWord[] {
  return trial.isGuest
    ? [crossed(trial, 'host-cache'), 'guest-cache']
    : trial.stream.run.disks.length > 0
      ? ['host-cache']
      : ['host-cache', 'guest-cache'];
}

function acknowledged(trial: Trial, flush: Flush | undefined): Conclusion[] {
  const { stream, inRun } = trial;
  const buffered = isBuffered(stream);
  const { requests, bytes } = stream;
  if (bytes?.value === 0) return [];
  if (requests === undefined || buffered === false || everyNth(stream) !== undefined) return [];
  const disk = diskShare(inRun, 'write');
  const fewer = disk?.most !== undefined && disk.most < 0.9 && stream.order === 'random' ? disk : undefined;
  const latency = typicalNs(stream);
  const isFast = latency !== undefined && latency.quantity.value < anyDevice.readNsCertain;
  const [why, certainty, shown]: readonly [string, 'certain' | 'likely' | undefined, readonly Figure[]] =
    flush !== undefined
      ? [
          `${bytesWords(bytes?.value ?? 0)} were acknowledged, and then had to be flushed for ${secondsWords(flush.from)} or more`,
          'certain',
          [],
        ]
      : fewer !== undefined
        ? [writtenWords(stream, fewer), 'certain', fewer.figures]
        : isFast
          ? [`a write took ${nsWords(latency.quantity.value)}, which no disk does`, 'certain', []]
          : buffered === true
            ? [
                'they were buffered (neither direct nor sync)',
                'certain',
                [...optionFigure(stream, 'direct'), ...optionFigure(stream, 'sync')],
              ]
            : ['', undefined, []];
  if (certainty === undefined) return [];
  const where = trial.isGuest ? " (the host's page cache, or with +writeback the guest's)" : '';
  const also = flush !== undefined && fewer !== undefined ? `; ${writtenWords(stream, fewer)}` : '';
  return [
    conclude(
      trial,
      'acknowledged-from-memory',
      certainty,
      `the writes were acknowledged from memory${where}: ${why}${also}`,
      [
        figure(stream, 'writes', requests),
        ...(latency === undefined ? [] : [figure(stream, latency.name, latency.quantity, 'ns')]),
        ...shown,
        ...(flush !== undefined && fewer !== undefined ? fewer.figures : []),
        ...(flush?.conclusion.figures.slice(0, 1) ?? []),
      ],
      {
        media: keptIn(trial),
        excludes: [crossed(trial, 'disk')],
        unless: [],
        settle: explainCommand(trial),
      },
    ),
  ];
}

function flushAfterEach(trial: Trial): Conclusion[] {
  const { stream } = trial;
  const every = everyNth(stream);
  const { syncs, syncMeanNs, seconds, requests } = stream;
  if ((every === undefined && (syncs?.value ?? 0) <= stream.processes * 10) || requests === undefined)
    return [];
  const spent =
    syncs === undefined || syncMeanNs === undefined || seconds === undefined
      ? undefined
      : (syncs.value * syncMeanNs.value) / 1e9 / stream.processes / seconds.value;
  return [
    conclude(
      trial,
      'flush-after-each',
      'certain',
      `the writes were flushed as they went (${syncs === undefined || syncs.value === 0 ? 'fsync' : countWords(syncs.value)}${syncs === undefined || syncs.value === 0 ? '' : ' flushes'} for ${countWords(requests.value)} writes${spent === undefined ? '' : `, ${percentWords(Math.min(1, spent))} of the time`}): the rate is that of flushing`,
      [
        figure(stream, 'writes', requests),
        ...(syncs === undefined ? [] : [figure(stream, 'flushes', syncs)]),
        ...(syncMeanNs === undefined ? [] : [figure(stream, 'mean time of a flush', syncMeanNs, 'ns')]),
        ...optionFigure(stream, 'fsync'),
        ...optionFigure(stream, 'fdatasync'),
      ],
      { unless: ['a flush does not reach the disk on the way down'], settle: durable },
    ),
  ];
}

/** The program ended before the disk had it. */
function noFlush(trial: Trial): Conclusion[] {
  const { stream } = trial;
  const { bytes, syncs } = stream;
  if (isBuffered(stream) === false || everyNth(stream) !== undefined || !bytes?.value) return [];
  if ((syncs?.value ?? 0) > 0) return [];
  // Before it verifies, fio flushes by itself.
  const verifies = stream.options.get('verify');
  if (verifies !== undefined && !/^(?:0|none)$/.test(verifies.value)) return [];
  const names = ['end_fsync', 'fsync_on_close', 'sync_file_range', 'write_barrier'];
  if (names.some((name) => flag(stream, name, false) === true)) return [];
  const isKnown = stream.optionsComplete && isBuffered(stream) === true;
  return [
    conclude(
      trial,
      'no-flush',
      isKnown ? 'certain' : 'possible',
      isKnown
        ? `nothing was flushed: when the program said it was done, up to ${bytesWords(bytes.value)} were still in a cache, and their way to the disk is not in this number`
        : `whether anything was flushed is not in this output: up to ${bytesWords(bytes.value)} may still have been in a cache at the end`,
      [
        figure(stream, 'bytes written', bytes, 'bytes'),
        ...(syncs === undefined ? [] : [figure(stream, 'flushes', syncs)]),
      ],
      {
        media: keptIn(trial),
        unless: isKnown
          ? ['the kernel wrote most of it back meanwhile']
          : ['the options were direct, sync or with a flush: the output does not have them'],
        settle: explainCommand(trial),
      },
    ),
  ];
}

/** A flush that came back before any such device could have it. */
function tooFast(trial: Trial): Conclusion[] {
  const { stream, told } = trial;
  const { syncs, syncMeanNs } = stream;
  if (syncMeanNs === undefined || (syncs !== undefined && syncs.value < 10)) return [];
  const isNothing = syncMeanNs.value < anyDevice.readNsCertain;
  if (!isNothing && !(told.device === 'hdd' && syncMeanNs.value < 1e6)) return [];
  return [
    conclude(
      trial,
      'flush-too-fast',
      isNothing ? 'certain' : 'likely',
      isNothing
        ? `a flush took ${nsWords(syncMeanNs.value)} on average: it reached no device`
        : `a flush took ${nsWords(syncMeanNs.value)} on average, and a rotating disk must turn to it`,
      [
        figure(stream, 'mean time of a flush', syncMeanNs, 'ns'),
        ...(syncs === undefined ? [] : [figure(stream, 'flushes', syncs)]),
        ...(isNothing ? [] : [toldFigure('the device, as told (--device)', 'hdd')]),
      ],
      {
        unless: isNothing
          ? ['there was nothing to flush', 'the file lies on memory anyway (tmpfs)']
          : ["the disk's write cache is kept alive by a battery, or the disk lies"],
        settle: durable,
      },
    ),
  ];
}
