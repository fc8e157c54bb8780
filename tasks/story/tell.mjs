// The story in words. Pure: from the data of a run, so that what the pages show can be made again from what was kept.
import prettyBytes from 'pretty-bytes';
import wrapAnsi from 'wrap-ansi';
import { md5Step, steps } from './steps.mjs';

const width = 80;
const indent = '   ';

/** @typedef {import('./run.mjs').Measured} Measured */
/** @typedef {import('./run.mjs').Compared} Compared */

/**
 * What stands behind the share.
 * @param {{ disk: string, versions: string }} ground
 */
export function groundLines({ disk, versions }) {
  return [`Behind the share: ${disk}.`, versions].flatMap((line) => wrapped(line, width));
}

/**
 * One step: what was done, what the number was, what the counters say, what follows.
 * @param {Measured | Compared} told
 * @param {number} number from 1
 */
export function stepLines(told, number) {
  return 'looks' in told ? comparedLines(told, number) : measuredLines(told, number);
}

/** @param {Measured} told @param {number} number */
function measuredLines(told, number) {
  const step = steps.find(({ name }) => name === told.name);
  if (step === undefined) throw new Error(`no step ${told.name}`);
  return [
    `${number}. ${step.title}`,
    ...told.did.flatMap(commandLines),
    ...row('fio says', `${iopsWords(told.iops)} reads a second`),
    ...row('counters say', countersWords(told)),
    ...row('so', isAsTold(told) ? step.follows : `This time it was otherwise: ${told.sentence}`),
    ...(told.readAgain === undefined
      ? []
      : row(
          '',
          `(Before it the host read ${pagesWords(told.readAgain)} again that its kernel had given up.)`,
        )),
  ];
}

/** @param {Compared} told @param {number} number */
function comparedLines({ did, looks }, number) {
  return [
    `${number}. ${md5Step.title}`,
    ...did.flatMap(commandLines),
    ...looks.flatMap(({ cached, pages, same, digest }, index) =>
      row(
        index === 0 ? 'md5 says' : '',
        `${same ? 'same' : 'DIFFERENT'} ${digest}, with ${cached.toLocaleString('en-US')} of ${pagesWords(pages)} in the host's cache`,
      ),
    ),
    ...row('so', md5Step.follows),
  ];
}

/**
 * Whether most of it came from the medium that the step is there to show.
 * @param {Measured} told
 */
export function isAsTold({ name, asked, lines }) {
  const step = steps.find((each) => each.name === name);
  const shown = lines.filter(({ source }) => source.endsWith(`/${step?.shows}`));
  return shown.reduce((sum, { bytes }) => sum + bytes, 0) > asked / 2;
}

/**
 * One line for each measurement: what a reader in a hurry takes along.
 * @param {readonly Measured[]} measured
 */
export function summaryLines(measured) {
  return measured.map(({ name, iops, asked, lines }) => {
    const step = steps.find((each) => each.name === name);
    const [first] = lines;
    const from = first === undefined ? '' : `${mediumWords(first.source)} ${percent(first.bytes, asked)}`;
    return `${(step?.label ?? name).padEnd(32)}${iopsWords(iops).padStart(8)} IOPS   ${from}`;
  });
}

/** @param {string} source of a ledger's line */
export function mediumWords(source) {
  if (source === 'guest-cache') return "the guest's memory";
  if (source.endsWith('/host-cache')) return "the host's memory";
  return source.endsWith('/disk') ? 'the disk' : source;
}

/** @param {Measured} told */
function countersWords({ asked, crossed, requests, fromDisk, lines }) {
  const [, most] = crossed;
  const from = lines
    .filter(({ bytes }) => bytes > asked / 200)
    .map(({ source, bytes }) => `${source} ${percent(bytes, asked)}`);
  return `asked ${size(asked)} → daemon ${size(most)} in ${requestsWords(requests)} requests → disk ${size(fromDisk)}: ${from.join(', ')}`;
}

/** @param {readonly [number, number]} requests */
function requestsWords([low, high]) {
  const words = (/** @type {number} */ value) => Math.round(value).toLocaleString('en-US');
  return low === high ? words(low) : `${words(low)} to ${words(high)}`;
}

/** @param {number} part @param {number} whole */
function percent(part, whole) {
  const value = whole === 0 ? 0 : (100 * part) / whole;
  return value > 99.9 && part < whole ? '>99.9 %' : `${Number(value.toFixed(1))} %`;
}

/** @param {number} bytes */
function size(bytes) {
  return bytes < 1024 ? `${bytes} B` : prettyBytes(bytes, { binary: true, maximumFractionDigits: 1 });
}

/** @param {number} iops */
export function iopsWords(iops) {
  return Math.round(iops).toLocaleString('en-US');
}

/** @param {number} count */
function pagesWords(count) {
  return `${count.toLocaleString('en-US')} ${count === 1 ? 'page' : 'pages'}`;
}

/** @param {string} command */
function commandLines(command) {
  const [first = '', ...rest] = wrapped(command, width - indent.length - 6);
  return [`${indent}$ ${first}`, ...rest.map((line) => `${indent}      ${line}`)].map((line, index, all) =>
    index < all.length - 1 ? `${line} \\` : line,
  );
}

/** @param {string} name @param {string} words */
function row(name, words) {
  const [first = '', ...rest] = wrapped(words, width - indent.length - 14);
  return [`${indent}${name.padEnd(14)}${first}`, ...rest.map((line) => `${indent}${''.padEnd(14)}${line}`)];
}

/** @param {string} text @param {number} columns */
function wrapped(text, columns) {
  return wrapAnsi(text, columns, { hard: false }).split('\n');
}
