import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const hook = fileURLToPath(new URL('./modules-loaded.mjs', import.meta.url));

/** The modules that a command line loads: packages by their names, our own files by their paths. */
async function loadedBy(...args: readonly string[]) {
  const { stdio, exitCode } = await execa(
    process.execPath,
    ['--import', hook, `${root}bin/vfs-verify.js`, ...args],
    {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    },
  );
  expect(exitCode).toBe(0);
  const urls = String(stdio[3])
    .split('\n')
    .filter((url) => url.startsWith('file:') && !url.endsWith('modules-loaded.mjs'));
  const packages = urls.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? []);
  const own = urls.flatMap((url) => /\/dist\/(.*)$/.exec(url)?.[1] ?? []);
  return { packages: [...new Set(packages)], own };
}

// What `npm run bench -- start` measures is kept by this: a module that --help loads is one that everybody waits for.
describe('--help', () => {
  it('imports no package: commander is required, which is read once and not twice', async () => {
    expect((await loadedBy('--help')).packages).toEqual([]);
    expect((await loadedBy('check', '--help')).packages).toEqual([]);
  });

  it('loads nothing of ours but the command line itself', async () => {
    const { own } = await loadedBy('--help');
    expect(own.sort()).toEqual(
      ['commander', 'program', 'start', 'version'].map((name) => `src/cli/${name}.js`),
    );
  });
});
