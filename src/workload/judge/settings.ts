import type { Conclusion } from '../../model/diagnosis.ts';
import { shortNumber } from '../fio-numbers.ts';
import { figure, isDirect, synchronousEngines } from '../stream.ts';
import { bytesWords, percentWords, rateWords, secondsWords } from '../words.ts';
import { conclude, crossed, explainCommand, readsCommand, type Trial, toldFigure } from './trial.ts';

/** What the job's own settings make of its figures. */
export function judgeSettings(trial: Trial): Conclusion[] {
  return [
    ...judgeAnyway(trial),
    ...depth(trial),
    ...bufferedAsynchronous(trial),
    ...verify(trial),
    ...passes(trial),
    ...fits(trial),
    ...directInGuest(trial),
    ...processor(trial),
  ];
}

/** What they make of any figures, whatever was measured. */
export function judgeAnyway(trial: Trial): Conclusion[] {
  return [...failed(trial), ...paced(trial), ...brief(trial)];
}

function failed(trial: Trial): Conclusion[] {
  const { error } = trial.stream;
  if (error === undefined) return [];
  return [
    conclude(
      trial,
      'job-failed',
      'certain',
      `the job ended with error ${error.code}${error.text === undefined ? '' : ` (${error.text})`}: its figures are of the part before that`,
      [figure(trial.stream, 'error', { value: error.code, at: error.at })],
    ),
  ];
}

function depth(trial: Trial): Conclusion[] {
  const { engine, depth: told } = trial.stream;
  if (engine === undefined || told === undefined || told.value <= 1 || !synchronousEngines.has(engine.value))
    return [];
  return [
    conclude(
      trial,
      'synchronous-engine',
      'certain',
      `the option iodepth=${told.value} had no effect: the engine ${engine.value} waits for each request, so one was under way at a time`,
      [figure(trial.stream, 'engine', engine), figure(trial.stream, 'iodepth', told)],
      { settle: explainCommand(trial) },
    ),
  ];
}

/** libaio does a buffered request while it is submitted: none of it is under way beside another. */
function bufferedAsynchronous(trial: Trial): Conclusion[] {
  const { stream } = trial;
  const { engine, depth: told, submitNs, meanNs } = stream;
  if (engine?.value !== 'libaio' || told === undefined || told.value <= 1 || isDirect(stream) !== false)
    return [];
  return [
    conclude(
      trial,
      'buffered-asynchronous',
      'likely',
      `the engine libaio is asynchronous with direct=1 only: iodepth=${told.value} was one request at a time`,
      [
        figure(stream, 'engine', engine),
        figure(stream, 'iodepth', told),
        ...(submitNs === undefined ? [] : [figure(stream, 'mean time of submitting one', submitNs, 'ns')]),
        ...(meanNs === undefined ? [] : [figure(stream, 'mean latency', meanNs, 'ns')]),
      ],
      { unless: ['the filesystem does buffered requests without waiting'], settle: explainCommand(trial) },
    ),
  ];
}

function verify(trial: Trial): Conclusion[] {
  const { stream } = trial;
  const option = stream.options.get('verify');
  const isVerify = option !== undefined && !/^(?:0|none)$/.test(option.value);
  if (stream.direction !== 'read' || !(stream.isPhaseOfVerify || isVerify)) {
    const buffered = isDirect(stream) === false;
    const mixes =
      stream.direction === 'read' &&
      buffered &&
      /^(?:rand)?rw$|^readwrite$/.test(
        trial.inRun.find(({ job }) => job === stream.job)?.options.get('rw')?.value ?? '',
      );
    return mixes
      ? [
          conclude(
            trial,
            'reads-own-writes',
            'possible',
            'the job writes the file that it reads: reads of what it wrote come from a cache',
            [
              ...(stream.options.has('rw')
                ? [figure(stream, 'rw', stream.options.get('rw') as { value: string; at: number })]
                : []),
            ],
            {
              media: trial.isGuest ? ['guest-cache', crossed(trial, 'host-cache')] : ['host-cache'],
              unless: ['the blocks that it read were others'],
              settle: readsCommand(trial),
            },
          ),
        ]
      : [];
  }
  return [
    conclude(
      trial,
      'verify-reads',
      'certain',
      'these reads are fio verifying what the job had written just before (it flushes the file, and drops it from the page cache of its own machine, in between)',
      [
        ...(stream.requests === undefined ? [] : [figure(stream, 'reads', stream.requests)]),
        ...(option === undefined ? [] : [figure(stream, 'option verify', option)]),
      ],
      {
        ...(trial.isGuest
          ? { media: [crossed(trial, 'host-cache')], unless: ["the host's page cache had no room for it"] }
          : {}),
        settle: readsCommand(trial),
      },
    ),
  ];
}

/** More bytes than the file has: what came again was in a cache, if one had room. */
function passes(trial: Trial): Conclusion[] {
  const { stream } = trial;
  const { bytes, fileBytes } = stream;
  if (
    stream.direction !== 'read' ||
    stream.run.program !== 'fio' ||
    bytes === undefined ||
    fileBytes === undefined ||
    isDirect(stream) === true
  )
    return [];
  const total = fileBytes.value * (stream.options.has('filename') ? 1 : stream.processes);
  const times = bytes.value / total;
  if (times < 1.05) return [];
  return [
    conclude(
      trial,
      'later-passes',
      'likely',
      `${bytesWords(bytes.value)} were read of ${bytesWords(total)}: ${percentWords(1 - 1 / times)} of it for the second time or later, from a cache that the run itself had filled`,
      [figure(stream, 'bytes read', bytes, 'bytes'), figure(stream, 'size of the file', fileBytes, 'bytes')],
      {
        media: trial.isGuest
          ? ['guest-cache', crossed(trial, 'host-cache')]
          : stream.run.disks.length > 0
            ? ['host-cache']
            : ['guest-cache', 'host-cache'],
        share: [0, 1 - 1 / times],
        unless: ['the reads were direct', 'the memory is smaller than the file'],
        settle: readsCommand(trial),
      },
    ),
  ];
}

function fits(trial: Trial): Conclusion[] {
  const { stream, told } = trial;
  const { fileBytes } = stream;
  if (fileBytes === undefined || stream.run.program === 'dd') return [];
  const total = fileBytes.value * (stream.options.has('filename') ? 1 : stream.processes);
  const sides = [
    {
      who: "the host's",
      memory: told.hostMemoryBytes,
      medium: crossed(trial, 'host-cache'),
      name: '--host-memory',
    },
    {
      who: "the guest's",
      memory: told.guestMemoryBytes,
      medium: 'guest-cache' as const,
      name: '--guest-memory',
    },
  ];
  return sides.flatMap(({ who, memory, medium, name }) =>
    memory === undefined || total > memory * 0.8
      ? []
      : [
          conclude(
            trial,
            'file-fits-memory',
            'possible',
            `the file (${bytesWords(total)}) fits in ${who} memory (${bytesWords(memory)}): it can be there as a whole`,
            [
              figure(stream, 'size of the file', fileBytes, 'bytes'),
              toldFigure(`memory, as told (${name})`, memory, 'bytes'),
            ],
            {
              media: [medium],
              unless: ['it was not read or written before'],
              settle: 'vfs-verify residency PATH',
            },
          ),
        ],
  );
}

function directInGuest(trial: Trial): Conclusion[] {
  const { stream } = trial;
  const option = stream.options.get('direct') ?? stream.options.get('buffered');
  if (!trial.isGuest || isDirect(stream) !== true || option === undefined) return [];
  return [
    conclude(
      trial,
      'direct-in-the-guest-only',
      'possible',
      "in a guest, direct=1 passes the guest's cache; the host's page cache is passed too only if the daemon was started with --allow-direct-io",
      [figure(stream, 'option direct', option)],
      {
        media: [crossed(trial, 'host-cache'), crossed(trial, 'disk')],
        excludes: ['guest-cache'],
        settle: readsCommand(trial).replace(' --drop both', ' --direct --drop both'),
      },
    ),
  ];
}

function paced(trial: Trial): Conclusion[] {
  const { stream } = trial;
  const limit = stream.options.get('rate_iops');
  const other = [...stream.options].find(([name]) => /^(?:rate|thinktime)$/.test(name));
  const rate = stream.rate;
  if (limit !== undefined && rate !== undefined) {
    const part = limit.value.split(',')[stream.direction === 'write' ? 1 : 0] || limit.value.split(',')[0];
    const most = (shortNumber(part ?? '') ?? Number.NaN) * stream.processes;
    if (rate.value >= most * 0.9)
      return [
        conclude(
          trial,
          'rate-limited',
          'certain',
          `the job was held to ${rateWords(most)} requests a second, and that is what it had: a setting, not a measurement`,
          [figure(stream, 'requests a second', rate, '1/s'), figure(stream, 'option rate_iops', limit)],
        ),
      ];
  }
  return other === undefined
    ? []
    : [
        conclude(
          trial,
          'rate-limited',
          'likely',
          `the job was slowed by its own option ${other[0]}: its rate is no measurement of a device`,
          [figure(stream, `option ${other[0]}`, other[1])],
          { unless: ['the limit was never reached'] },
        ),
      ];
}

function processor(trial: Trial): Conclusion[] {
  const { stream } = trial;
  const { cpuPercent } = stream;
  if (cpuPercent === undefined || cpuPercent.value < 95) return [];
  return [
    conclude(
      trial,
      'cpu-bound',
      'likely',
      `the processor was busy ${Math.round(cpuPercent.value)} % of the time: the rate is that of the program and the kernel, not of a device`,
      [figure(stream, 'processor', cpuPercent, '%')],
    ),
  ];
}

const briefSeconds = 5;

function brief(trial: Trial): Conclusion[] {
  const { stream } = trial;
  const { seconds, requests } = stream;
  if (seconds === undefined || seconds.value >= briefSeconds) return [];
  return [
    conclude(
      trial,
      'short-run',
      'certain',
      `it took ${secondsWords(seconds.value)}: too short for a rate that lasts`,
      [
        figure(stream, 'time in all', seconds, 's'),
        ...(requests === undefined ? [] : [figure(stream, 'requests', requests)]),
      ],
    ),
  ];
}
