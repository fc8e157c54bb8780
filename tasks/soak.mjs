// Does any check accuse released software of what it did not do? Repeats the whole matrix on the lab's own
// programs: `npm run soak`, `npm run soak -- --rounds 3 --modes auto,never`; one that was ended goes on by
// `npm run soak -- --continue DIR` with the folder of its evidence. Ends with 1 where a check failed
// that is not a known defect (docs/findings), or could not tell in more than one in a hundred of its rounds.
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, nativeArchitecture } from './build.mjs';
import { endOnSignals, main, run, TaskError } from './child.mjs';
import { count, readFlags } from './flags.mjs';
import { root } from './lock.mjs';
import { setup } from './setup.mjs';

const mostUnknown = 0.01;
const minutesForOneRound = 30;
const usage = `npm run soak -- [--rounds N] [--modes LIST] [--continue DIR]
  --rounds N    how often each case is carried out (20)
  --modes LIST  joined by commas; without it: those of a lab
  --continue DIR  go on with one that was ended, from the folder of its evidence`;

/** @param {readonly string[]} args */
const vfsVerify = (args) => [process.execPath, join(root, 'bin', 'vfs-verify.js'), ...args];

/**
 * What the rounds of every case ended in; a known fail does not count.
 * @param {import('../src/model/report.ts').Report} report
 */
function tally({ results }) {
  let rounds = 0;
  let unknown = 0;
  /** @type {string[]} */
  const fails = [];
  /** @type {string[]} */
  const unclear = [];
  for (const { check, mode, cases } of results) {
    for (const { name, verdict, rounds: counts, known } of cases) {
      const ended = counts ?? { pass: 0, fail: 0, unknown: 0, skip: 0, [verdict.kind]: 1 };
      const words = `${check}/${name}, ${mode}: ${verdict.code ?? verdict.kind}: ${verdict.reason}`;
      rounds += ended.pass + ended.fail + ended.unknown;
      unknown += ended.unknown;
      if (ended.fail > 0 && known === undefined) fails.push(`${words} (${ended.fail} times)`);
      if (ended.unknown > 0) unclear.push(`${words} (${ended.unknown} times)`);
    }
  }
  return { rounds, unknown, fails, unclear };
}

async function soak() {
  const { values } = readFlags(usage, {
    options: {
      rounds: { type: 'string', default: '20' },
      modes: { type: 'string' },
      continue: { type: 'string' },
    },
  });
  const rounds = count(values.rounds, '--rounds');
  await setup({ for: 'test' });
  await build({ architectures: [nativeArchitecture] });
  const name = `soak-${process.pid}`;
  const down = async () => void (await run(vfsVerify(['lab', 'down', '--name', name])));
  endOnSignals(down);
  const evidence = values.continue ?? mkdtempSync(join(tmpdir(), 'vfs-verify-soak-'));
  const file = join(evidence, 'report.json');
  const modes = values.modes === undefined ? [] : ['--modes', values.modes];
  try {
    const up = await run(
      vfsVerify([
        ...['lab', 'up', '--name', name, '--guests', '2', '--second-tag', '--boot-timeout', '300'],
        ...modes,
      ]),
    );
    if (up.status !== 0) throw new TaskError(`The lab did not come up:\n${up.output}`);
    const bundle = join(evidence, 'bundle');
    const asked =
      values.continue === undefined
        ? ['--bundle', bundle, ...modes, '--repeat', `${rounds}`]
        : ['--continue', bundle];
    const known = ['--known', join(root, 'docs', 'findings')];
    const check = vfsVerify(['check', `--lab=${name}`, ...asked, ...known, '--report', `json=${file}`]);
    const { status } = await run(check, { show: true, limitMinutes: minutesForOneRound * rounds });
    if (!existsSync(file)) {
      const goOn = `go on with: npm run soak -- --continue ${evidence}`;
      throw new TaskError(`The check ended with ${status} before its report was written; ${goOn}`);
    }
  } finally {
    await down();
  }
  const found = tally(JSON.parse(readFileSync(file, 'utf8')));
  const share = found.rounds === 0 ? 1 : found.unknown / found.rounds;
  console.log(`\n${found.rounds} cases were judged, ${found.unknown} of them unknown`);
  for (const each of found.unclear) console.log(`  unknown  ${each}`);
  for (const each of found.fails) console.log(`  FAIL     ${each}`);
  console.log(`the evidence is in ${evidence}`);
  return found.fails.length > 0 || share > mostUnknown ? 1 : 0;
}

await main(soak);
