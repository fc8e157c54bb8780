import type { CalibrationAccount, DaemonAccount, Known, Ledger, LedgerLine } from '../model/account.ts';
import { padTo, type Style, wrapped } from './layout.ts';
import { paintFor } from './paint.ts';
import { printable } from './printable.ts';
import { formatBytes } from './quantities.ts';
import { sparks } from './sparks.ts';

const indent = '  ';
const nameWidth = 19;
const bytesWidth = 11;
const shareWidth = 8;

/** A ledger as a block: bars by path and medium, latencies by class, and what it all stands on. */
export function ledgerLines(ledger: Ledger, style: Style): string[] {
  return [...barLines(ledger, style), '', ...latencyLines(ledger, style), ...groundLines(ledger, style)];
}

/** `fuse/host-cache    ██████████  77.0 MiB  98.6 %`, then how it is known where that is no proof. */
function barLines({ lines, bytes }: Ledger, style: Style): string[] {
  const room = Math.max(10, style.width - indent.length - nameWidth - bytesWidth - shareWidth - 1);
  const paint = paintFor(style.color);
  return lines
    .filter((line) => line.bytes > 0 || line.source === 'unexplained')
    .flatMap((line) => {
      const right =
        `${padLeft(formatBytes(line.bytes), bytesWidth)}` +
        `${padLeft(percentOf(line.bytes, bytes), shareWidth)}`;
      const row =
        `${indent}${padTo(line.source, nameWidth)}${padTo(bar(line.bytes / Math.max(1, bytes), room, style), room)}${right}`.trimEnd();
      const note = knownNote(line);
      return note === undefined
        ? [row]
        : [
            row,
            ...wrapped(printable(note), { width: style.width, first: `${indent}${' '.repeat(4)}` }).map(
              paint.faint,
            ),
          ];
    });
}

export function knownNote({ known, interval, because, bytes }: LedgerLine): string | undefined {
  if (known === 'proved' || bytes === 0) return undefined;
  const words: Readonly<Record<Exclude<Known, 'proved'>, string>> = {
    bounded:
      interval === undefined
        ? 'bounded'
        : `between ${formatBytes(interval[0])} and ${formatBytes(interval[1])}`,
    inferred: 'inferred, not counted',
    unexplained: 'not known',
  };
  return `${words[known]}: ${because}`;
}

const eighths = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/** A bar of a share of the room, in eighths of a column; anything above nothing shows. */
function bar(share: number, room: number, { ascii }: Style): string {
  if (share <= 0) return '';
  if (ascii === true) return '#'.repeat(Math.max(1, Math.round(share * room)));
  const parts = Math.max(1, Math.round(share * room * 8));
  return '█'.repeat(Math.floor(parts / 8)) + (parts % 8 === 0 ? '' : (eighths[parts % 8] ?? ''));
}

/** Percentages to one decimal that never round to all or to nothing. */
export function percentOf(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '';
  const share = (100 * part) / whole;
  if (part < whole && share > 99.9) return '>99.9 %';
  if (share < 0.1) return '<0.1 %';
  return `${share.toFixed(1)} %`;
}

function latencyLines({ latency, lines }: Ledger, style: Style): string[] {
  const rows = lines.flatMap(({ source }) => {
    const summary = latency[source];
    return summary === undefined || summary.count === 0 ? [] : [{ source, summary }];
  });
  if (rows.length === 0) return [];
  const bins = rows.flatMap(({ summary }) => summary.log2.flatMap((count, bin) => (count > 0 ? [bin] : [])));
  const [from, to] = [Math.min(...bins), Math.max(...bins) + 1];
  const number = (ns: number) => padLeft(microseconds(ns), 8);
  const title =
    `${indent}${padTo('latency (µs)', nameWidth - 4)}` +
    ['p50', 'p99', 'max'].map((word) => padLeft(word, 8)).join('') +
    `${padLeft('n', 9)}   ${timeWords(2 ** from)} … ${timeWords(2 ** to)}`;
  return [
    title,
    ...rows.map(
      ({ source, summary }) =>
        `${indent}${padTo(source, nameWidth - 4)}${number(summary.p50Ns)}${number(summary.p99Ns)}${number(summary.maxNs)}` +
        `${padLeft(summary.count.toLocaleString('en-US'), 9)}   ${spark(summary.log2, from, to, style)}`.trimEnd(),
    ),
  ];
}

/** One column for each power of two, its height by the root of the count: rare ones shall be seen. */
function spark(log2: readonly number[], from: number, to: number, style: Style): string {
  const room = Math.max(8, style.width - indent.length - (nameWidth - 4) - 8 * 3 - 9 - 3);
  const step = Math.max(1, Math.ceil((to - from) / room));
  const sums: number[] = [];
  for (let bin = from; bin < to; bin += step) {
    let sum = 0;
    for (let each = bin; each < Math.min(to, bin + step); each += 1) sum += log2[each] ?? 0;
    sums.push(sum);
  }
  const most = Math.max(1, ...sums);
  return sparks(
    sums.map((sum) => (sum === 0 ? null : Math.sqrt(sum / most))),
    style,
  );
}

/** What the account stands on, and what it leaves open. */
function groundLines(ledger: Ledger, style: Style): string[] {
  return groundWords(ledger).flatMap((words) =>
    wrapped(printable(words), { width: style.width, first: indent, rest: `${indent}  ` }),
  );
}

export function groundWords(ledger: Ledger): string[] {
  const { daemon, hostPages, evictedMeanwhile, readahead, otherTraffic, unseen, crossChecks, calibration } =
    ledger;
  const words: string[] = [];
  if (daemon !== undefined) words.push(daemonWords(daemon));
  if (hostPages !== undefined && hostPages.reached > 0)
    words.push(
      `host pages resident before: ${hostPages.residentBefore.toLocaleString('en-US')} of ` +
        `${hostPages.reached.toLocaleString('en-US')} that were asked for`,
    );
  if (readahead.fetchedBytes !== readahead.usedBytes)
    words.push(
      `readahead: asked for ${formatBytes(readahead.askedBytes)}, fetched ${formatBytes(readahead.fetchedBytes)}, used ${formatBytes(readahead.usedBytes)}`,
    );
  if (otherTraffic !== undefined)
    words.push(
      `other traffic: ${intervalWords(otherTraffic.bytes)}, not booked here: ${otherTraffic.because}`,
    );
  const evicted = [
    ...((evictedMeanwhile.guestPages ?? 0) > 0
      ? [`${evictedMeanwhile.guestPages?.toLocaleString('en-US')} in the guest`]
      : []),
    ...((evictedMeanwhile.hostPages ?? 0) > 0
      ? [`${evictedMeanwhile.hostPages?.toLocaleString('en-US')} on the host`]
      : []),
  ];
  if (evicted.length > 0) words.push(`pages that others evicted meanwhile: ${evicted.join(', ')}`);
  for (const { name, expected, observed, agrees } of crossChecks)
    if (!agrees) words.push(`cross-check failed, ${name}: ${expected} expected, ${observed} counted`);
  if (calibration !== undefined) words.push(calibrationWords(calibration));
  // Beside a daemon whose bytes are exact, the queue's index is not missed.
  const isExact = daemon === undefined || daemon.bytes[0] === daemon.bytes[1];
  const missed = unseen.filter(({ what }) => what !== 'used-index' || !isExact);
  if (missed.length > 0)
    words.push(
      `not seen: ${missed.map(({ what, why }) => `${unseenWords[what] ?? what} (${why})`).join('; ')}`,
    );
  return words;
}

const unseenWords: Readonly<Record<string, string>> = {
  'guest-pages': "the guest's page cache",
  'host-pages': "the host's page cache",
  extents: 'where holes are',
  'daemon-io': "the daemon's counters",
  'used-index': "the queue's count of requests",
  'daemon-flags': 'how the daemon opened it',
  dax: 'whether it is a DAX file',
  after: 'the state afterwards',
};

/** `the daemon read 16.0 MiB in 131 requests, and nothing from the disk meanwhile (…)`. */
function daemonWords({ bytes, requests, diskBytes, how }: DaemonAccount): string {
  const read =
    bytes[1] === 0
      ? 'the daemon read nothing'
      : `the daemon read ${intervalWords(bytes)} in ${spread(requests)} ${requests[1] === 1 ? 'request' : 'requests'}`;
  const disk =
    diskBytes === undefined || bytes[1] === 0
      ? ''
      : diskBytes === 0
        ? ', and nothing from the disk for it'
        : `, and ${formatBytes(diskBytes)} from the disk for it, the host's readahead included`;
  return `${read}${disk} (${how})`;
}

/** `latencies calibrated here: guest-cache to 21 µs, host-cache 80 µs to 350 µs; disk: not, why`. */
function calibrationWords({ classes, refused }: CalibrationAccount): string {
  const known = classes.map(
    ({ source, fromNs, toNs, samples }) =>
      `${source} ${fromNs === 0 ? '' : timeWords(fromNs)}${toNs === undefined ? ' and more' : `${fromNs === 0 ? '' : ' '}to ${timeWords(toNs)}`} (${samples} reads)`,
  );
  const not = refused.map(({ source, why }) => `${source} not: ${why}`);
  return `latency classes of this run: ${[known.join(', ') || 'none can be told', ...not].join('; ')}`;
}

function intervalWords([low, high]: readonly [number, number]): string {
  return low === high ? `${formatBytes(low)}` : `${formatBytes(low)} to ${formatBytes(high)}`;
}

function spread([low, high]: readonly [number, number]): string {
  return low === high
    ? low.toLocaleString('en-US')
    : `${low.toLocaleString('en-US')} to ${high.toLocaleString('en-US')}`;
}

export function microseconds(ns: number): string {
  const value = ns / 1000;
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

function timeWords(ns: number): string {
  if (ns < 1000) return `${ns} ns`;
  if (ns < 1e6) return `${Number((ns / 1000).toPrecision(2))} µs`;
  if (ns < 1e9) return `${Number((ns / 1e6).toPrecision(2))} ms`;
  return `${Number((ns / 1e9).toPrecision(2))} s`;
}

function padLeft(text: string, width: number): string {
  return text.padStart(width);
}
