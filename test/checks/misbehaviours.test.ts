import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadFindings } from '../../src/run/known.ts';
import { shown } from '../lab/told/all.ts';
import type { Shown } from '../lab/told/told.ts';
import { ownChecks } from '../own-checks.ts';

// A check that cannot fail is a defect. What is told here of misbehaving daemons the lab's tests make true, code by
// code: this holds their tables against the lists of the checks, and prints the table of check × misbehaviour.

const root = fileURLToPath(new URL('../..', import.meta.url));
const checks = await ownChecks();
const findings = await loadFindings(`${root}/docs/findings`);

/** Of released software, which needs no lie. */
const found: readonly Shown[] = findings.flatMap(({ id, check, case: cases, code }) =>
  [cases ?? []].flat().map((each) => ({ check, case: each, code, by: `released software (${id})` })),
);
const all = [...shown, ...found];

/** Codes of verdicts that accuse nobody. */
const accuseNobody = new Set([
  'at-the-bound',
  'could-not-run',
  'could-not-tell',
  'evicted-meanwhile',
  'never-in-question',
  'no-other-window',
  'no-promise',
  'no-window',
  'not-here',
  'not-proved',
  'not-the-same-twice',
  'torn-once',
  'unexplained-bytes',
]);

/** Where a code of that name is no fail: the contract says that something is refused, and it was not. */
const notRefusedFails = new Set(['open-flags']);

/**
 * Codes that no daemon can bring about, since it has no say in what they speak of. They are shown on sides that are
 * made up (the test that is named), and the page of the check says so.
 */
const beyondDaemons: Readonly<Record<string, string>> = {
  'benchmark-plausibility/too-fast': 'test/checks/benchmark-plausibility.test.ts',
  'dax-path/cached-in-guest': 'test/checks/dax.test.ts',
  'mode-in-force/dax-not-as-declared': 'test/checks/dax.test.ts',
  'drop-caches/not-dropped': 'test/checks/drop-caches.test.ts',
  'drop-caches/dropped-too-much': 'test/checks/drop-caches.test.ts',
  'open-flags/other-flags': 'test/checks/lock-events-flags.test.ts',
};

/** Codes that nothing has brought about yet. */
const owed = new Set<string>();

/** Words that several checks share, being told by one judge: shown in one of them, a code is shown. */
const shared = new Map<string, readonly string[]>();
for (const { name, codes } of checks) {
  for (const code of Object.keys(codes)) {
    const same = checks.filter((each) => each.codes[code] === codes[code]).map((each) => each.name);
    shared.set(`${name}/${code}`, same);
  }
}

function accuses(check: string, code: string): boolean {
  return !accuseNobody.has(code) && (code !== 'not-refused' || notRefusedFails.has(check));
}

describe.each(checks)('the check $name', ({ name, codes }) => {
  it('has been seen to fail', () => {
    expect(all.filter(({ check }) => check === name)).not.toEqual([]);
  });

  it('has no code that nothing brings about', () => {
    const never = Object.keys(codes).filter((code) => {
      const family = shared.get(`${name}/${code}`) ?? [];
      return (
        accuses(name, code) &&
        beyondDaemons[`${name}/${code}`] === undefined &&
        !owed.has(`${name}/${code}`) &&
        !all.some((each) => each.code === code && family.includes(each.check))
      );
    });
    expect(never).toEqual([]);
  });

  it('is not said to give codes that it has not', () => {
    const strange = all.filter(({ check, code }) => check === name && !(code in codes));
    expect(strange).toEqual([]);
  });
});

describe('a code that no daemon brings about', () => {
  it.each(Object.entries(beyondDaemons))(
    '%s is shown on made-up sides, and its page says so',
    (text, test) => {
      const [name = '', code = ''] = text.split('/');
      expect(readFileSync(`${root}/${test}`, 'utf8')).toContain(`'${code}'`);
      const page = readFileSync(`${root}/checks/${name}.md`, 'utf8');
      expect(page.slice(page.indexOf(`\`${code}\``))).toMatch(/no daemon/i);
    },
  );
});

describe('the table of check × misbehaviour', () => {
  it('is printed', () => {
    const lines = checks.flatMap(({ name }) => {
      const own = all.filter(({ check }) => check === name);
      const by = new Map<string, Set<string>>();
      for (const { code, by: misbehaviour } of own)
        by.set(misbehaviour, (by.get(misbehaviour) ?? new Set()).add(code));
      return [...by].map(([misbehaviour, codes]) => [name, misbehaviour, [...codes].join(', ')] as const);
    });
    const wide = [0, 1].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
    console.log(
      lines.map(([a, b, c]) => `${a.padEnd(wide[0] ?? 0)}  ${b.padEnd(wide[1] ?? 0)}  ${c}`).join('\n'),
    );
    expect(lines.length).toBeGreaterThan(checks.length);
  });
});
