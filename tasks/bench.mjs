// What vfs-verify costs, as ratios within one run: figures of different machines cannot be compared, ratios
// can. `npm run bench -- reads --pairs 50`. Ends with 1 only at three times a budget, so that a slow afternoon
// is no failure; CI reads the table.
import * as explain from './bench/explain.mjs';
import { describeFigure, isFarOver } from './bench/figure.mjs';
import * as md5 from './bench/md5.mjs';
import * as reads from './bench/reads.mjs';
import * as start from './bench/start.mjs';
import { describeStolen, processorTime } from './bench/stolen.mjs';
import { build, nativeArchitecture } from './build.mjs';
import { main, TaskError } from './child.mjs';
import { count, readFlags } from './flags.mjs';
import { setup } from './setup.mjs';

/** @type {readonly import('./bench/figure.mjs').Bench[]} */
const benches = [start, md5, reads, explain];

const usage = `npm run bench -- [--pairs N] [NAME...]
  NAME       ${benches.map(({ name }) => name).join(', ')}; without one: all
  --pairs N  how often each is measured with and without`;

async function bench() {
  const { values, positionals } = readFlags(usage, {
    options: { pairs: { type: 'string' } },
    allowPositionals: true,
  });
  const unknown = positionals.filter((name) => !benches.some((each) => each.name === name));
  if (unknown.length > 0) {
    throw new TaskError(
      `no bench "${unknown.join(', ')}"; there are: ${benches.map(({ name }) => name).join(', ')}`,
    );
  }
  const pairs = values.pairs === undefined ? undefined : count(values.pairs, '--pairs');
  await setup({ for: 'test' });
  await build({ architectures: [nativeArchitecture] });
  let farOver = 0;
  for (const each of benches.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
    console.log(`\n${each.name}: ${each.title}`);
    const before = processorTime();
    const figures = await each.measure({
      pairs: pairs ?? each.pairs,
      say: (line) => console.log(`  ${line}`),
    });
    console.log(`\n${''.padEnd(44)}${'median'.padStart(10)}${'95 %'.padStart(14)}${'budget'.padStart(9)}`);
    for (const figure of figures) console.log(describeFigure(figure));
    const stolen = describeStolen(before, processorTime());
    if (stolen !== undefined) console.log(stolen);
    farOver += figures.filter(isFarOver).length;
  }
  return farOver > 0 ? 1 : 0;
}

await main(bench);
