import type { Conclusion, Figure, MediumWord } from '../../model/diagnosis.ts';
import { anyDevice, deviceLimits, deviceOfName, driveCacheBytes, halfTurnNs } from '../device.ts';
import { figure, isDirect, type Quantity, type Stream } from '../stream.ts';
import { bytesWords, nsWords, percentWords, rateWords } from '../words.ts';
import { diskShare } from './disk.ts';
import { conclude, crossed, readsCommand, type Trial, toldFigure } from './trial.ts';

/** Below it reads of one request do not show the medium: their time is the copying's. */
const maxBlock = 64 * 1024;
const fewRequests = 100;

/** Reads against what a device of the kind told, or of any kind, can do. */
export function judgeAgainstDevice(trial: Trial): Conclusion[] {
  const { stream } = trial;
  return [
    ...toldIops(trial),
    ...(stream.direction === 'read' && stream.order === 'random' ? randomReads(trial) : []),
    ...wire(trial),
  ];
}

function toldIops(trial: Trial): Conclusion[] {
  const { stream, told } = trial;
  const { rate } = stream;
  if (
    told.deviceIops === undefined ||
    rate === undefined ||
    stream.direction !== 'read' ||
    stream.order !== 'random'
  )
    return [];
  const atMost = told.deviceIops / rate.value;
  if (atMost > 0.9) return [];
  return [
    conclude(
      trial,
      'faster-than-the-device',
      'certain',
      `${rateWords(rate.value)} reads a second, and the device does ${rateWords(told.deviceIops)}: at most ${percentWords(atMost)} of them can be its`,
      [
        figure(stream, 'reads a second', rate, '1/s'),
        toldFigure('the device, as told (--device-iops)', told.deviceIops, '1/s'),
      ],
      {
        excludes: [crossed(trial, 'disk')],
        excludedAtMost: atMost,
        media: memoryMedia(trial),
        unless: [`${rateWords(told.deviceIops)} is not what this device does at this depth`],
        settle: readsCommand(trial),
      },
    ),
  ];
}

/** Some memory, where it is not known which. */
function memoryMedia(trial: Trial): MediumWord[] {
  if (trial.isGuest) return ['guest-cache', crossed(trial, 'host-cache')];
  // Without disk figures it may be a guest's as well.
  return trial.stream.run.disks.length > 0 ? ['host-cache'] : ['guest-cache', 'host-cache'];
}

/**
 * The time that most requests took, with their submission: asynchronous engines do a buffered read while they
 * submit it, and fio's median leaves that out.
 */
export function typicalNs({
  medianNs,
  meanNs,
  submitNs,
}: Stream): { readonly quantity: Quantity; readonly name: string } | undefined {
  const submits = submitNs !== undefined && meanNs !== undefined && submitNs.value > 0.2 * meanNs.value;
  if (medianNs !== undefined && !submits) return { quantity: medianNs, name: 'median latency' };
  return meanNs === undefined ? undefined : { quantity: meanNs, name: 'mean latency' };
}

function randomReads(trial: Trial): Conclusion[] {
  const { stream, told } = trial;
  const typical = typicalNs(stream);
  if (
    typical === undefined ||
    (stream.blockBytes ?? 0) > maxBlock ||
    (stream.requests?.value ?? 0) < fewRequests
  )
    return [];
  const { quantity, name } = typical;
  const shown: Figure = figure(stream, name, quantity, 'ns');
  const half = name === 'median latency' ? 'at least half of the reads' : 'the reads';
  if (quantity.value < anyDevice.readNsLikely) {
    const isCertain = quantity.value < anyDevice.readNsCertain;
    // The device did answer: then it is what lies below it that has memory.
    const below =
      diskShare(trial.inRun, 'read')?.served === undefined ? undefined : stream.run.disks[0]?.name.value;
    const isDirectRun = isDirect(stream) === true && below === undefined;
    const took = `a read took ${nsWords(quantity.value)}`;
    return [
      conclude(
        trial,
        isDirectRun ? 'direct-not-direct' : 'latency-of-memory',
        isCertain ? 'certain' : 'likely',
        below !== undefined
          ? `${took}, and no disk answers in that: what lies below ${below} answered ${half} from memory`
          : isDirectRun
            ? `${took}, with direct=1: ${half} reached no device`
            : `${took}, and no disk answers in that: ${half} came from the memory of the machine that fio ran on`,
        [shown, ...optionFigure(stream, 'direct')],
        {
          media: mediaOf(trial, below),
          share: [0.5, 1],
          excludes: [crossed(trial, 'disk')],
          unless: [
            ...(isCertain ? [] : ['a very fast disk (Optane)']),
            ...(trial.isGuest
              ? ["the file was in a DAX window: then it was the host's memory"]
              : below === undefined
                ? ['the file lies on memory anyway (tmpfs, a RAM disk, persistent memory)']
                : []),
          ],
          settle: readsCommand(trial),
        },
      ),
    ];
  }
  return [
    ...(told.device === undefined
      ? rotating(trial, false)
      : told.device === 'hdd'
        ? rotating(trial, true)
        : flash(trial, quantity, shown, half)),
  ];
}

/** Of what lies below a virtual disk nothing is known but that it is memory. */
function mediaOf({ isGuest, stream }: Trial, below: string | undefined): MediumWord[] {
  if (below !== undefined && deviceOfName(below) === 'virtual') return [];
  if (isGuest) return ['guest-cache'];
  return stream.run.disks.length > 0 ? ['host-cache'] : ['guest-cache', 'host-cache'];
}

/** What turns must wait: the one floor that needs no knowledge of the model. */
function rotating(trial: Trial, isTold: boolean): Conclusion[] {
  const { stream } = trial;
  const { meanNs, fileBytes, rate } = stream;
  if (meanNs === undefined || meanNs.value >= deviceLimits.hdd.readNsCertain) return [];
  // What fio saw its disk do says more.
  if (!isTold && stream.run.disks.length > 0) return [];
  const size = fileBytes === undefined ? undefined : fileBytes.value * stream.processes;
  const certainty =
    size === undefined
      ? 'likely'
      : size >= 4 * driveCacheBytes
        ? 'certain'
        : size > driveCacheBytes
          ? 'likely'
          : 'possible';
  const atMost = meanNs.value / halfTurnNs;
  const rateText = rate === undefined ? '' : `${rateWords(rate.value)} a second, `;
  return [
    conclude(
      trial,
      isTold ? 'faster-than-the-device' : 'no-rotating-disk',
      certainty,
      `random reads of ${nsWords(meanNs.value)} on average (${rateText}${deviceLimits.hdd.why}): at most ${percentWords(atMost)} of them waited for a rotating disk`,
      [
        figure(stream, 'mean latency', meanNs, 'ns'),
        rate === undefined ? undefined : figure(stream, 'reads a second', rate, '1/s'),
        fileBytes === undefined ? undefined : figure(stream, 'size of the file', fileBytes, 'bytes'),
        ...(isTold ? [toldFigure('the device, as told (--device)', 'hdd')] : []),
      ],
      {
        excludedAtMost: atMost,
        ...(isTold ? { excludes: [crossed(trial, 'disk')], media: memoryMedia(trial) } : {}),
        unless: [
          isTold
            ? 'a cache below the kernel answered: of a RAID controller, or flash before the disk'
            : 'the disk is none that turns: then these figures say nothing against it (--device, --host-run)',
          ...(certainty === 'certain' ? [] : ["the file fits in the disk's own memory"]),
        ],
        settle: readsCommand(trial),
      },
    ),
  ];
}

function flash(trial: Trial, typical: Quantity, shown: Figure, half: string): Conclusion[] {
  const { told } = trial;
  const limits = told.device === undefined ? undefined : deviceLimits[told.device];
  if (limits === undefined || typical.value >= limits.readNsLikely) return [];
  const certainty = typical.value < limits.readNsCertain ? 'certain' : 'likely';
  return [
    conclude(
      trial,
      'faster-than-the-device',
      certainty,
      `a read took ${nsWords(typical.value)}, and a ${limits.name} cannot answer in that (${limits.why}): ${half} came from memory`,
      [shown, toldFigure('the device, as told (--device)', told.device ?? '')],
      {
        excludes: [crossed(trial, 'disk')],
        media: memoryMedia(trial),
        share: [0.5, 1],
        unless: [
          'a cache below the kernel answered',
          ...(certainty === 'certain' ? [] : ['an unusually fast model']),
        ],
        settle: readsCommand(trial),
      },
    ),
  ];
}

/** Bytes a second against the device's wire. */
function wire(trial: Trial): Conclusion[] {
  const { stream, told } = trial;
  const { bytesPerSecond } = stream;
  if (told.device === undefined || bytesPerSecond === undefined || stream.direction === 'trim') return [];
  const limits = deviceLimits[told.device];
  if (bytesPerSecond.value <= limits.bytesLikely) return [];
  const certainty = bytesPerSecond.value > limits.bytesCertain ? 'certain' : 'likely';
  const limit = certainty === 'certain' ? limits.bytesCertain : limits.bytesLikely;
  return [
    conclude(
      trial,
      'beyond-the-wire',
      certainty,
      `${bytesWords(bytesPerSecond.value)} a second, and one ${limits.name} moves ${bytesWords(limit)} at most: at least ${percentWords(1 - limit / bytesPerSecond.value)} was memory`,
      [
        figure(stream, 'bytes a second', bytesPerSecond, 'bytes/s'),
        toldFigure('the device, as told (--device)', told.device),
      ],
      {
        excludedAtMost: limit / bytesPerSecond.value,
        excludes: [crossed(trial, 'disk')],
        unless: ['there are several devices', 'what is stored there is compressed, or nothing is (a hole)'],
        settle: stream.direction === 'write' ? 'vfs-verify check fsync-durable' : readsCommand(trial),
      },
    ),
  ];
}

/** An option as a figure, where it is known. */
export function optionFigure(stream: Stream, name: string): Figure[] {
  const option = stream.options.get(name);
  return option === undefined ? [] : [figure(stream, `option ${name}`, option)];
}
