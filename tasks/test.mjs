// Sets up, builds, runs the suites, and looks for what they left behind. The last line is the count that
// CI reads. `npm test -- unit` or `npm test -- lab` runs one suite; further words are vitest's.
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from './build.mjs';
import { endOnSignals, main, run } from './child.mjs';
import { readFlags } from './flags.mjs';
import { root } from './lock.mjs';
import { setup } from './setup.mjs';
import { filesLeftIn, mountsBelow, processesMarked } from './test/leftovers.mjs';

const suites = ['unit', 'lab'];
const usage = `npm test -- [unit|lab] [WORD...]
  unit, lab  one suite; without one: both
  WORD       handed on to vitest: files, -t PATTERN`;
const inCi = !['', 'false', '0', undefined].includes(process.env.CI);

/**
 * Directories and a mark of this run's own, so that its labs collide with nobody's and whatever is left
 * behind can be told from what others do on this machine. The lab's tree of programs stays in the user's
 * cache: it is made once.
 */
function ownWorld() {
  // Short: the paths of unix sockets hold 107 bytes.
  const directory = mkdtempSync('/tmp/vfsv-');
  const folder = Object.fromEntries(['state', 'run', 'tmp'].map((name) => [name, join(directory, name)]));
  for (const path of Object.values(folder)) mkdirSync(path, { mode: 0o700 });
  const mark = `VFS_VERIFY_TEST_RUN=${randomUUID()}`;
  const [markName = '', markValue] = mark.split('=');
  /** @type {NodeJS.ProcessEnv} */
  const env = {
    ...process.env,
    [markName]: markValue,
    XDG_STATE_HOME: folder.state,
    XDG_RUNTIME_DIR: folder.run,
    TMPDIR: folder.tmp,
    ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }),
    VFS_VERIFY_TEST_SUMMARY: join(directory, 'summary.json'),
  };
  return { directory, folders: Object.values(folder), mark, env };
}

/** @typedef {ReturnType<typeof ownWorld>} World */

/**
 * @param {string} suite
 * @param {readonly string[]} words
 * @param {World} world
 * @returns {Promise<import('./test/reporter.mjs').Summary>}
 */
async function runSuite(suite, words, world) {
  console.log(`\n=== ${suite}`);
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=./tasks/test/reporter.mjs'];
  const argv = [
    process.execPath,
    vitest,
    'run',
    '--project',
    suite,
    '--passWithNoTests',
    ...reporters,
    ...words,
  ];
  const file = join(world.directory, 'summary.json');
  rmSync(file, { force: true });
  const ended = await run(argv, { cwd: root, env: world.env, show: true, limitMinutes: 60 });
  if (!existsSync(file)) {
    console.log(`The ${suite} suite ended with status ${ended.status} and no summary.`);
    return { passed: 0, failed: 1, skipped: [] };
  }
  /** @type {import('./test/reporter.mjs').Summary} */
  const summary = JSON.parse(readFileSync(file, 'utf8'));
  return ended.status !== 0 && summary.failed === 0 ? { ...summary, failed: 1 } : summary;
}

/**
 * Names and ends what a run left behind. Processes that are just ending get a moment.
 * @param {World} world
 * @returns {Promise<string[]>}
 */
async function clearAway(world) {
  let processes = processesMarked(world.mark);
  for (let tries = 0; processes.length > 0 && tries < 25; tries += 1) {
    await sleep(200);
    processes = processesMarked(world.mark);
  }
  const left = processes.map(({ pid, command }) => `process ${pid}: ${command.slice(0, 150)}`);
  for (const { pid } of processes) process.kill(pid, 'SIGKILL');
  const mounts = mountsBelow(world.directory);
  left.push(...mounts.map((point) => `mount ${point}`));
  for (const folder of world.folders) {
    left.push(...filesLeftIn(folder).map((path) => `file ${join(folder, path)}`));
  }
  // Never delete through a mount: what is below it may be somebody's.
  if (mounts.length === 0) rmSync(world.directory, { recursive: true, force: true });
  return left;
}

async function test() {
  const began = performance.now();
  const words = process.argv.slice(2);
  // Everything else may be vitest's.
  readFlags(usage, { args: words, strict: false, allowPositionals: true });
  const chosen = suites.filter((suite) => words.includes(suite));
  const rest = words.filter((word) => !suites.includes(word));
  await setup({ for: 'test' });
  await build();
  const world = ownWorld();
  endOnSignals(async () => void (await clearAway(world)));

  let passed = 0;
  let failed = 0;
  /** @type {{ suite: string, name: string, reason: string }[]} */
  const skipped = [];
  for (const suite of chosen.length > 0 ? chosen : suites) {
    const summary = await runSuite(suite, rest, world);
    passed += summary.passed;
    failed += summary.failed;
    skipped.push(...summary.skipped.map((each) => ({ ...each, suite })));
  }
  const left = await clearAway(world);

  console.log('');
  for (const { name, reason } of skipped) console.log(`SKIPPED ${name}\n        because: ${reason}`);
  for (const each of left.slice(0, 20)) console.log(`LEFT BEHIND ${each}`);
  if (left.length > 20) console.log(`LEFT BEHIND and ${left.length - 20} more`);
  const labSkips = inCi ? skipped.filter(({ suite }) => suite === 'lab').length : 0;
  if (labSkips > 0) console.log(`${labSkips} lab tests were skipped, which CI takes for failures.`);
  if (left.length > 0) failed += 1;
  if (passed + failed === 0) console.log('No test ran.');
  console.log(`${((performance.now() - began) / 1000).toFixed(0)} s in all`);
  console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`);
  return failed > 0 || labSkips > 0 || passed === 0 ? 1 : 0;
}

await main(test);
