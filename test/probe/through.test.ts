import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { throughEndpoint } from '../../src/endpoint/through.ts';
import { startProbe } from '../../src/probe/install.ts';
import { builtProbe } from './side.ts';

const work = mkdtempSync(join(tmpdir(), 'vfs-probe-through-'));
const busybox = spawnSync('sh', ['-c', 'command -v busybox'], { encoding: 'utf8' }).stdout.trim();
const mayMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;

beforeAll(async () => void (await builtProbe()), 120_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Starts the probe there, and asks it for a listing. */
async function namesThere(spec: string, directory: string): Promise<readonly string[]> {
  const there = throughEndpoint(spec);
  const session = await startProbe(there);
  const outcome = await session.request(
    'a',
    { do: 'list', path: directory },
    { root: '/', limitMs: 10_000, limitName: 'test' },
  );
  await session.close();
  await there.close();
  if (outcome.kind !== 'value') throw new Error(JSON.stringify(outcome));
  return (outcome.value as { names: string[] }).names;
}

test.each([
  ['executes its words', `exec:sh -c 'exec "$@"' direct`],
  ['joins its words again', `exec:sh -c 'exec sh -c "$*"' joining`],
])('the probe is carried through a command that %s', async (_, spec) => {
  mkdirSync(join(work, 'listed'), { recursive: true });
  writeFileSync(join(work, 'listed', 'seen'), '');
  expect(await namesThere(spec, join(work, 'listed'))).toEqual(['seen']);
});

test.skipIf(!mayMount || busybox === '')(
  'a container with nothing but busybox, and a view of its own',
  async () => {
    const root = join(work, 'container');
    for (const name of ['bin', 'dev', 'proc', 'tmp', 'mnt']) mkdirSync(join(root, name), { recursive: true });
    cpSync(busybox, join(root, 'bin', 'busybox'));
    symlinkSync('busybox', join(root, 'bin', 'sh'));
    const { stdout: libraries } = spawnSync('ldd', [busybox], { encoding: 'utf8' });
    for (const library of libraries.match(/\/\S+/g) ?? []) {
      mkdirSync(join(root, dirname(library)), { recursive: true });
      cpSync(library, join(root, library), { dereference: true });
    }
    const share = join(work, 'share');
    mkdirSync(share);
    writeFileSync(join(share, 'in both'), '');
    const enter = `mount --bind /dev ${root}/dev; mount --bind ${share} ${root}/mnt; exec chroot ${root} "$@"`;
    expect(await namesThere(`exec:unshare -m -p --fork sh -ec '${enter}' box`, '/mnt')).toEqual(['in both']);
  },
);
