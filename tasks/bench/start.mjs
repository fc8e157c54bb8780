import { run } from '../child.mjs';
import { vfsVerify } from './lab.mjs';
import { pairs as alternately, medianOf } from './statistics.mjs';

export const name = 'start';
export const title = 'what a user waits for before the first line: vfs-verify --help, and node alone';
export const pairs = 20;

/** @type {import('./figure.mjs').Bench['measure']} */
export async function measure(context) {
  /** @param {readonly string[]} argv */
  const millisecondsOf = async (argv) => (await run(argv)).seconds * 1000;
  const help = () => millisecondsOf(vfsVerify(['--help']));
  const node = () => millisecondsOf([process.execPath, '--eval', '0']);
  // The first start reads the files from the disk.
  await help();
  const times = await alternately(help, node, context.pairs);
  const alone = medianOf(times.map(({ b }) => b)).median;
  context.say(`node alone: ${alone.toFixed(0)} ms`);
  return [
    { name: 'vfs-verify --help', estimate: medianOf(times.map(({ a }) => a)), unit: 'ms', budget: 150 },
  ];
}
