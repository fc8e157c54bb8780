import type { Interval, LedgerLine } from '../model/account.ts';
import {
  type BenchmarkRate,
  type ExplainEvidence,
  type HostRun,
  isExplain,
} from '../model/explain-evidence.ts';
import type { Flow, ProgramAccount, SyncCalls, WriteFlow } from '../model/program-account.ts';
import type { Environment, Report, Result } from '../model/report.ts';
import { disturbedLines } from './comparison-text.ts';
import { padTo, type Style, wrapped } from './layout.ts';
import { knownNote, percentOf } from './ledger-text.ts';
import { paintFor } from './paint.ts';
import { printable, printableName } from './printable.ts';
import { count, formatBytes } from './quantities.ts';
import { latencyLines } from './reported-latency-text.ts';
import { type Server, serverName } from './server-name.ts';
import { timelineLines } from './timeline-text.ts';
import { shareLines } from './verdict-text.ts';

const indent = '  ';
const nameWidth = 19;

/** A program that was run: the answer for its reads and its writes, both as tables, and what to do next. */
export function explainLines(
  result: Result,
  evidence: ExplainEvidence,
  environment: Environment,
  style: Style,
): string[] {
  const { account, seconds, advice } = evidence;
  const { reads, writes, server } = account;
  const least = Math.max(reads.bytes, writes.bytes) / 1000;
  const blocks = [
    ...(reads.bytes > least ? [flowLines('read', reads, server, style)] : []),
    ...(writes.bytes > least
      ? [[...flowLines('written', writes, server, style), ...leftLines(evidence, style)]]
      : []),
  ];
  return [
    ...wrapped(printable(result.verdict.reason), {
      width: style.width,
      ...(evidence.state === undefined ? {} : { first: `from ${printable(evidence.state)}: `, rest: '' }),
    }),
    ...wrapped(printable(programWords(account, seconds)), { width: style.width, first: indent }),
    ...blocks.flatMap((block) => ['', ...block]),
    '',
    ...timelineLines(evidence.timeline, style),
    ...latencyLines(evidence.latency, style),
    ...groundWords(account).flatMap((words) =>
      wrapped(printable(words), { width: style.width, first: indent, rest: `${indent}  ` }),
    ),
    ...hostLines(evidence, style),
    ...shareLines(evidence.share, environment, style),
    ...disturbedLines(evidence.disturbed, style),
    ...advice.flatMap((each, index) =>
      wrapped(printable(each), {
        width: style.width,
        first: index === 0 ? 'next: ' : '      ',
        rest: '      ',
      }),
    ),
  ];
}

/** Several runs: what the number depends on, then a row for each state that the program began in. */
export function stateLines({ results }: Report, style: Style): string[] {
  const runs = runsOf(results);
  return [
    ...wrapped(statesAnswer(results), { width: style.width }),
    '',
    ...runs.flatMap((run) => [
      `${indent}${padTo(printable(run.state ?? ''), 12)}${`${run.seconds.toFixed(2)} s`.padStart(10)}  ${rateWords(run)}`.trimEnd(),
      ...(run.stateLeft ?? []).flatMap((each) =>
        wrapped(printable(each), { width: style.width, first: `${indent}    ` }),
      ),
    ]),
  ];
}

function runsOf(results: Report['results']): ExplainEvidence[] {
  return results.flatMap(({ verdict: { evidence } }) => (isExplain(evidence) ? [evidence] : []));
}

/** What the number of several runs depends on. */
export function statesAnswer(results: Report['results']): string {
  const runs = runsOf(results);
  const speeds = runs.map(speedOf).filter((speed) => speed > 0);
  const [slow, fast] = [Math.min(...speeds), Math.max(...speeds)];
  return speeds.length < 2
    ? 'There are not two runs to compare.'
    : fast / slow < alike
      ? 'What the caches hold before makes no difference to this number.'
      : `The number depends on what the caches hold before: it is ${factor(fast / slow)} times as high from ${stateOf(runs, fast)} as from ${stateOf(runs, slow)}.`;
}

/** Less than this apart is the noise of a run or two. */
const alike = 1.25;

/** The same job on the host, and whether the two figures are of the same thing. */
export function hostWords(evidence: ExplainEvidence): string[] {
  const { onHost } = evidence;
  if (onHost === undefined) return [];
  const { seconds, failed, status, diskReadBytes, askedBytes, rate } = onHost;
  if (seconds === undefined || askedBytes === undefined || diskReadBytes === undefined)
    return [`on the host it could not be started: ${failed ?? `status ${status}`}`];
  const told = [
    `on the host: ${seconds.toFixed(2)} s`,
    ...speedWords(rate),
    ...(status === 0 ? [] : [`exit status ${status}`]),
    `${formatBytes(diskReadBytes)} from the disk of ${formatBytes(askedBytes[0])} that it read`,
  ].join(', ');
  return [told, comparison(evidence, onHost)];
}

function hostLines(evidence: ExplainEvidence, style: Style): string[] {
  return hostWords(evidence).flatMap((words, index) =>
    wrapped(printable(words), {
      width: style.width,
      first: index === 0 ? indent : `${indent}  `,
      rest: `${indent}  `,
    }),
  );
}

/** Two numbers can be compared where both are of memory, or both of the disk. */
function comparison(
  { account: { reads, writes } }: ExplainEvidence,
  { askedBytes, diskReadBytes = 0 }: HostRun,
): string {
  if (writes.bytes > reads.bytes)
    return 'for writes: compare what was dirty when each ended; only the guest is accounted for here';
  const disk = reads.lines.find(({ medium }) => medium === 'disk')?.bytes ?? 0;
  const [there, here] = [diskReadBytes / Math.max(1, askedBytes?.[0] ?? 0), disk / Math.max(1, reads.bytes)];
  if (there > 0.5 !== here > 0.5)
    return there > 0.5
      ? "the host's number is the disk's, the guest's is not: they are not of the same thing"
      : "the guest's number is the disk's, the host's is not: they are not of the same thing";
  if (reads.lines[0]?.source === 'guest-cache')
    return "both are memory, the guest's its own: the way between the two is not in it";
  return here > 0.5
    ? 'both are the disk: what differs is the way from the guest to it'
    : 'both are memory: what differs is the way from the guest to it';
}

function speedWords(rate: BenchmarkRate | undefined): string[] {
  return (['read', 'write'] as const).flatMap((direction) => {
    const part = rate?.[direction];
    if (part?.iops !== undefined)
      return [`${direction} ${Math.round(part.iops).toLocaleString('en-US')} IOPS`];
    return part?.bytesPerSecond === undefined ? [] : [`${formatBytes(part.bytesPerSecond)}/s`];
  });
}

/** The benchmark's own figure, where it has one; else how fast it was over. */
function speedOf({ rate, seconds }: ExplainEvidence): number {
  const part = rate?.read ?? rate?.write;
  return part?.iops ?? part?.bytesPerSecond ?? 1 / seconds;
}

function stateOf(runs: readonly ExplainEvidence[], speed: number): string {
  return runs.find((each) => speedOf(each) === speed)?.state ?? '';
}

function factor(value: number): string {
  return value < 10 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US');
}

function rateWords({ rate, account }: ExplainEvidence): string {
  const told = speedWords(rate);
  const { reads, writes } = account;
  const flow = reads.bytes >= writes.bytes ? reads : writes;
  const from = flow.lines
    .filter(({ bytes }) => bytes > flow.bytes / 200)
    .map(({ source, bytes }) => `${source} ${percentOf(bytes, flow.bytes)}`);
  return [...told, from.join(', ')].join('  ');
}

/** How long it took, and which files it held. */
export function programWords({ end, files }: ProgramAccount, seconds: number): string {
  const named = files.slice(0, 3).map(({ path, size, held }) => {
    const how = [
      ...(size === undefined ? [] : [formatBytes(size)]),
      ...(held?.direct === true ? ['O_DIRECT'] : []),
      ...(held?.sync === true ? ['O_SYNC'] : []),
      ...(held?.mapped === true ? ['mapped'] : []),
    ];
    return `${printableName(path)}${how.length > 0 ? ` (${how.join(', ')})` : ''}`;
  });
  const more = files.length > named.length ? ` and ${count(files.length - named.length, 'more file')}` : '';
  const left = end.left > 0 ? `; ${count(end.left, 'process', 'processes')} of it still running` : '';
  return `${seconds.toFixed(2)} s, ${named.length === 0 ? 'no file of a share was seen open' : named.join(', ')}${more}${left}`;
}

/** `read: asked 4.6 GiB → to the daemon 4.5 GiB in 1,200,000 requests`. */
export function flowWords(word: string, { asked, crossed }: Flow, server: Server): string {
  const passed =
    crossed === undefined
      ? ''
      : ` → to ${serverName(server)} ${rangeOf(crossed.bytes)} in ${numberRange(crossed.requests)} requests`;
  return `${word}: asked ${rangeOf(asked.bytes)}${passed}`;
}

/** What was asked and what crossed, then a bar for each place. */
function flowLines(word: string, flow: Flow, server: Server, style: Style): string[] {
  const paint = paintFor(style.color);
  return [
    ...wrapped(flowWords(word, flow, server), { width: style.width, first: indent }),
    ...flow.lines.flatMap((line) => {
      const note = knownNote(line);
      return [
        row(line, flow.bytes, style),
        ...(note === undefined
          ? []
          : wrapped(printable(note), { width: style.width, first: `${indent}    ` }).map(paint.faint)),
      ];
    }),
  ];
}

function row(line: LedgerLine, whole: number, style: Style): string {
  const room = Math.max(10, style.width - indent.length - nameWidth - 20);
  const length = line.bytes <= 0 ? 0 : Math.max(1, Math.round((line.bytes / Math.max(1, whole)) * room));
  return `${indent}${padTo(line.source, nameWidth)}${padTo((style.ascii === true ? '#' : '█').repeat(Math.min(room, length)), room)}${formatBytes(line.bytes).padStart(11)}${percentOf(line.bytes, whole).padStart(8)}`.trimEnd();
}

/** What writes left behind; undefined where nobody could look. */
export function atEndWords({ atEnd }: WriteFlow): string | undefined {
  const { guestDirtyBytes, hostDirtyBytes, hostDirtyBytesBefore } = atEnd;
  const told = [
    ...(guestDirtyBytes === undefined ? [] : [`${formatBytes(guestDirtyBytes)} dirty in the guest`]),
    ...(hostDirtyBytes === undefined ? [] : [`${formatBytes(hostDirtyBytes)} dirty on the host`]),
    ...(hostDirtyBytesBefore === undefined || hostDirtyBytesBefore === 0
      ? []
      : [`${formatBytes(hostDirtyBytesBefore)} there before it began`]),
  ];
  return told.length === 0 ? undefined : `when it ended: ${told.join(', ')}`;
}

function leftLines({ account: { writes, syncs }, seconds }: ExplainEvidence, style: Style): string[] {
  return [atEndWords(writes), syncWords(syncs, seconds)].flatMap((words) =>
    words === undefined ? [] : wrapped(words, { width: style.width, first: indent, rest: `${indent}  ` }),
  );
}

/** `fsync: 512 calls that took 1.24 s, 62 % of the run`; undefined where nothing is known. @param whole of the run */
export function syncWords(syncs: SyncCalls | undefined, whole: number): string | undefined {
  if (syncs === undefined) return undefined;
  const { calls, isLeast, seconds, because } = syncs;
  const took = seconds === undefined || calls === 0 ? '' : ` that took ${secondsOf(seconds, whole)}`;
  return `fsync: ${isLeast === true ? 'at least ' : ''}${count(calls, 'call')}${took} (${because})`;
}

/** Several at once may take longer than the run. */
function secondsOf(seconds: number, whole: number): string {
  const told = seconds < 0.01 ? `${(seconds * 1000).toFixed(2)} ms` : `${seconds.toFixed(2)} s`;
  return seconds > whole ? `${told} in all` : `${told}, ${percentOf(seconds, whole)} of the run`;
}

/** What the account stands on. */
export function groundWords({
  server,
  device,
  daemonDiskBytes,
  reads,
  writes,
  unseen,
}: ProgramAccount): string[] {
  const disk =
    device === undefined
      ? []
      : [
          `the block device, for everybody: ${formatBytes(device.readBytes)} read in ${count(device.reads, 'request')}, ${formatBytes(device.writtenBytes)} written in ${count(device.writes, 'request')}${
            device.flushes === undefined
              ? ''
              : `, ${count(device.flushes, 'flush', 'flushes')} of its cache${device.flushes > 0 ? ` (${device.flushMs ?? 0} ms)` : ''}`
          }`,
        ];
  const charged =
    daemonDiskBytes === undefined || reads.bytes === 0
      ? []
      : [`${serverName(server)}'s own disk reads: ${formatBytes(daemonDiskBytes)}, readahead included`];
  return [
    `asked for: ${reads.asked.because}`,
    ...charged,
    ...disk,
    ...unseen
      // Who wrote nothing had nothing to sync.
      .filter(({ what }) => what !== 'fsync' || writes.bytes > 0)
      .map(({ what, why }) => `not seen: ${what}: ${why}`),
  ];
}

function rangeOf([low, high]: Interval): string {
  const [a, b] = [formatBytes(low), formatBytes(high)];
  return a === b || high - low < high / 200 ? b : `${a} to ${b}`;
}

function numberRange([low, high]: Interval): string {
  const words = (value: number) => Math.round(value).toLocaleString('en-US');
  return low === high ? words(low) : `${words(low)} to ${words(high)}`;
}
