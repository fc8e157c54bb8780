import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { renderText } from '../../src/report/text.ts';
import { reportOf } from './samples.ts';

const kept = { kind: 'pass', reason: 'kept' } as const;
const torn = { kind: 'fail', code: 'torn', reason: 'two halves of two generations' } as const;

function report(baseline: Report['baseline'], known: boolean): Report {
  const result = reportOf('check', [
    {
      check: 'host-append',
      mode: 'auto',
      durationMs: 5,
      verdict: torn,
      cases: [
        { name: 'kept', verdict: kept, durationMs: 1 },
        {
          name: 'mapped',
          verdict: torn,
          durationMs: 1,
          rounds: { pass: 18, fail: 2, unknown: 0, skip: 0 },
          ...(known ? { known: { id: 'F7', title: 'mapped pages tear', where: 'docs/findings.md' } } : {}),
        },
      ],
    },
  ]);
  return baseline === undefined ? result : { ...result, baseline };
}

describe('a run compared with an earlier one', () => {
  const text = renderText(
    report(
      {
        file: 'old release.json',
        startedAt: '2025-01-02T03:04:05.678Z',
        versions: {},
        unchanged: 17,
        changes: [
          { what: 'gone', check: 'md5', mode: 'never', case: '', before: { kind: 'pass' } },
          {
            what: 'better',
            check: 'holes',
            mode: 'auto',
            case: 'punch',
            before: { kind: 'unknown' },
            after: { kind: 'pass' },
          },
          {
            what: 'worse',
            check: 'host-append',
            mode: 'auto',
            case: 'mapped',
            before: { kind: 'pass' },
            after: { kind: 'fail', code: 'torn' },
          },
        ],
      },
      false,
    ),
    { color: false, width: 80 },
  );

  it('says in its first line what got worse and better', () => {
    expect(text.split('\n').slice(0, 2).join(' ')).toBe(
      '1 promise broken: host-append in mode auto; 1 worse and 1 better than before ',
    );
  });

  it('names each case that ended otherwise, the worse first', () => {
    const at = (words: string) => text.indexOf(words);
    expect(text.replaceAll(/\s+/g, ' ')).toContain('17 cases as in old release.json of 2025-01-02T03:04');
    expect(text).toContain('  worse   host-append / auto / mapped  pass → FAIL (torn)');
    expect(text).toContain('  gone    1 case of md5');
    expect(at('  worse')).toBeLessThan(at('  better'));
    expect(at('  better')).toBeLessThan(at('  gone'));
  });
});

describe('a fail that is known', () => {
  const text = renderText(report(undefined, true), { color: false, width: 80 });

  it('is told as nothing new, with its name and where it is described', () => {
    expect(text.split('\n')[0]).toBe(
      'nothing new is broken: 1 known defect seen again (host-append in mode auto)',
    );
    expect(text).toContain('FAIL·known');
    expect(text).toContain('known     F7: mapped pages tear (docs/findings.md)');
    expect(text).not.toContain('next:');
  });

  it('says how the rounds of a repeated case ended', () => {
    expect(text).toContain('rounds    20: 18 pass, 2 FAIL');
  });
});
