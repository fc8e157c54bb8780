import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabInfo } from '../../src/lab/info.ts';
import { labModes } from '../../src/model/mode.ts';
import type { Result } from '../../src/model/report.ts';
import { backend, setFaults } from './backend.ts';
import { downLab, reportOf, upLab } from './cli.ts';
import { acknowledged } from './told/others.ts';

// The checks of durability on the released daemon, and on one that acknowledges what it does not do. Each run
// makes further labs, with disks that are cut off, filled and broken.

const name = `durability-${process.pid}`;
const modes = ['never', 'auto+writeback'];
/** That of the backend; the released daemon has no faults to switch. */
let lab: LabInfo | undefined;

/** Runs the checks with the backend's faults switched on, in this lab and in those that the run makes. */
async function run(asked: readonly string[], checks: readonly string[], faults = '') {
  if (lab !== undefined) for (const mode of asked) await setFaults(lab, mode, faults);
  const args = ['check', ...checks, `--lab=${name}`, '--modes', asked.join(','), '--seed', '5'];
  return reportOf(args, { env: { VFS_BACKEND_FAULT: faults }, timeoutMs: 240_000 });
}

/** The codes of all cases in one mode, by `check/case`; the kind where there is none. */
function codesIn(results: readonly Result[], mode: string): Record<string, string> {
  return Object.fromEntries(
    results
      .filter((each) => each.mode === mode)
      .flatMap(({ check, cases }) =>
        cases.map(({ name: each, verdict }) => [`${check}/${each}`, verdict.code ?? verdict.kind]),
      ),
  );
}

describe('a released daemon', () => {
  beforeAll(() => upLab(name));
  afterAll(() => downLab(name));

  it('keeps what it acknowledged, in every mode', async () => {
    const { report } = await run(labModes, ['fsync-durable', 'directory-fsync', 'write-errors']);
    for (const { check, mode, cases } of report.results) {
      const quota = check === 'write-errors' ? ['pass', 'skip'] : ['pass'];
      for (const each of cases) {
        const expected = each.name === 'quota' ? quota : ['pass'];
        expect(expected, `${check}/${each.name}, ${mode}: ${each.verdict.reason}`).toContain(
          each.verdict.kind,
        );
      }
    }
  });
});

describe('a daemon that acknowledges and does not do it', () => {
  beforeAll(async () => {
    lab = await upLab(name, '--virtiofsd', backend, '--modes', modes.join(','));
  });
  afterAll(() => downLab(name));

  it('is found out by its syncs, by a power cut, and by a full disk', async () => {
    const [{ faults, fails }] = acknowledged;
    const checks = ['fsync-durable', 'directory-fsync', 'write-errors'];
    const { status, report } = await run(modes, checks, faults);
    expect(status).toBe(1);
    for (const mode of modes) {
      const why = `${mode}: ${JSON.stringify(report.results.map(({ cases }) => cases))}`;
      expect(codesIn(report.results, mode), why).toMatchObject(fails);
    }
    expect(codesIn(report.results, 'auto+writeback')).toMatchObject({
      'fsync-durable/msync': 'not-written-back',
      'write-errors/mapped': 'swallowed',
    });
  });

  it('is found out when it is killed, when it refuses, and when it speaks too late', async () => {
    const [, ...others] = acknowledged;
    for (const { policy, faults, fails } of others) {
      const { report } = await run([policy], Object.keys(fails), faults);
      expect(codesIn(report.results, policy)).toEqual(fails);
    }
  });
});
