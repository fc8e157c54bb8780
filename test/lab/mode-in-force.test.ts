import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabInfo } from '../../src/lab/info.ts';
import { labModes } from '../../src/model/mode.ts';
import type { Result } from '../../src/model/report.ts';
import { downLab, reportOf, upLab } from './cli.ts';
import { writeRewritingDaemon } from './rewriting-daemon.ts';
import { useScratch } from './scratch.ts';
import { cachesLess, cachesOtherwise } from './told/others.ts';

// The released daemon, as it is told and otherwise: what it does must give it away, whatever it was told.

const name = `mode-in-force-${process.pid}`;
const modes = [...labModes, 'auto+allow-direct-io', 'never+allow-mmap'];
const scratch = useScratch(name);
let honest: LabInfo;

const checkIt = ['check', `--lab=${name}`, 'mode-in-force', '--seed', '5'];

/** Code of each case that failed, by `check/case`. */
function failures({ cases }: Result): Record<string, string | undefined> {
  return Object.fromEntries(
    cases
      .filter(({ verdict }) => verdict.kind === 'fail')
      .map((each) => [`mode-in-force/${each.name}`, each.verdict.code] as const),
  );
}

describe('a daemon that serves the mode it is told', () => {
  beforeAll(async () => {
    honest = await upLab(name, '--modes', modes.join(','));
  });
  afterAll(() => downLab(name));

  it('passes in every mode', async () => {
    const { status, report } = await reportOf([...checkIt, '--modes', modes.join(',')]);
    expect(status, JSON.stringify(report.results)).toBe(0);
    expect(report.results.map(({ mode }) => mode)).toEqual(modes);
    for (const { mode, cases } of report.results)
      for (const { name: each, verdict } of cases) expect(verdict.kind, `${mode}, ${each}`).toBe('pass');
  });
});

describe.each([
  { title: 'caches otherwise, or lost a flag', served: cachesOtherwise },
  { title: 'caches less, or was given a flag more', served: cachesLess },
])('a daemon that $title:', ({ served }) => {
  let results: readonly Result[] = [];
  beforeAll(async () => {
    const script = path.join(scratch.directory, 'virtiofsd');
    const names = served.map(({ policy, really }) => [policy, really]);
    await writeRewritingDaemon(script, honest, Object.fromEntries(names));
    await upLab(name, '--virtiofsd', script, '--modes', modes.join(','));
    ({ results } = (await reportOf([...checkIt, '--modes', modes.join(',')])).report);
  });
  afterAll(() => downLab(name));

  it.each(served)('told $policy and serving $really, is found out', ({ policy, really, fails }) => {
    const result = results.find(({ mode }) => mode === policy) as Result;
    expect(failures(result), JSON.stringify(result.cases)).toEqual(fails);
    const failed = result.cases.filter(({ verdict }) => verdict.kind === 'fail');
    for (const { verdict } of failed) {
      expect(verdict.promised).toContain(`mode ${policy}`);
      // The verdict names what would fit; modes with flags that change nothing there are not all listed.
      if (labModes.includes(really)) expect(verdict.reason.split('fits ')[1]?.split(', ')).toContain(really);
    }
  });
});
