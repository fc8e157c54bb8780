import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);

interface Covered {
  readonly row: number;
  readonly checks: readonly string[];
  readonly cells: readonly string[];
}

/** The rows of docs/coverage.md. */
const covered: readonly Covered[] = readFileSync(new URL('docs/coverage.md', root), 'utf8')
  .split('\n')
  .filter((line) => /^\| *\d+ *\|/.test(line))
  .map((line) => {
    const cells = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    const checks = [...(cells[3] ?? '').matchAll(/`([a-z0-9-]+)`/g)].map(([, name = '']) => name);
    return { row: Number(cells[0]), checks, cells };
  });

/** Numbers of the sentence that begins with "Catches" on a check's page: `Catches rows 1, 16 and 34 of …`. */
function rowsOnPage(page: string): readonly number[] | undefined {
  const sentence = /^Catches rows?\b([^.]*)/m.exec(page)?.[1];
  return sentence === undefined
    ? undefined
    : [...sentence.matchAll(/\b\d+\b/g)].map(([number]) => Number(number));
}

const pages = readdirSync(new URL('checks/', root)).filter((name) => name.endsWith('.md'));

describe('docs/coverage.md', () => {
  it('has every row once, in order, each with a check or a reason', () => {
    expect(covered.map(({ row }) => row)).toEqual(Array.from({ length: 37 }, (_, index) => index + 1));
    for (const { row, checks, cells } of covered) {
      expect(cells, `row ${row}`).toHaveLength(5);
      expect(checks.length > 0 || cells[3] === 'not caught', `row ${row}`).toBe(true);
      expect(cells[4], `row ${row}`).not.toBe('');
    }
  });

  it.each(pages)('agrees with checks/%s', (name) => {
    const check = name.replace(/\.md$/, '');
    const rows = covered.filter(({ checks }) => checks.includes(check)).map(({ row }) => row);
    const page = readFileSync(new URL(`checks/${name}`, root), 'utf8');
    expect([...(rowsOnPage(page) ?? [])].sort((a, b) => a - b)).toEqual(rows);
  });
});
