import type { Conclusion, ConclusionCode } from '../model/diagnosis.ts';
import type { Stream } from './stream.ts';
import { bytesWords, percentWords, rateWords } from './words.ts';

/** The most telling first. */
const order: readonly ConclusionCode[] = [
  'job-failed',
  'no-file',
  'direct-not-direct',
  'verify-reads',
  'served-by-host-cache',
  'served-by-guest-cache',
  'faster-than-the-disk',
  'faster-than-the-device',
  'device-is-memory',
  'latency-of-memory',
  'fewer-disk-requests',
  'disk-served',
  'device-served',
  'beyond-the-wire',
  'flush-at-end',
  'flush-too-fast',
  'flush-after-each',
  'acknowledged-from-memory',
  'no-flush',
  'rate-limited',
  'guest-drop-changes-nothing',
  'same-from-both-runs',
  'as-fast-as-the-disk',
  'no-rotating-disk',
  'cpu-bound',
  'synchronous-engine',
  'buffered-asynchronous',
  'later-passes',
  'reads-own-writes',
  'direct-in-the-guest-only',
  'file-fits-memory',
  'host-run-differs',
  'nothing-contradicts',
  'short-run',
];

const sure = { certain: 0, likely: 0.3, possible: 40 } as const;

/** Smaller is more telling: by what it says, then by how sure it is; what is only possible comes after all else. */
export function rankOf({ code, certainty }: Conclusion): number {
  const at = order.indexOf(code);
  return (at < 0 ? order.length : at) + sure[certainty];
}

const aboutMedium = new Set<ConclusionCode>([
  'direct-not-direct',
  'served-by-host-cache',
  'served-by-guest-cache',
  'faster-than-the-disk',
  'faster-than-the-device',
  'device-is-memory',
  'latency-of-memory',
  'fewer-disk-requests',
  'disk-served',
  'device-served',
  'beyond-the-wire',
  'as-fast-as-the-disk',
  'flush-at-end',
  'flush-after-each',
  'flush-too-fast',
  'acknowledged-from-memory',
  'no-rotating-disk',
]);

/** Whether it says something of the medium that was measured. */
export function speaksOfMedium({ code }: Conclusion): boolean {
  return aboutMedium.has(code);
}

/** One sentence about a file: its most telling job, and the next one of another kind. */
export function headlineOf(streams: readonly Stream[], conclusions: readonly Conclusion[]): string {
  const told = new Set<string>();
  const sentences: string[] = [];
  for (const each of conclusions) {
    const stream = streams.find(({ about }) => about === each.about);
    if (stream === undefined || told.has(each.about) || !isHeadline(each)) continue;
    told.add(each.about);
    sentences.push(`${streams.length > 1 ? `${each.about}: ` : ''}${sentence(stream, each, conclusions)}`);
    if (sentences.length === 2) break;
  }
  const more = streams.length - sentences.length;
  if (sentences.length === 0) return 'nothing could be concluded from these figures';
  return `${sentences.join('; ')}${more > 0 ? `; and ${more} more below` : ''}`;
}

function isHeadline(each: Conclusion): boolean {
  return (
    speaksOfMedium(each) ||
    each.code === 'nothing-contradicts' ||
    each.code === 'verify-reads' ||
    each.code === 'rate-limited' ||
    each.code === 'no-flush' ||
    each.code === 'no-file' ||
    each.code === 'job-failed'
  );
}

function figureOf(stream: Stream): string {
  const noun = stream.direction === 'read' ? 'reads' : stream.direction === 'write' ? 'writes' : 'requests';
  if (stream.run.program === 'dd' || stream.order === 'sequential')
    return stream.bytesPerSecond === undefined
      ? `these ${noun}`
      : `${bytesWords(stream.bytesPerSecond.value)}/s`;
  return stream.rate === undefined ? `these ${noun}` : `${rateWords(stream.rate.value)} ${noun} a second`;
}

function sentence(stream: Stream, told: Conclusion, all: readonly Conclusion[]): string {
  const figure = figureOf(stream);
  const own = all.filter(({ about }) => about === stream.about);
  const disk = own.find(
    ({ code, certainty }) =>
      certainty !== 'possible' && (code === 'faster-than-the-disk' || code === 'faster-than-the-device'),
  );
  const atMost = disk?.excludedAtMost;
  const notDisk =
    atMost === undefined
      ? ''
      : `, and ${disk?.certainty === 'certain' ? '' : 'hardly '}${disk?.certainty === 'certain' ? 'not ' : ''}the disk: at most ${percentWords(atMost)} of them`;
  const likely =
    told.certainty === 'likely' ? 'most likely ' : told.certainty === 'possible' ? 'possibly ' : '';
  switch (told.code) {
    case 'job-failed':
      return `the job failed, and its figures are of a part: ${told.claim}`;
    case 'no-file':
      return told.claim;
    case 'direct-not-direct':
      return `${figure} with direct=1 were ${likely}memory${notDisk}`;
    case 'served-by-host-cache':
      return told.media.length > 1
        ? `${figure}: ${likely}memory${notDisk}`
        : `${figure}: ${likely}the host's page cache${notDisk}`;
    case 'faster-than-the-disk':
    case 'faster-than-the-device':
      return `${figure}: ${likely}not the disk${told.excludedAtMost === undefined ? '' : `, which can have done ${percentWords(told.excludedAtMost)} of them at most`}`;
    case 'latency-of-memory':
    case 'device-is-memory':
      return `${figure}: ${likely}memory, not a disk`;
    case 'fewer-disk-requests':
      return `${figure}: at least ${percentWords(told.share?.[0] ?? 0)} of them came from the page cache, not the disk`;
    case 'beyond-the-wire':
      return `${figure}: ${likely}more than the device can move`;
    case 'disk-served':
      return `${figure}: ${likely}the disk's own`;
    case 'device-served':
      return `${figure}: ${likely}the device's own, not this machine's page cache`;
    case 'as-fast-as-the-disk':
      return `${figure}: as fast as the disk; nothing says that it was a cache`;
    case 'verify-reads':
      return `${figure}: fio checking what the job had just written, no workload of its own`;
    case 'flush-at-end': {
      const rate =
        stream.sampledRate === undefined ? '' : `, at ${rateWords(stream.sampledRate.value)} a second,`;
      return `${figure}: ${likely}memory acknowledged them${rate} and ${percentWords(told.share?.[0] ?? 0)} of the time was the flush afterwards`;
    }
    case 'acknowledged-from-memory':
      return `${figure}: memory acknowledged them, and this is not the disk's rate`;
    case 'flush-after-each':
      return `${figure}: flushed as they went, so this is the rate of flushing`;
    case 'flush-too-fast':
      return `${figure}: ${likely}the flushes did not reach a disk`;
    case 'no-flush':
      return told.certainty === 'certain'
        ? `${figure}: nothing was flushed, so this is not the disk's rate`
        : `${figure}: whether they were flushed is not in this output`;
    case 'no-rotating-disk':
      return `${figure}: ${likely}no rotating disk; whether flash or memory, these figures alone do not tell`;
    case 'rate-limited':
      return `${figure}: held there by the job's own settings`;
    default:
      return `${figure}: nothing in these figures contradicts the disk, and nothing proves it`;
  }
}
