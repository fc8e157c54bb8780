// Lint, walls, types, unit tests, unused code. Two at a time, because the machines of this project have two
// cores; what failed is printed last, in full.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { nativeArchitecture } from './build.mjs';
import { endOnSignals, main, run } from './child.mjs';
import { readFlags } from './flags.mjs';
import { root } from './lock.mjs';
import { setup } from './setup.mjs';

/** @param {string} name */
const program = (name) => join(root, 'node_modules', '.bin', name);

/** The longest first. */
const gates = [
  { name: 'unit tests', argv: [program('vitest'), 'run', '--project', 'unit', '--reporter=dot'] },
  { name: 'unused code', argv: [program('knip')] },
  { name: 'types', argv: [program('tsc'), '-p', '.'] },
  { name: 'lint and walls', argv: [program('biome'), 'check', '--error-on-warnings'] },
];

/** Output is collected, so that programs take it for a file; some colour even that. */
const env = { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }) };

/** @param {(typeof gates)[number]} gate */
async function pass(gate) {
  const ended = await run(gate.argv, { cwd: root, env });
  console.log(`${ended.status === 0 ? 'ok    ' : 'FAILED'} ${gate.name}  ${ended.seconds.toFixed(1)} s`);
  return { ...ended, gate };
}

async function qa() {
  readFlags('npm run qa   (it takes no flags)', {});
  endOnSignals();
  const began = performance.now();
  await setup({ for: 'build' });
  const built = await run([process.execPath, join(root, 'tasks', 'build.mjs'), '--arch', nativeArchitecture]);
  const waiting = [...gates];
  /** @type {Awaited<ReturnType<typeof pass>>[]} */
  const done = built.status === 0 ? [] : [{ ...built, gate: { name: 'build', argv: [] } }];
  const work = async () => {
    for (let gate = waiting.shift(); gate !== undefined; gate = waiting.shift()) done.push(await pass(gate));
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(2, availableParallelism())) }, work));
  const failed = done.filter(({ status }) => status !== 0);
  for (const { gate, output } of failed) console.log(`\n--- ${gate.name}\n${output.trimEnd()}`);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const names = failed.map(({ gate }) => gate.name).join(', ');
  console.log(failed.length === 0 ? `\nall well in ${seconds} s` : `\nfailed: ${names} (${seconds} s)`);
  return failed.length === 0 ? 0 : 1;
}

await main(qa);
