import type { Conclusion, Diagnosis, Figure, Measured, SavedFile } from '../model/diagnosis.ts';
import type { Result } from '../model/report.ts';
import { commandLines, flowed, padTo, type Style, wrapped } from './layout.ts';
import { paintFor } from './paint.ts';
import { printable, printableName } from './printable.ts';
import { count, formatBytes } from './quantities.ts';

const indent = '  ';
const nameWidth = 22;
const columnWidth = 16;
const certaintyWidth = 10;
const maxJobs = 6;
const maxConclusions = 24;

/** A diagnosis: the answer, what was measured, the conclusions with their figures, what would settle it. */
export function diagnosisLines(result: Result, evidence: Diagnosis, style: Style): string[] {
  const paint = paintFor(style.color);
  const { conclusions, measured } = evidence;
  return [
    ...wrapped(printable(result.verdict.reason), { width: style.width }).map((line) =>
      paint.verdict(result.verdict.kind, line),
    ),
    ...savedLines(evidence.saved, style),
    ...measured
      .slice(0, maxJobs)
      .flatMap((each) => ['', ...measuredLines(each, evidence.hostMeasured[each.about], style)]),
    ...leftOut(measured.length - maxJobs + (evidence.jobsLeftOut ?? 0), 'job'),
    '',
    ...conclusions
      .slice(0, maxConclusions)
      .flatMap((each) => conclusionLines(each, measured.length > 1, style)),
    ...leftOut(conclusions.length - maxConclusions, 'conclusion'),
    ...settleLines(conclusions, style),
  ];
}

/** A file in which nothing could be judged. */
export function unreadLines(result: Result, style: Style): string[] {
  const { verdict, path = '' } = result;
  const paint = paintFor(style.color);
  return [
    ...flowed(
      [
        paint.verdict(verdict.kind, 'UNKNOWN'),
        printableName(path),
        ...wrapped(printable(verdict.reason), { width: style.width - 6 }),
      ],
      {
        width: style.width,
        gap: '  ',
        rest: '      ',
      },
    ),
    ...(verdict.next === undefined
      ? []
      : wrapped(printable(verdict.next), { width: style.width, first: 'next: ' })),
  ];
}

function leftOut(number: number, noun: string): string[] {
  return number > 0
    ? [`${indent}… and ${count(number, `more ${noun}`)}; --json has those that were judged`]
    : [];
}

/** `  guest-read.txt  fio 3.16, text`, then what was wrong with it. */
function savedLines({ file, program, version, form, damage, missing }: SavedFile, style: Style): string[] {
  const paint = paintFor(style.color);
  const what = `${printableName(file)}  ${program}${version === undefined ? '' : ` ${printable(version)}`}, ${form}`;
  return [
    ...wrapped(what, { width: style.width, first: indent, rest: `${indent}  ` }),
    ...(damage.length === 0
      ? []
      : wrapped(printable(damage.join('; ')), { width: style.width, first: `${indent}  ` })),
    ...(missing.length === 0
      ? []
      : wrapped(printable(missing.join('; ')), { width: style.width, first: `${indent}missing: ` })),
  ].map((line, index) => (index === 0 ? line : paint.faint(line)));
}

function measuredLines(own: Measured, host: Measured | undefined, style: Style): string[] {
  const how = [
    own.direction === 'copy' ? 'copies' : `${own.direction}s`,
    ...(own.order === undefined ? [] : [own.order === 'random' ? 'at random' : 'in order']),
    ...(own.blockBytes === undefined ? [] : [`of ${formatBytes(own.blockBytes)}`]),
  ].join(' ');
  const title = [
    `${printable(own.job)}: ${how}`,
    ...(own.engine === undefined || own.engine === 'dd' ? [] : [printable(own.engine)]),
    ...(own.depth === undefined || own.engine === 'dd' ? [] : [`depth ${own.depth}`]),
    ...(own.processes > 1 ? [`${own.processes} processes`] : []),
  ].join(', ');
  const rows: readonly (readonly [string, (each: Measured) => string | undefined])[] = [
    [
      own.direction === 'copy' ? 'records a second' : `${own.direction}s a second`,
      (each) => (each.requestsPerSecond === undefined ? undefined : numberWords(each.requestsPerSecond)),
    ],
    [
      'bytes a second',
      (each) => (each.bytesPerSecond === undefined ? undefined : `${formatBytes(each.bytesPerSecond)}`),
    ],
    ['median latency', (each) => timeOf(each.medianNs)],
    ['mean latency', (each) => timeOf(each.meanNs)],
    ['requests', (each) => each.requests?.toLocaleString('en-US')],
    ['bytes', (each) => (each.bytes === undefined ? undefined : formatBytes(each.bytes))],
    ['time', (each) => (each.seconds === undefined ? undefined : timeOf(each.seconds * 1e9))],
  ];
  const right = (text: string) => text.padStart(columnWidth);
  return [
    ...wrapped(title, { width: style.width, first: indent, rest: `${indent}  ` }),
    ...(host === undefined
      ? []
      : [`${indent}${padTo('', nameWidth)}${right('this run')}${right("the host's")}`]),
    ...rows.flatMap(([name, of]) => {
      const value = of(own);
      if (value === undefined) return [];
      const other = host === undefined ? undefined : of(host);
      return [`${indent}${padTo(name, nameWidth)}${right(value)}${other === undefined ? '' : right(other)}`];
    }),
  ];
}

function conclusionLines(each: Conclusion, isMany: boolean, style: Style): string[] {
  const paint = paintFor(style.color);
  const rest = ' '.repeat(indent.length + certaintyWidth);
  const label = `${indent}${padTo(each.certainty, certaintyWidth)}`;
  const words = [each.code, ...(isMany ? [`(${printable(each.about)})`] : []), mediaWords(each)]
    .filter((text) => text !== '')
    .join('  ');
  const told = (text: string, first: string) =>
    wrapped(printable(text), { width: style.width, first, rest: ' '.repeat(first.length) });
  return [
    ...told(words, label),
    ...told(sentenceCase(each.claim), rest),
    ...(each.figures.length === 0
      ? []
      : wrapped(printable(each.figures.map(figureWords).join('; ')), {
          width: style.width,
          first: `${rest}by: `,
          rest: `${rest}    `,
        }).map(paint.faint)),
    ...(each.unless.length === 0
      ? []
      : wrapped(printable(each.unless.join('; or ')), {
          width: style.width,
          first: `${rest}unless `,
          rest: `${rest}  `,
        }).map(paint.faint)),
  ];
}

/** `= fuse/host-cache (88.6–100 %)`, `not fuse/disk (at most 0.8 %)`. */
function mediaWords({ media, share, excludes, excludedAtMost }: Conclusion): string {
  const part = share === undefined ? '' : ` (${percent(share[0])}–${percent(share[1])} %)`;
  return [
    ...(media.length === 0 ? [] : [`= ${media.join(' or ')}${part}`]),
    ...(excludes.length === 0 || media.length > 1
      ? []
      : [
          `not ${excludes[0]}${excludedAtMost === undefined ? '' : ` (at most ${percent(excludedAtMost)} %)`}`,
        ]),
  ].join(', ');
}

function percent(share: number): string {
  const value = share * 100;
  return value === 0 || value === 100
    ? String(value)
    : value < 10
      ? value.toFixed(1)
      : value > 99
        ? (Math.floor(value * 10) / 10).toFixed(1)
        : value.toFixed(0);
}

function figureWords({ name, value, unit, from, how, places }: Figure): string {
  const [place] = places;
  const where =
    from === 'told'
      ? ''
      : place === undefined
        ? ''
        : ` (${how === undefined ? '' : `${how}; `}${place.line === 1 ? `character ${place.offset + 1}` : `line ${place.line}`})`;
  return `${name} ${valueWords(value, unit)}${where}`;
}

function valueWords(value: number | string, unit: Figure['unit']): string {
  if (typeof value === 'string') return value;
  switch (unit) {
    case 'ns':
      return timeOf(value) ?? '';
    case 's':
      return timeOf(value * 1e9) ?? '';
    case 'ms':
      return timeOf(value * 1e6) ?? '';
    case 'bytes':
      return formatBytes(Math.round(value));
    case 'bytes/s':
      return `${formatBytes(Math.round(value))}/s`;
    case '%':
      return `${Number(value.toFixed(1))} %`;
    default:
      return numberWords(value);
  }
}

function numberWords(value: number): string {
  return value >= 100 || Number.isInteger(value)
    ? Math.floor(value).toLocaleString('en-US')
    : String(Number(value.toPrecision(2)));
}

function timeOf(ns: number | undefined): string | undefined {
  if (ns === undefined) return undefined;
  if (ns < 1000) return `${Math.round(ns)} ns`;
  if (ns < 1e6) return `${Number((ns / 1e3).toPrecision(3))} µs`;
  if (ns < 1e9) return `${Number((ns / 1e6).toPrecision(3))} ms`;
  return `${(ns / 1e9).toFixed(1)} s`;
}

function sentenceCase(text: string): string {
  return `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}.`;
}

/** The last lines: each command once, the one that settles most first. */
function settleLines(conclusions: readonly Conclusion[], style: Style): string[] {
  const commands = [...new Set(conclusions.flatMap(({ settle }) => settle ?? []))].slice(0, 3);
  return commands.flatMap((command, index) =>
    commandLines(printable(command), {
      width: style.width,
      first: index === 0 ? 'next: ' : '      ',
      rest: '      ',
    }),
  );
}
