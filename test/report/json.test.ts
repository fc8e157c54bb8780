import { describe, expect, it } from 'vitest';
import { renderJson } from '../../src/report/json.ts';
import { reportFaults } from '../../src/report/validate.ts';
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
