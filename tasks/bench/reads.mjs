import { randomFillSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, TaskError } from '../child.mjs';
import { plainSsh, vfsVerify, withLab } from './lab.mjs';
import { medianOf, pairs } from './statistics.mjs';

export const name = 'reads';
export const title = "random 4 KiB reads of a guest's file, against fio's psync";

const fileName = 'bench-reads.bin';
const bytes = 64 * 1024 ** 2;
/** An interval that a ratio near 1 is to be told by needs that many. */
const leastPairs = 30;
/** Reads in one go: about a second of each on an emulated machine. */
const places = [
  { mode: 'always', words: 'from a warm guest cache', count: 20_000 },
  { mode: 'never', words: 'in mode never', count: 2_000 },
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
  const count = Math.max(leastPairs, context.pairs);
  const figures = [];
  for (const place of places) {
    const path = `${info.mounts[place.mode]}/${fileName}`;
    const ours = () => readsPerSecond(info, path, place.count);
    const fio = () => fioReadsPerSecond(info, path, place.count);
    await warmUp(info, path);
    context.say(`${count} pairs ${place.words}`);
    const done = await pairs(ours, fio, count);
    context.say(
      `vfs-verify ${Math.round(medianOf(done.map(({ a }) => a)).median)} reads/s, ` +
        `fio ${Math.round(medianOf(done.map(({ b }) => b)).median)} reads/s`,
    );
    figures.push({
      name: `fio's reads per second / ours, ${place.mode}`,
      estimate: medianOf(done.map(({ a, b }) => b / a)),
      unit: '×',
      budget: 1,
    });
  }
  return figures;
}

/**
 * The rate at which the probe reads, each read timed, between the samples of a ledger.
 * @param {import('../../src/lab/info.ts').LabInfo} info
 * @param {string} path
 * @param {number} count
 */
async function readsPerSecond(info, path, count) {
  const flags = ['--order', 'random', '--count', `${count}`, '--json'];
  const ended = await run(vfsVerify(['reads', path, `--lab=${info.name}`, ...flags]));
  if (ended.status !== 0)
    throw new TaskError(`vfs-verify reads ended with ${ended.status}:\n${ended.output}`);
  const [seconds] = JSON.parse(ended.stdout).results[0].verdict.evidence.seconds;
  return count / seconds;
}

/**
 * @param {import('../../src/lab/info.ts').LabInfo} info
 * @param {string} path
 * @param {number} count
 */
async function fioReadsPerSecond(info, path, count) {
  const job = [
    ...['--name=bench', `--filename=${path}`, '--readonly', '--rw=randread', '--bs=4k', '--ioengine=psync'],
    ...[
      '--thread',
      `--size=${bytes}`,
      `--number_ios=${count}`,
      '--io_size=64g',
      '--norandommap',
      '--invalidate=0',
    ],
    '--output-format=json',
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
