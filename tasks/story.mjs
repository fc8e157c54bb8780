// The case that vfs-verify was born from, played again in a lab: a benchmark in a guest reads far faster than the disk
// can, each wrong turn that one may take from there, what counters say of it, and the right measurement at the end.
// `npm run story`; with `-- --keep` the pages of docs/ and the README show this run from then on.
import { build, nativeArchitecture } from './build.mjs';
import { endOnSignals, main, run, TaskError, wasInterrupted } from './child.mjs';
import { count, readFlags } from './flags.mjs';
import { root } from './lock.mjs';
import { setup } from './setup.mjs';
import { slowDisk } from './story/slow-disk.mjs';

const name = `story-${process.pid}`;

/** @param {readonly string[]} args */
const vfsVerify = (args) => run([process.execPath, `${root}/bin/vfs-verify.js`, ...args]);

const usage = `npm run story -- [--size MIB] [--seconds N] [--disk-iops N] [--keep]
  --size MIB     of the file that fio reads (128)
  --seconds N    how long each measurement takes at most (6)
  --disk-iops N  reads a second that the disk behind the share is slowed down to (165)
  --keep         the README and docs/ show this run from then on`;

async function story() {
  const { values } = readFlags(usage, {
    options: {
      size: { type: 'string', default: '128' },
      seconds: { type: 'string', default: '6' },
      'disk-iops': { type: 'string', default: '165' },
      keep: { type: 'boolean', default: false },
    },
  });
  const sizeMiB = count(values.size, '--size');
  const seconds = count(values.seconds, '--seconds');
  const readsPerSecond = count(values['disk-iops'], '--disk-iops');
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
