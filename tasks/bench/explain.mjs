import { randomFillSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, TaskError } from '../child.mjs';
import { plainSsh, vfsVerify, withLab } from './lab.mjs';
import { pairs as alternately, medianOf } from './statistics.mjs';

export const name = 'explain';
export const title =
  "what `explain` costs the benchmark that it explains: fio's own figure with and without it";
/** An interval that a ratio near 1 is to be told by needs that many. */
export const pairs = 30;

const fileName = 'bench-explain.bin';
const bytes = 32 * 1024 ** 2;
/**
 * Some five seconds of each: shorter than what people run, so that what there is of cost shows, and long enough for an
 * emulated guest to have translated its way by the time that most of it is done.
 */
const places = [
  { mode: 'always', words: 'reads from a warm guest cache', count: 500_000 },
  { mode: 'never', words: 'reads in mode never', count: 20_000 },
];

/** @type {import('./figure.mjs').Bench['measure']} */
export function measure(context) {
  return withLab(async (info) => {
    writeFileSync(join(info.hostDir, fileName), randomFillSync(Buffer.alloc(bytes)));
    const figures = [];
    for (const { mode, words, count } of places) {
      const job = jobOf(`${info.mounts[mode]}/${fileName}`, count);
      context.say(`${context.pairs} pairs of ${count} ${words}`);
      await iopsOf(plainSsh(info, job.join(' ')));
      const costs = await alternately(
        () => iopsOf(vfsVerify(['explain', `--lab=${info.name}`, '--', ...job])),
        () => iopsOf(plainSsh(info, job.join(' '))),
        context.pairs,
      );
      context.say(
        `with ${Math.round(medianOf(costs.map(({ a }) => a)).median)} IOPS, ` +
          `without ${Math.round(medianOf(costs.map(({ b }) => b)).median)} IOPS`,
      );
      figures.push({
        name: `fio's time with explain / without, ${mode}`,
        estimate: medianOf(costs.map(({ a, b }) => b / a)),
        unit: '×',
        budget: 1.02,
      });
    }
    return figures;
  });
}

/**
 * @param {string} path
 * @param {number} count
 */
function jobOf(path, count) {
  return [
    ...['fio', '--name=bench', `--filename=${path}`, '--readonly', '--rw=randread', '--bs=4k'],
    ...['--ioengine=psync', '--thread', `--size=${bytes}`, `--number_ios=${count}`, '--io_size=64g'],
    ...['--norandommap', '--invalidate=0', '--output-format=json'],
    // Requests complete on the guest's first processor: which one the job is on decides more than all else.
    '--cpus_allowed=1',
  ];
}

/**
 * What fio itself says; its output passes through `explain` as it is.
 * @param {readonly string[]} command
 * @returns {Promise<number>}
 */
async function iopsOf(command) {
  const ended = await run(command);
  if (ended.status !== 0)
    throw new TaskError(`${command.join(' ')} ended with ${ended.status}:\n${ended.output}`);
  return JSON.parse(ended.stdout.slice(ended.stdout.indexOf('{'))).jobs[0].read.iops;
}
