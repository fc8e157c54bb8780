import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseMode } from '../../src/model/mode.ts';
import type { Result } from '../../src/model/report.ts';
import { backend } from './backend.ts';
import { downLab, reportOf, upLab } from './cli.ts';
import { type LyingBackend, liesAboutNames as lies } from './told/names.ts';

// Each check of names and attributes fails, with the code that says how, on a daemon that lies in its way; the same
// cases pass where it does not lie. All daemons serve one guest, each in a mode of its own.

const name = `coherence-names-${process.pid}`;

const honest = ['never', 'auto', 'always', 'never+xattr'];
const cases = [...new Set(lies.flatMap(({ fails }) => Object.keys(fails)))];

/** A mode of its own for each lie: its daemon is told which by the size of a thread pool, which it has not. */
function modeOf(lie: LyingBackend): string {
  return parseMode(`${lie.policy}+thread-pool-size=${10 + lies.indexOf(lie)}`).name;
}

let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
  const script = path.join(directory, 'virtiofsd');
  const branches = lies.map(
    ({ faults }, index) => `    --thread-pool-size=${10 + index}) export VFS_BACKEND_FAULT='${faults}' ;;`,
  );
  // Each word is taken from the front and put back at the end, save the one that says which lie it is.
  const text = `#!/bin/sh
for word do
  shift
  case "$word" in
${branches.join('\n')}
    *) set -- "$@" "$word" ;;
  esac
done
exec '${backend}' "$@"
`;
  await writeFile(script, text, { mode: 0o755 });
  await upLab(
    name,
    '--virtiofsd',
    script,
    '--modes',
    [...honest, ...lies.map(modeOf)].join(','),
    '--boot-timeout',
    '300',
  );
}, 600_000);
afterAll(async () => {
  await downLab(name);
  await rm(directory, { recursive: true, force: true });
});

async function run(names: readonly string[], modes: readonly string[]): Promise<readonly Result[]> {
  const asked = ['check', `--lab=${name}`, ...names, '--modes', modes.join(','), '--seed', '5'];
  return (await reportOf(asked)).report.results;
}

describe('without a lie', () => {
  it('all of these cases pass', async () => {
    for (const { mode, cases: ended } of await run(cases, honest)) {
      for (const { name: each, verdict } of ended)
        expect(verdict, `${mode}, ${each}: ${verdict.reason}`).toMatchObject({ kind: 'pass' });
    }
  });
});

describe('a daemon that lies', () => {
  // They wait for each other's requests, and for timeouts: several at once take no longer than one.
  it.concurrent.each(lies.map((lie) => ({ ...lie, lie })))(
    'in $policy by $faults fails as expected',
    async ({ lie, fails }) => {
      const results = await run(Object.keys(fails), [modeOf(lie)]);
      const codes = results.flatMap(({ check, cases: ended }) =>
        ended.map(({ name: each, verdict }) => [`${check}/${each}`, verdict.code ?? verdict.reason]),
      );
      expect(Object.fromEntries(codes)).toEqual(fails);
    },
  );
});
