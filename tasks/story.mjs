// The case that vfs-verify was born from, played again in a lab: a benchmark in a guest reads far faster than the disk
// can, each wrong turn that one may take from there, what counters say of it, and the right measurement at the end.
// `npm run story`; with `-- --keep` the pages of docs/ and the README show this run from then on.
import { parseArgs } from 'node:util';
import { build, nativeArchitecture } from './build.mjs';
import { endOnSignals, main, run, TaskError, wasInterrupted } from './child.mjs';
import { root } from './lock.mjs';
import { setup } from './setup.mjs';
import { slowDisk } from './story/slow-disk.mjs';

const name = `story-${process.pid}`;

/** @param {readonly string[]} args */
const vfsVerify = (args) => run([process.execPath, `${root}/bin/vfs-verify.js`, ...args]);

/** @param {string} text @param {string} flag */
function whole(text, flag) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new TaskError(`${flag} ${text} is no number above 0`);
  return value;
}

async function story() {
  const { values } = parseArgs({
    options: {
      size: { type: 'string', default: '128' },
      seconds: { type: 'string', default: '6' },
      'disk-iops': { type: 'string', default: '165' },
      keep: { type: 'boolean', default: false },
    },
  });
  const sizeMiB = whole(values.size, '--size');
  const seconds = whole(values.seconds, '--seconds');
  const readsPerSecond = whole(values['disk-iops'], '--disk-iops');
  await setup({ for: 'demo' });
  await build({ architectures: [nativeArchitecture] });
  // These need packages, which are there only now.
  const { tellStory } = await import('./story/run.mjs');
  const { groundLines, isAsTold, stepLines, summaryLines } = await import('./story/tell.mjs');
  const { keep } = await import('./story/keep.mjs');
  /** @type {import('./story/slow-disk.mjs').SlowDisk | undefined} */
  let disk;
  const down = async () => {
    disk?.mend();
    await vfsVerify(['lab', 'down', '--name', name]);
  };
  endOnSignals(down);
  try {
    console.log('A guest that shares a directory with this host (virtiofs), and a disk behind it.');
    const up = await vfsVerify([
      ...['lab', 'up', '--name', name, '--json', '--modes', 'auto,auto+allow-direct-io'],
    ]);
    if (wasInterrupted() !== undefined) return 130;
    if (up.status !== 0) throw new TaskError(`The lab did not come up:\n${up.output}`);
    /** @type {import('../src/lab/info.ts').LabInfo} */
    const lab = JSON.parse(up.stdout);
    const pids = Object.values(lab.daemons).map(({ pid }) => pid);
    disk = slowDisk(lab.hostDir, pids, readsPerSecond);
    const ground = { disk: disk.words, versions: versionsOf(lab) };
    console.log(groundLines(ground).join('\n'));
    let number = 0;
    const told = await tellStory(lab, {
      sizeMiB,
      seconds,
      tell: (each) => {
        number += 1;
        console.log(`\n${stepLines(each, number).join('\n')}`);
      },
    });
    console.log(`\n${summaryLines(told.measured).join('\n')}`);
    if (values.keep) await keep({ ...ground, sizeMiB, seconds, ...told });
    const isAll = told.measured.every(isAsTold) && told.compared.looks.every(({ same }) => same);
    return isAll ? 0 : 1;
  } finally {
    await down();
  }
}

/** @param {import('../src/lab/info.ts').LabInfo} lab */
function versionsOf({ programs, accelerator }) {
  const of = (/** @type {string} */ program) => programs[program]?.version ?? 'not known';
  return `virtiofsd ${of('virtiofsd')}, qemu ${of('qemu')}, guest Linux ${of('guest-kernel')} (${accelerator === 'kvm' ? 'KVM' : 'emulated'})`;
}

await main(story);
