import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import type { LabInfo } from '../../src/lab/info.ts';
import { makeOnce } from '../../src/lab/make-once.ts';
import { cacheDirectory } from '../../src/lab/places.ts';
import { fetchLimitMs, withDebianSuite } from '../../src/lab/programs/debian-packages.ts';
import { inGuest } from './cli.ts';

const suite = 'trixie';
const version = 'python3.13';
/** Python, what of its library lives in files of its own, and the libraries that those parts need. */
const packages = [
  `${version}-minimal`,
  `lib${version}-minimal`,
  `lib${version}-stdlib`,
  ...['libc6', 'libexpat1', 'libffi8', 'libssl3t64', 'zlib1g'],
];
/** Where it lies in the guest, whose root is in memory. */
const home = '/opt/python';

/**
 * Gives Python to a lab's guest, which has none: Debian's, fetched once and kept in the user's cache.
 * @returns the words of a shell that run it there.
 */
export async function giveGuestPython(name: string, { hostDir, mounts }: LabInfo): Promise<string> {
  const directory = path.join(cacheDirectory(), `test-${version}-${suite}`);
  const what = 'Python for a guest';
  await mkdir(path.dirname(directory), { recursive: true });
  await makeOnce(directory, { what, limitMs: fetchLimitMs, onProgress: () => {} }, (making) =>
    withDebianSuite(suite, making, ({ unpack }) => unpack(packages)),
  );
  const archive = path.join(hostDir, 'python.tar');
  const [mount] = Object.values(mounts);
  // What a reproducer never imports is most of it.
  const heavy = ['idlelib', 'lib2to3', 'pydoc_data', 'unittest', 'asyncio', 'email', 'sqlite3', 'xml'];
  const without = [...heavy.map((each) => `--exclude=usr/lib/${version}/${each}`), '--exclude=usr/share'];
  await execa('tar', ['-C', directory, ...without, '-cf', archive, 'usr'], { timeout: 60_000 });
  await inGuest(name, `mkdir -p ${home} && tar -xf '${mount}/python.tar' -C ${home}`);
  await rm(archive);
  const libraries = `${home}/usr/lib/x86_64-linux-gnu`;
  const loader = `${home}/usr/lib64/ld-linux-x86-64.so.2 --library-path ${libraries}`;
  // Without the site's packages: starting it in an emulated guest takes long enough.
  return `env PYTHONHOME=${home}/usr ${loader} ${home}/usr/bin/${version} -S`;
}
