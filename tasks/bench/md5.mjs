import { randomFillSync } from 'node:crypto';
import { closeSync, fdatasyncSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { run, TaskError } from '../child.mjs';
import { peakMemory, plainSsh, vfsVerify, withLab } from './lab.mjs';
import { pairs as alternately, medianOf } from './statistics.mjs';

export const name = 'md5';
export const title = 'both sides of a 1 GiB file at once, against md5sum';
export const pairs = 6;

const bytes = 1024 ** 3;
const megabyte = 1024 ** 2;
const fileName = 'bench.bin';
const budgets = { atOnce: 1.05, sequentialSlack: 0.05, memoryMiB: 150, startSeconds: 1.5 };

/**
 * Real, incompressible bytes on the disk: a sparse file would measure nothing.
 * @param {string} path
 */
function makeFile(path) {
  const file = openSync(path, 'w');
  const chunk = Buffer.alloc(16 * megabyte);
  for (let at = 0; at < bytes; at += chunk.length)
    writeSync(file, randomFillSync(chunk), 0, chunk.length, at);
  fdatasyncSync(file);
  closeSync(file);
}

/**
 * busybox has an md5sum of another speed class; the comparison is with that of coreutils.
 * @param {import('../../src/lab/info.ts').LabInfo} info
 */
async function requireCoreutils(info) {
  const asked = await run(plainSsh(info, 'md5sum --version'));
  if (!asked.stdout.includes('GNU coreutils')) {
    throw new TaskError(`The guest has no md5sum of GNU coreutils:\n${asked.output}`);
  }
}

/**
 * @param {readonly string[]} argv
 * @returns {Promise<number>} seconds
 */
async function timed(argv) {
  const ended = await run(argv);
  if (ended.status !== 0) throw new TaskError(`${argv.join(' ')} failed:\n${ended.output}`);
  return ended.seconds;
}

/**
 * vfs-verify on one file: seconds from the command to its end, and node's peak memory.
 * @param {string} path
 * @param {string} lab
 */
async function verify(path, lab) {
  let memory = 0;
  const began = performance.now();
  const ended = await run(vfsVerify(['md5', path, `--lab=${lab}`, '--json']), {
    // VmHWM only grows: the last look before the end is the peak but for the last moments.
    watch: (pid) => {
      memory = Math.max(memory, peakMemory(pid) ?? 0);
    },
  });
  if (ended.status !== 0) throw new TaskError(`vfs-verify md5 ended with ${ended.status}:\n${ended.output}`);
  return { seconds: (performance.now() - began) / 1000, memory };
}

/** @type {import('./figure.mjs').Bench['measure']} */
export function measure(context) {
  return withLab((info) => measureIn(info, context));
}

/**
 * @param {import('../../src/lab/info.ts').LabInfo} info
 * @param {Parameters<import('./figure.mjs').Bench['measure']>[0]} context
 */
async function measureIn(info, context) {
  const hostPath = join(info.hostDir, fileName);
  const guestPath = `${info.mounts.auto}/${fileName}`;
  makeFile(hostPath);
  writeFileSync(join(info.hostDir, 'one-byte'), '1');
  await requireCoreutils(info);
  const onHost = ['md5sum', hostPath];
  const inGuest = plainSsh(info, `md5sum ${guestPath}`);
  const ours = () => verify(guestPath, info.name);
  const atOnce = async () => Math.max(...(await Promise.all([timed(onHost), timed(inGuest)])));
  const oneAfterOther = async () => {
    const [host, guest] = [await timed(onHost), await timed(inGuest)];
    return { sum: host + guest, slower: Math.max(host, guest) };
  };

  context.say('warming up');
  await ours();
  await atOnce();
  context.say(`${context.pairs} pairs against both at once`);
  const together = await alternately(ours, atOnce, context.pairs);
  context.say(`${context.pairs} pairs against one after the other`);
  const apart = await alternately(ours, oneAfterOther, context.pairs);
  context.say('start-up');
  const starts = await alternately(
    () => verify(`${info.mounts.auto}/one-byte`, info.name),
    async () => 0,
    7,
  );
  const all = [...together, ...apart].map(({ a }) => a);
  const share = medianOf(apart.map(({ b }) => b.slower / b.sum)).median;
  context.say(
    `vfs-verify ${medianOf(all.map(({ seconds }) => seconds)).median.toFixed(2)} s, ` +
      `both md5sum at once ${medianOf(together.map(({ b }) => b)).median.toFixed(2)} s, ` +
      `one after the other ${medianOf(apart.map(({ b }) => b.sum)).median.toFixed(2)} s`,
  );
  return [
    {
      name: 'time / slower of two md5sum at once',
      estimate: medianOf(together.map(({ a, b }) => a.seconds / b)),
      unit: '×',
      budget: budgets.atOnce,
    },
    {
      name: 'time / two md5sum one after the other',
      estimate: medianOf(apart.map(({ a, b }) => a.seconds / b.sum)),
      unit: '×',
      budget: share + budgets.sequentialSlack,
    },
    {
      name: "node's peak resident memory",
      estimate: medianOf([Math.max(...all.map(({ memory }) => memory)) / megabyte]),
      unit: 'MiB',
      budget: budgets.memoryMiB,
    },
    {
      name: 'a file of one byte, from command to answer',
      estimate: medianOf(starts.map(({ a }) => a.seconds)),
      unit: 's',
      budget: budgets.startSeconds,
    },
  ];
}
