// Carries the story out in a lab that is up, by the program as its users call it.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, TaskError } from '../child.mjs';
import { root } from '../lock.mjs';
import { fileName, fioCommand, md5Step, steps } from './steps.mjs';

/**
 * One measurement, as fio and as the counters tell it. Bytes.
 * @typedef {object} Measured
 * @property {string} name
 * @property {readonly string[]} did commands as they are typed
 * @property {number} iops fio's own figure
 * @property {number} asked
 * @property {readonly [number, number]} crossed to the daemon
 * @property {readonly [number, number]} requests
 * @property {number} fromDisk what the daemon's own disk reads were, readahead included
 * @property {readonly { source: string, bytes: number }[]} lines of the account, the largest first
 * @property {string} sentence
 * @property {number} [readAgain] pages that the host's kernel had given up before, and that were read again
 */

/**
 * @typedef {object} Compared
 * @property {string} name
 * @property {readonly string[]} did
 * @property {readonly { cached: number, pages: number, same: boolean, digest: string }[]} looks
 */

/** @typedef {{ measured: Measured[], compared: Compared }} Story */

/**
 * @param {import('../../src/lab/info.ts').LabInfo} lab
 * @param {{ sizeMiB: number, seconds: number, tell: (told: Measured | Compared) => void }} options
 * @returns {Promise<Story>}
 */
export async function tellStory(lab, { sizeMiB, seconds, tell }) {
  // A lab's guest copies fio from a disk of its own when it is first called: that is no part of a measurement.
  await ended(['lab', 'exec', '--name', lab.name, '--', 'fio', '--version']);
  /** @type {Measured[]} */
  const measured = [];
  /** @type {Compared | undefined} */
  let compared;
  for (const step of steps) {
    const guestDir = lab.mounts[step.mode] ?? '';
    const file = `${guestDir}/${fileName}`;
    const { did, readAgain } = await prepare(lab, step.before, file);
    const command = [
      ...['explain', `--lab=${lab.name}`, '--in', guestDir],
      // A file that is named is looked at before the run too; the first run makes it.
      ...(step.before === 'laid-out' ? ['--'] : ['--file', file, '--']),
      ...fioCommand({ sizeMiB, seconds, direct: step.direct }),
    ];
    const evidence = await explained(command);
    const done = { name: step.name, did: [...did, typed(command, lab)], ...figuresOf(evidence) };
    measured.push(readAgain > 0 ? { ...done, readAgain } : done);
    tell(measured[measured.length - 1] ?? done);
    if (step.name !== md5Step.after) continue;
    compared = await compare(lab, `${lab.mounts.auto}/${fileName}`);
    tell(compared);
  }
  if (compared === undefined) throw new TaskError('The story has no comparison.');
  return { measured, compared };
}

/** @param {readonly string[]} args */
const vfsVerify = (args) => run([process.execPath, join(root, 'bin', 'vfs-verify.js'), ...args]);

/**
 * A command as its user types it: one lab is found by itself.
 * @param {readonly string[]} args
 * @param {{ name: string }} lab
 */
function typed(args, lab) {
  const own = [`--lab=${lab.name}`, '--name', lab.name];
  const words = args.filter((word) => !own.includes(word));
  return ['vfs-verify', ...words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`))].join(
    ' ',
  );
}

/**
 * @param {readonly string[]} args
 * @param {number} [expected] its exit status
 */
async function ended(args, expected = 0) {
  const done = await vfsVerify(args);
  if (done.status !== expected)
    throw new TaskError(`vfs-verify ${args.join(' ')} ended with ${done.status}:\n${done.output}`);
  return done;
}

/**
 * @param {import('../../src/lab/info.ts').LabInfo} lab
 * @param {import('./steps.mjs').Step['before']} before
 * @param {string} file as the guest calls it
 */
async function prepare(lab, before, file) {
  if (before === 'laid-out') return { did: [], readAgain: 0 };
  if (before === 'drop-both') {
    const drop = ['drop', file, '--side', 'both', `--lab=${lab.name}`];
    await ended(drop);
    return { did: [typed(drop, lab)], readAgain: 0 };
  }
  const readAgain = await keepWarm(lab, file);
  if (before === 'warm') return { did: [], readAgain };
  const drop = ['lab', 'exec', '--name', lab.name, '--', 'sh', '-c', 'echo 3 > /proc/sys/vm/drop_caches'];
  await ended(drop);
  return { did: [typed(drop, lab)], readAgain };
}

/**
 * Some kernels take pages away that nobody has used for a few seconds (DAMON). A story about what is in the host's
 * memory must not depend on that.
 * @param {import('../../src/lab/info.ts').LabInfo} lab
 * @param {string} file
 * @returns {Promise<number>} pages that were missing
 */
async function keepWarm(lab, file) {
  const { cached, pages } = await heldByHost(lab, file);
  if (cached < pages) readFileSync(join(lab.hostDir, fileName));
  return pages - cached;
}

/** @param {import('../../src/lab/info.ts').LabInfo} lab @param {string} file */
async function heldByHost(lab, file) {
  const { stdout } = await ended(['residency', file, '--side', 'host', `--lab=${lab.name}`, '--json']);
  /** @type {import('../../src/model/residency.ts').ResidencyEvidence | undefined} */
  const evidence = JSON.parse(stdout).results[0]?.verdict.evidence;
  const held = evidence?.sides.find(({ side }) => side === 'host')?.pages;
  if (held === undefined) throw new TaskError("What the host's page cache holds cannot be seen here.");
  return { cached: held.cached, pages: held.total };
}

/**
 * md5 on both sides, once with the file in the host's memory and once without.
 * @param {import('../../src/lab/info.ts').LabInfo} lab
 * @param {string} file
 * @returns {Promise<Compared>}
 */
async function compare(lab, file) {
  const md5 = ['md5', file, `--lab=${lab.name}`];
  const drop = ['drop', file, '--side', 'both', `--lab=${lab.name}`];
  await keepWarm(lab, file);
  const looks = [await compareOnce(lab, file, md5)];
  await ended(drop);
  looks.push(await compareOnce(lab, file, md5));
  return { name: md5Step.name, did: [md5, drop, md5].map((each) => typed(each, lab)), looks };
}

/**
 * @param {import('../../src/lab/info.ts').LabInfo} lab
 * @param {string} file
 * @param {readonly string[]} md5
 */
async function compareOnce(lab, file, md5) {
  const held = await heldByHost(lab, file);
  const { status, stdout, output } = await vfsVerify([...md5, '--json']);
  if (status > 1) throw new TaskError(`vfs-verify ${md5.join(' ')} ended with ${status}:\n${output}`);
  /** @type {import('../../src/model/comparison.ts').ComparisonEvidence} */
  const evidence = JSON.parse(stdout).results[0].verdict.evidence;
  return { ...held, same: status === 0, digest: evidence.guest?.digest ?? '' };
}

/**
 * Runs fio under `explain`, its output passed through, and reads the account that it leaves.
 * @param {readonly string[]} command
 * @returns {Promise<{ reason: string, evidence: import('../../src/model/explain-evidence.ts').ExplainEvidence }>}
 */
async function explained(command) {
  const directory = mkdtempSync(join(tmpdir(), 'vfs-verify-story-'));
  try {
    const answer = join(directory, 'answer.json');
    const at = command.indexOf('--');
    await ended([...command.slice(0, at), '--json', '--output', answer, ...command.slice(at)]);
    const { verdict } = JSON.parse(readFileSync(answer, 'utf8')).results[0];
    if (verdict.evidence?.account === undefined) throw new TaskError(`No account: ${verdict.reason}`);
    return { reason: verdict.reason, evidence: verdict.evidence };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @param {Awaited<ReturnType<typeof explained>>} found */
function figuresOf({ reason, evidence: { account, rate } }) {
  const { reads, daemonDiskBytes } = account;
  const iops = rate?.read?.iops;
  if (iops === undefined || reads.crossed === undefined || daemonDiskBytes === undefined)
    throw new TaskError('fio did not say how fast it was, or the counters of the daemon could not be read.');
  return {
    iops,
    asked: reads.bytes,
    crossed: reads.crossed.bytes,
    requests: reads.crossed.requests,
    fromDisk: daemonDiskBytes,
    lines: reads.lines.filter(({ bytes }) => bytes > 0).map(({ source, bytes }) => ({ source, bytes })),
    sentence: reason,
  };
}
