import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const program = fileURLToPath(new URL('../../bin/vfs-verify.js', import.meta.url));

/**
 * A share without a guest: both sides are this machine, and both see the same directory. What it promises is
 * what the mode `never` promises; nothing is ever stale. Checks are of the test's own.
 */
export interface LocalShare {
  /** Holds all the others. */
  readonly directory: string;
  readonly share: string;
  readonly checks: string;
  /** The flags that name both sides, the mode and the checks. */
  readonly flags: readonly string[];
  /** Runs the built program; every exit status is a result. */
  run(...args: readonly string[]): Promise<{ status: number | undefined; stdout: string; stderr: string }>;
  /** Starts it, to be killed. */
  start(...args: readonly string[]): { kill(signal: 'SIGKILL' | 'SIGINT'): boolean } & PromiseLike<unknown>;
}

export async function localShare(): Promise<LocalShare> {
  const directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
  const [share, checks, tmp] = ['share', 'checks', 'tmp'].map((name) => path.join(directory, name)) as [
    string,
    string,
    string,
  ];
  await Promise.all([share, checks, tmp].map((each) => mkdir(each)));
  const flags = ['--guest', 'local', '--map', `${share}=${share}`, '--mode', 'never', '--checks', checks];
  const options = { reject: false, stdin: 'ignore', timeout: 180_000, env: { TMPDIR: tmp } } as const;
  return {
    directory,
    share,
    checks,
    flags,
    async run(...args) {
      const result = await execa(process.execPath, [program, ...args], options);
      return { status: result.exitCode, stdout: result.stdout, stderr: result.stderr };
    },
    start: (...args) => execa(process.execPath, [program, ...args], options),
  };
}

/** A case of a check that is written to a file: what the steps are, and what the judge says. */
export interface ScriptedCase {
  readonly name: string;
  readonly waitMs?: number;
  /** The source of an expression over `observed`: a verdict. */
  readonly verdict?: string;
}

/** Writes a check from outside the package, as its user would: plain JavaScript. */
export async function writeCheck(
  folder: string,
  name: string,
  cases: readonly ScriptedCase[],
): Promise<void> {
  const planned = cases.map(({ name: each, waitMs }) => ({
    name: each,
    scenarios: [],
    isolation: 'shared',
    needs: ['writable'],
    actors: { one: 'host' },
    steps: [{ id: 'wait', actor: 'one', op: { do: 'wait', ms: waitMs ?? 1 } }],
  }));
  const verdicts = cases
    .map(
      ({ name: each, verdict }) =>
        `${JSON.stringify(each)}: (observed) => (${verdict ?? "{ kind: 'pass' }"})`,
    )
    .join(', ');
  const text = `
    const verdicts = { ${verdicts} };
    export default {
      name: ${JSON.stringify(name)},
      title: 'a check of a test',
      codes: { broken: 'it is broken', other: 'it is broken otherwise' },
      cases: () => ${JSON.stringify(planned)},
      judge: (observed) => ({ reason: 'as the test says', ...verdicts[observed.case.name](observed) }),
    };`;
  await writeFile(path.join(folder, `${name}.mjs`), text);
}

/** Names below a directory; none where it is not there. */
export async function namesIn(directory: string): Promise<readonly string[]> {
  return (await readdir(directory).catch(() => [])).sort();
}
