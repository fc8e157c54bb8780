import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, TaskError } from '../child.mjs';
import { root, withLock } from '../lock.mjs';

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, link?: boolean }} Locked
 * @typedef {{ packages: Record<string, Locked> }} LockFile
 */

/**
 * Whether what npm says it installed is what the lock file asks for. Contents, not times: a checkout of an
 * older commit makes new files with old contents. Optional packages are absent on other platforms.
 */
function isInstalled() {
  const hidden = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  /** @type {LockFile} */
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  /** @type {LockFile} */
  const there = JSON.parse(readFileSync(hidden, 'utf8'));
  const right = Object.entries(wanted.packages).every(([path, { version, integrity, optional }]) => {
    if (path === '') return true;
    const found = there.packages[path];
    if (found === undefined) return optional === true;
    return found.version === version && found.integrity === integrity && existsSync(join(root, path));
  });
  return right && Object.keys(there.packages).every((path) => path in wanted.packages);
}

/**
 * `npm ci`, when node_modules is missing or is not what package-lock.json says.
 * @param {(line: string) => void} say
 */
export async function installNodePackages(say) {
  if (isInstalled()) return;
  await withLock('npm', async () => {
    if (isInstalled()) return;
    say('npm ci');
    // Development packages are needed whatever NODE_ENV says: the compiler is one.
    const ended = await run(
      ['npm', 'ci', '--include=dev', '--no-audit', '--no-fund', '--fetch-timeout=60000', '--loglevel=error'],
      { cwd: root },
    );
    if (ended.status !== 0) {
      const words = ended.output.trimEnd().split('\n').slice(0, 15).join('\n');
      throw new TaskError(`npm ci failed:\n${words}`);
    }
  });
}
