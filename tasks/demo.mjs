// Shows a newcomer why vfs-verify exists: a real guest, one file seen from two sides, and a change that the
// guest does not see. Uses the program as its users do, and leaves nothing behind.
import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { buildProbes, compile, nativeArchitecture } from './build.mjs';
import { endOnSignals, main, run, TaskError, wasInterrupted } from './child.mjs';
import { readFlags } from './flags.mjs';
import { root } from './lock.mjs';
import { setup } from './setup.mjs';

const lab = `demo-${process.pid}`;
const line = 'Hello-from-the-guest\n';
const bytes = 4 * 1024 * 1024;
const fileName = 'hello.txt';
const began = performance.now();

/** @param {readonly string[]} args */
const vfsVerify = (args) => [process.execPath, join(root, 'bin', 'vfs-verify.js'), ...args];

/** @param {string} text */
function say(text) {
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
  console.log(`\n[${seconds} s] ${text}`);
}

/** @param {string} word */
const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/**
 * Shows a command as the user would type it, then its output.
 * @param {readonly string[]} args
 * @param {number} expected its exit status
 */
async function show(args, expected) {
  console.log(`\n$ vfs-verify ${args.map(quoted).join(' ')}`);
  const ended = await run(vfsVerify(args), { cwd: root, show: true });
  if (wasInterrupted() !== undefined) return;
  if (ended.status !== expected) {
    throw new TaskError(
      `The demo expected exit status ${expected} and got ${ended.status}. That is a defect.`,
    );
  }
}

/** The same bytes that `yes | dd` makes in the guest, hashed by another program than the one shown. */
function expectedDigest() {
  const content = line.repeat(Math.ceil(bytes / line.length)).slice(0, bytes);
  return createHash('md5').update(content).digest('hex');
}

/**
 * What any program on the host may do: new bytes in the middle of a file, its size unchanged.
 * @param {string} path
 */
function changeOnHost(path) {
  const file = openSync(path, 'r+');
  writeSync(file, 'HOST WAS HERE', 2 * 1024 * 1024);
  closeSync(file);
}

async function labDown() {
  await run(vfsVerify(['lab', 'down', '--name', lab]), { cwd: root });
}

async function demo() {
  readFlags('npm run demo   (it takes no flags)', {});
  endOnSignals(labDown);
  await setup({ for: 'demo' });
  await compile();
  say('Getting ready. The first time this fetches a QEMU, a virtiofsd and a Linux kernel (110 MB).');
  const [prepared] = await Promise.all([
    run(vfsVerify(['lab', 'prepare'])),
    buildProbes([nativeArchitecture]),
  ]);
  if (wasInterrupted() !== undefined) return 130;
  if (prepared.status !== 0) throw new TaskError(`The lab cannot be made:\n${prepared.output.trimEnd()}`);
  try {
    say('Starting a small virtual machine that shares a directory with this host (virtiofs).');
    const up = await run(vfsVerify(['lab', 'up', '--name', lab, '--modes', 'auto,always', '--json']), {
      cwd: root,
    });
    if (wasInterrupted() !== undefined) return 130;
    if (up.status !== 0) throw new TaskError(`The lab did not come up:\n${up.output.trimEnd()}`);
    /** @type {import('../src/lab/info.ts').LabInfo} */
    const info = JSON.parse(up.stdout);
    const at = { auto: `${info.mounts.auto}/${fileName}`, always: `${info.mounts.always}/${fileName}` };

    say('The guest writes 4 MiB into the shared directory.');
    const script = `yes ${line.trimEnd()} | dd of=${at.auto} bs=1M count=4 iflag=fullblock status=none`;
    await show(['lab', 'exec', '--name', lab, '--', 'sh', '-c', script], 0);

    say('Both sides read the file and hash it at the same time. Are these the bytes it wrote?');
    await show(['md5', at.auto, `--lab=${lab}`, '--expect', expectedDigest()], 0);
    console.log('\nYes: guest and host read the same bytes, and those are the bytes that were written.');

    say('The same directory is mounted a second time, with cache=always. The guest reads the file there.');
    await show(['lab', 'exec', '--name', lab, '--', 'md5sum', at.always], 0);

    say("Now a program on the host changes 13 bytes of the file, behind the guest's back. Who sees it?");
    changeOnHost(join(info.hostDir, fileName));
    await show(['md5', at.always, at.auto, `--lab=${lab}`], 1);
    console.log(
      '\nThrough cache=always the guest still reads the old bytes, from its own memory. Nothing is broken:\n' +
        'that mode permits it. But a backup or a build that ran there now would be wrong. Through cache=auto\n' +
        'it sees the change.',
    );
  } finally {
    say('Shutting the guest down and removing all that the demo made.');
    await labDown();
  }
  if (wasInterrupted() !== undefined) return 130;
  say('Done. The exit status says the same: 0 same, 1 different, 2 could not tell.');
  console.log('         Next: vfs-verify lab up, and try it yourself; README.md has your own guest.');
  return 0;
}

await main(demo);
