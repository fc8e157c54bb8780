// Makes a clean clone ready: the packages of npm and of the system that are missing, and nothing else.
// Only node's own modules here: it runs before anything is installed.
import { isEntry, main, TaskError } from './child.mjs';
import { installSystemPackages } from './setup/apt.mjs';
import { installNodePackages } from './setup/npm.mjs';

const oldestNode = [20, 12];

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = oldestNode;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw new TaskError(`Node ${oldestNode.join('.')} or newer is needed; this is ${process.versions.node}.`);
  }
  if (process.platform !== 'linux') {
    throw new TaskError(
      `vfs-verify is built on Linux; this is ${process.platform}. Install the package that "npm pack" makes there.`,
    );
  }
}

/**
 * Installs what is missing. Says nothing when there is nothing to do.
 * @param {{ for: import('./setup/packages.mjs').Purpose }} what
 */
export async function setup(what) {
  requireNode();
  const began = performance.now();
  let said = false;
  /** @param {string} line */
  const say = (line) => {
    said = true;
    console.log(`setup: ${line}`);
  };
  // npm and apt lock different things, and each spends most of its time on the network or the disk.
  const ended = await Promise.allSettled([installSystemPackages(what.for, say), installNodePackages(say)]);
  const failures = ended.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
  const defect = failures.find((reason) => !(reason instanceof TaskError));
  if (defect !== undefined) throw defect;
  if (failures.length > 0) throw new TaskError(failures.map((reason) => reason.message).join('\n\n'));
  if (said) console.log(`setup: done in ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

if (isEntry(import.meta.url))
  await main(async () => {
    requireNode();
    // A Node that is too old has no parseArgs.
    const { readFlags } = await import('./flags.mjs');
    readFlags('npm run setup   (it takes no flags)', {});
    await setup({ for: 'test' });
  });
