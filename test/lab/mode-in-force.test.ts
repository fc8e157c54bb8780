import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabInfo } from '../../src/lab/info.ts';
import { labModes } from '../../src/model/mode.ts';
import type { Result } from '../../src/model/report.ts';
import { downLab, reportOf, upLab } from './cli.ts';
import { writeRewritingDaemon } from './rewriting-daemon.ts';

// The released daemon, as it is told and otherwise: what it does must give it away, whatever it was told.

const name = `mode-in-force-${process.pid}`;
const modes = [...labModes, 'auto+allow-direct-io', 'never+allow-mmap'];
let directory = '';
let honest: LabInfo;

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
});
afterAll(async () => {
  await downLab(name);
  await rm(directory, { recursive: true, force: true });
});

const checkIt = ['check', `--lab=${name}`, 'mode-in-force', '--seed', '5'];

/** Code of each case that failed, by the case's name. */
function failures({ cases }: Result): Record<string, string | undefined> {
  return Object.fromEntries(
    cases
      .filter(({ verdict }) => verdict.kind === 'fail')
      .map((each) => [each.name, each.verdict.code] as const),
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

const timeouts = {
  'attribute-timeout': 'other-attribute-timeout',
  'entry-timeout': 'other-entry-timeout',
};
const data = { 'data-caching': 'other-data-caching' };
const writeback = { writeback: 'writeback-not-as-declared' };
const directIo = { 'direct-io': 'direct-io-not-as-declared' };
const mapping = { 'shared-mapping': 'mmap-not-as-declared' };

describe.each([
  {
    title: 'caches otherwise, or lost a flag',
    served: {
      never: ['auto', { ...timeouts, ...data, ...mapping }],
      metadata: ['always', { ...data, ...mapping }],
      auto: ['always', { ...timeouts, ...data }],
      'auto+writeback': ['auto', writeback],
      always: ['auto', { ...timeouts, ...data }],
      'always+writeback': ['always', writeback],
      'auto+allow-direct-io': ['auto', directIo],
      'never+allow-mmap': ['never', mapping],
    },
  },
  {
    title: 'caches less, or was given a flag more',
    served: {
      never: ['never+allow-mmap', mapping],
      metadata: ['never', timeouts],
      auto: ['never', { ...timeouts, ...data, ...mapping }],
      'auto+writeback': ['auto+writeback+allow-direct-io', directIo],
      always: ['always+writeback', writeback],
      'always+writeback': ['metadata+writeback', { ...data, ...mapping }],
      'auto+allow-direct-io': ['auto+allow-direct-io', {}],
      'never+allow-mmap': ['metadata+allow-mmap', timeouts],
    },
  },
] as { title: string; served: Record<string, [string, Record<string, string>]> }[])(
  'a daemon that $title:',
  ({ served }) => {
    let results: readonly Result[] = [];
    beforeAll(async () => {
      const script = path.join(directory, 'virtiofsd');
      const names = Object.entries(served).map(([told, [really]]) => [told, really]);
      await writeRewritingDaemon(script, honest, Object.fromEntries(names));
      await upLab(name, '--virtiofsd', script, '--modes', modes.join(','));
      ({ results } = (await reportOf([...checkIt, '--modes', modes.join(',')])).report);
    });
    afterAll(() => downLab(name));

    const each = Object.entries(served).map(([told, [really, codes]]) => ({ told, really, codes }));
    it.each(each)('told $told and serving $really, is found out', ({ told, really, codes }) => {
      const result = results.find(({ mode }) => mode === told) as Result;
      expect(failures(result), JSON.stringify(result.cases)).toEqual(codes);
      const failed = result.cases.filter(({ verdict }) => verdict.kind === 'fail');
      for (const { verdict } of failed) {
        expect(verdict.promised).toContain(`mode ${told}`);
        // The verdict names what would fit; modes with flags that change nothing there are not all listed.
        if (labModes.includes(really))
          expect(verdict.reason.split('fits ')[1]?.split(', ')).toContain(really);
      }
    });
  },
);
