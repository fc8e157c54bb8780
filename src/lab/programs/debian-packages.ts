import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Making } from '../make-once.ts';
import { debianMirror } from './apt-sources.ts';

/** How long fetching may take. */
export const fetchLimitMs = 300_000;

/** Packages of one suite of Debian, from this machine's mirror. */
export interface DebianSuite {
  /** What a package depends on, such as the kernel behind `linux-image-amd64`. */
  dependenciesOf(packageName: string, matching: RegExp): Promise<readonly string[]>;
  /** Fetches packages, without what they depend on, and unpacks them in the directory that is being made. */
  unpack(names: readonly string[]): Promise<void>;
}

/** A step of fetching that failed, with the program's own words. */
export class FetchFailed extends Error {
  readonly detail: string;
  /** @param lastLine the program's last words. */
  constructor(program: string, lastLine: string, detail: string) {
    super(`${program} failed: ${lastLine}`);
    this.detail = detail;
  }
}

/**
 * Reads a suite's lists into a directory of our own, uses it, and removes what apt needed there. The machine's
 * own keys and proxies are used, and nothing of its apt is changed.
 * @throws FetchFailed
 */
export async function withDebianSuite(
  suite: string,
  { directory, env }: Making,
  use: (packages: DebianSuite) => Promise<void>,
): Promise<void> {
  const apt = join(directory, 'apt');
  for (const each of ['lists/partial', 'archives/partial']) mkdirSync(join(apt, each), { recursive: true });
  const mirror = debianMirror();
  const signedBy = mirror.signedBy === undefined ? [] : [`signed-by=${mirror.signedBy}`];
  const options = [...signedBy, ...(mirror.trusted ? ['trusted=yes'] : [])].join(' ');
  writeFileSync(
    join(apt, 'sources.list'),
    `deb ${options === '' ? '' : `[${options}] `}${mirror.uri} ${suite} main\n`,
  );
  writeFileSync(join(apt, 'status'), '');
  const settings = [
    'APT::Architecture=amd64',
    'APT::Architectures=amd64',
    'APT::Sandbox::User=root',
    `Dir::State=${apt}`,
    `Dir::State::status=${join(apt, 'status')}`,
    `Dir::Cache=${apt}`,
    `Dir::Etc::SourceList=${join(apt, 'sources.list')}`,
    'Dir::Etc::SourceParts=/dev/null',
    'Acquire::Languages=none',
  ].flatMap((each) => ['-o', each]);
  const run = async (program: string, ...words: string[]): Promise<string> => {
    const ended = await execa(program, words, {
      env: { ...env, LC_ALL: 'C' },
      cwd: apt,
      reject: false,
      timeout: fetchLimitMs,
      all: true,
      stdin: 'ignore',
    });
    if (!ended.failed) return ended.stdout;
    const said = ended.all?.trim() ?? '';
    throw new FetchFailed(program, said.split('\n').at(-1) || String(ended.code), said);
  };
  await run('apt-get', ...settings, '-q', 'update');
  await use({
    async dependenciesOf(packageName, matching) {
      const depends = await run('apt-cache', ...settings, 'depends', '--important', packageName);
      return depends
        .split('\n')
        .flatMap((line) => /Depends: (\S+)/.exec(line)?.[1] ?? [])
        .filter((name) => matching.test(name));
    },
    async unpack(names) {
      await run('apt-get', ...settings, '-q', 'download', ...names);
      for (const deb of readdirSync(apt).filter((each) => each.endsWith('.deb')))
        await run('dpkg-deb', '--extract', join(apt, deb), directory);
    },
  });
  rmSync(apt, { recursive: true });
}
