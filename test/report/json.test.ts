import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { renderJson } from '../../src/report/json.ts';
import { reportFaults } from '../../src/report/validate.ts';
import { hostileReport } from './hostile.ts';
import { comparison, pathResult, reportOf, staleVerdict } from './samples.ts';

const report = reportOf('md5', [
  pathResult({ kind: 'pass', reason: 'same', evidence: comparison }),
  pathResult(staleVerdict, '/mnt/auto/bad\udcffname'),
]);

describe('the JSON report', () => {
  it('is the report, and valid by the published schema', () => {
    const parsed: unknown = JSON.parse(renderJson(report));
    expect(parsed).toEqual(report);
    expect(reportFaults(parsed)).toEqual([]);
  });

  it('begins with its schema, then the verdict before the results', () => {
    expect(Object.keys(JSON.parse(renderJson({ ...report })))).toEqual([
      'schema',
      'tool',
      'command',
      'verdict',
      'environment',
      'results',
    ]);
  });

  it('is valid UTF-8 even where a file name is not', () => {
    const text = renderJson(report);
    expect(text.isWellFormed()).toBe(true);
    expect(text).toContain('bad\\udcffname');
  });

  it('ends in a newline', () => {
    expect(renderJson(report).endsWith('}\n')).toBe(true);
  });
});

describe('the schema', () => {
  it('knows what a run of checks wrote, accounts, staleness, a baseline and a known defect in it', () => {
    const release = JSON.parse(readFileSync(new URL('./release.json', import.meta.url), 'utf8')) as Report;
    expect(reportFaults(release)).toEqual([]);
    const hostile = hostileReport();
    const environment = { ...hostile.environment, startedAt: report.environment.startedAt };
    expect(reportFaults(JSON.parse(renderJson({ ...hostile, environment })))).toEqual([]);
  });

  it('sees evidence of a known kind that is not so', () => {
    const series = [{ what: 'size', intervalsMs: [[1]] }];
    const wrong = pathResult({ kind: 'pass', reason: 'kept', evidence: { kind: 'staleness', series } });
    expect(reportFaults(reportOf('check', [wrong])).join()).toContain('intervalsMs/0');
  });

  it('refuses another version', () => {
    expect(reportFaults({ ...report, schema: 'vfs-verify/report/2' })).not.toEqual([]);
  });

  it('names a field that it does not know', () => {
    expect(reportFaults({ ...report, extra: 1 })).toEqual([
      'the report must NOT have additional properties ("extra")',
    ]);
  });

  it('refuses a fail without a code', () => {
    const faults = reportFaults(reportOf('md5', [pathResult({ kind: 'fail', reason: 'x' })]));
    expect(faults.join()).toContain("must have required property 'code'");
  });

  it('leaves evidence of other checks open, and holds that of md5 to its shape', () => {
    const open = reportOf('check', [
      pathResult({ kind: 'pass', reason: 'x', evidence: { any: [1, 'thing'] } }),
    ]);
    expect(reportFaults(open)).toEqual([]);
    const { votes: _, ...broken } = comparison;
    const closed = reportOf('md5', [pathResult({ kind: 'pass', reason: 'x', evidence: broken })]);
    expect(reportFaults(closed).join()).toContain("must have required property 'votes'");
  });

  it('refuses what is no report at all', () => {
    for (const value of [null, [], 'text', {}]) expect(reportFaults(value)).not.toEqual([]);
  });
});
