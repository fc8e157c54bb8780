import { randomFillSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, TaskError } from '../child.mjs';
import { plainSsh, withLab } from './lab.mjs';
import { withReader } from './reader.mjs';
import { pairs as alternately, medianOf } from './statistics.mjs';

export const name = 'reads';
export const title =
  "random 4 KiB reads of a guest's file: against fio's psync, and with and without a ledger";
/** An interval that a ratio near 1 is to be told by needs that many. */
export const pairs = 30;

const fileName = 'bench-reads.bin';
const bytes = 64 * 1024 ** 2;
const ledgerBudgetMs = 250;
/** Reads in one go: half a second of each and more on an emulated machine. */
const places = [
  { mode: 'always', words: 'from a warm guest cache', count: 50_000 },
  { mode: 'never', words: 'in mode never', count: 4_000 },
];

/** @type {import('./figure.mjs').Bench['measure']} */
export function measure(context) {
  return withLab((info) => measureIn(info, context));
}

/**
 * @param {import('../../src/lab/info.ts').LabInfo} info
 * @param {Parameters<import('./figure.mjs').Bench['measure']>[0]} context
 */
async function measureIn(info, context) {
  writeFileSync(join(info.hostDir, fileName), randomFillSync(Buffer.alloc(bytes)));
  const figures = [];
  for (const place of places) figures.push(...(await measurePlace(info, place, context)));
  return figures;
}

/**
 * @param {import('../../src/lab/info.ts').LabInfo} info
 * @param {typeof places[number]} place
 * @param {Parameters<import('./figure.mjs').Bench['measure']>[0]} context
 */
async function measurePlace(info, { mode, words, count }, context) {
  const path = `${info.mounts[mode]}/${fileName}`;
  return withReader(info.name, mode, fileName, async (reader) => {
    await warmUp(info, path);
    context.say(`${context.pairs} pairs ${words}, against fio`);
    const rates = await alternately(
      async () => count / (await reader.plain(count)).seconds,
      () => fioReadsPerSecond(info, path, count),
      context.pairs,
    );
    context.say(
      `vfs-probe ${Math.round(medianOf(rates.map(({ a }) => a)).median)} reads/s, ` +
        `fio ${Math.round(medianOf(rates.map(({ b }) => b)).median)} reads/s`,
    );
    context.say(`${context.pairs} pairs ${words}, with and without a ledger`);
    const costs = await alternately(
      () => reader.accounted(count),
      () => reader.plain(count),
      context.pairs,
    );
    return [
      {
        name: `fio's reads per second / ours, ${mode}`,
        estimate: medianOf(rates.map(({ a, b }) => b / a)),
        unit: '×',
        budget: 1,
      },
      {
        name: `reading with a ledger / without, ${mode}`,
        estimate: medianOf(costs.map(({ a, b }) => a.seconds / b.seconds)),
        unit: '×',
        budget: 1.02,
      },
      {
        name: `samples and account beside it, ${mode}`,
        estimate: medianOf(costs.map(({ a, b }) => 1000 * (a.whole - a.seconds - (b.whole - b.seconds)))),
        unit: 'ms',
        budget: ledgerBudgetMs,
      },
    ];
  });
}

/**
 * @param {import('../../src/lab/info.ts').LabInfo} info
 * @param {string} path
 * @param {number} count
 */
async function fioReadsPerSecond(info, path, count) {
  const job = [
    ...['--name=bench', `--filename=${path}`, '--readonly', '--rw=randread', '--bs=4k', '--ioengine=psync'],
    ...['--thread', `--size=${bytes}`, `--number_ios=${count}`, '--io_size=64g', '--norandommap'],
    ...['--invalidate=0', '--output-format=json'],
  ];
  const ended = await run(plainSsh(info, `fio ${job.join(' ')}`));
  if (ended.status !== 0)
    throw new TaskError(`fio in the guest ended with ${ended.status}:\n${ended.output}`);
  return JSON.parse(ended.stdout.slice(ended.stdout.indexOf('{'))).jobs[0].read.iops;
}

/**
 * Reads the file once in the guest: in a mode that keeps pages it is warm from then on.
 * @param {import('../../src/lab/info.ts').LabInfo} info
 * @param {string} path
 */
async function warmUp(info, path) {
  const ended = await run(plainSsh(info, `cat ${path} > /dev/null`));
  if (ended.status !== 0)
    throw new TaskError(`cat in the guest ended with ${ended.status}:\n${ended.output}`);
}
