import { existsSync, readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run, TaskError } from '../child.mjs';
import { systemPackages } from './packages.mjs';

const lists = '/var/lib/apt/lists';
const listsOldAfterMs = 7 * 24 * 3_600_000;
const lockWaitSeconds = 600;

/** @param {string} program */
function onPath(program) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => folder !== '' && existsSync(join(folder, program)));
}

/** @param {readonly import('./packages.mjs').SystemPackage[]} wanted */
async function missingOf(wanted) {
  /** @param {import('./packages.mjs').SystemPackage} each */
  const isThere = ({ proof }) => (proof.startsWith('/') ? existsSync(proof) : onPath(proof));
  if (!onPath('dpkg-query') || !onPath('apt-get')) return wanted.filter((each) => !isThere(each));
  const format = `--showformat=\${Package} \${db:Status-Status}\n`;
  const { output } = await run(['dpkg-query', '--show', format, ...wanted.map(({ name }) => name)]);
  const installed = new Set(
    output.split('\n').flatMap((line) => (line.endsWith(' installed') ? [line.split(' ')[0]] : [])),
  );
  // What is there without its package came another way (busybox-static, a compiler of the user's own): asking
  // for the package could take that away.
  return wanted.filter((each) => !installed.has(each.name) && !isThere(each));
}

/** Package lists that are missing or old make an install fail half-way; asking for new ones costs 3 s. */
function listsAreOld() {
  try {
    const packageLists = readdirSync(lists).filter((name) => /_Packages(\.\w+)?$/.test(name));
    return packageLists.length === 0 || Date.now() - statSync(lists).mtimeMs > listsOldAfterMs;
  } catch {
    return true;
  }
}

/**
 * How to become root here, or undefined.
 * @returns {Promise<readonly string[] | undefined>}
 */
async function asRoot() {
  const env = ['env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C.UTF-8'];
  if (process.getuid?.() === 0) return env;
  if (onPath('sudo') && (await run(['sudo', '-n', 'true'])).status === 0) return ['sudo', '-n', ...env];
  return undefined;
}

/**
 * dpkg's lock can be waited for; those of the lists and of the archives cannot, so another apt-get at work
 * (a second checkout, the machine's own upgrades) is met by trying again.
 * @param {readonly string[]} argv
 */
async function runApt(argv) {
  const until = Date.now() + lockWaitSeconds * 1000;
  for (;;) {
    const ended = await run(argv);
    const locked = ended.status !== 0 && /Could not get lock|Unable to lock/.test(ended.output);
    if (!locked || Date.now() > until) return ended;
    await sleep(1000);
  }
}

/** @param {string} output */
function lastLines(output) {
  return output.trimEnd().split('\n').slice(-15).join('\n');
}

/**
 * Installs the system packages that a purpose needs and that are not there.
 * @param {import('./packages.mjs').Purpose} purpose
 * @param {(line: string) => void} say
 */
export async function installSystemPackages(purpose, say) {
  const missing = await missingOf(systemPackages.filter((each) => each.for.includes(purpose)));
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name);
  const reasons = missing.map(({ name, why }) => `  ${name.padEnd(22)} ${why}`).join('\n');
  if (!onPath('dpkg-query') || !onPath('apt-get')) {
    throw new TaskError(
      `This machine has no apt-get, and these are not on it (Debian's names):\n${reasons}\n` +
        "Install them with the machine's own package manager, then try again.",
    );
  }
  const become = await asRoot();
  if (become === undefined) {
    throw new TaskError(
      `These packages are missing, and only root may install them:\n${reasons}\nRun this, then try again:\n` +
        `  sudo apt-get install --no-install-recommends ${names.join(' ')}`,
    );
  }
  const apt = [...become, 'apt-get', '-q', '-o', `DPkg::Lock::Timeout=${lockWaitSeconds}`];
  const update = () => runApt([...apt, 'update']);
  const install = () => runApt([...apt, 'install', '-y', '--no-install-recommends', ...names]);
  say(`apt-get install ${names.join(' ')}`);
  const updated = listsAreOld() && (await update());
  let ended = await install();
  // An old list names versions that the mirror no longer has.
  if (ended.status !== 0 && !updated) {
    await update();
    ended = await install();
  }
  if (ended.status !== 0 || (await missingOf(missing)).length > 0) {
    throw new TaskError(
      `apt-get could not install ${names.join(' ')}:\n${lastLines(ended.output)}\n` +
        `Try it by hand: apt-get update && apt-get install --no-install-recommends ${names.join(' ')}`,
    );
  }
}
