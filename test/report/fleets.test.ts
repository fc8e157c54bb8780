import { parseHTML } from 'linkedom';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { formats } from '../../src/report/formats.ts';
import { reportFaults } from '../../src/report/validate.ts';
import { fleetReport, hostileFleet } from './fleets.ts';

const report = fleetReport();
const { document } = parseHTML(await formats.html(report));

type Page = ReturnType<typeof parseHTML>['document'];

function all(selector: string, within: Page = document) {
  return [...within.querySelectorAll(selector)];
}

describe('a page about several guests', () => {
  it('says first how many ended how, and has a row for each, what is not well first', () => {
    expect(document.querySelector('h1')?.textContent).toMatch(/1 FAIL, 1 UNKNOWN, 1 pass of 3 guests in /);
    const rows = all('#guests tbody tr').map((row) => row.textContent ?? '');
    expect(rows.map((row) => /db 1|gone|web/.exec(row)?.[0])).toEqual(['db 1', 'gone', 'web']);
    expect(rows[1]).toContain('connection refused');
    expect(all('nav a').map((link) => link.textContent)).toEqual([
      'Guests',
      'Findings',
      'Guest by guest',
      'Sides and shares',
    ]);
  });

  it('leads from each row to the matrix of that guest, and from each cell to its evidence', () => {
    for (const link of all('#guests tbody th a')) {
      const target = document.getElementById((link.getAttribute('href') ?? '').slice(1));
      const details = target?.parentElement;
      expect(details?.querySelector('summary')?.textContent).toContain(link.textContent);
      const matrix = target?.querySelector('.matrix');
      expect(matrix === null, link.textContent ?? '').toBe(link.textContent === 'gone');
    }
    const ids = all('[id]').map((each) => each.id);
    expect(new Set(ids).size).toBe(ids.length);
    const addresses = all('a[href^="#"]').map((each) => (each.getAttribute('href') ?? '').slice(1));
    expect(addresses.filter((address) => !ids.includes(address))).toEqual([]);
    const cells = all('.matrix a.cell');
    expect(cells).toHaveLength(report.results.filter(({ guest }) => guest !== 'gone').length);
    for (const cell of cells) {
      const evidence = document.getElementById((cell.getAttribute('href') ?? '').slice(1));
      expect(evidence?.closest('details.guest')).toBe(cell.closest('details.guest'));
    }
  });

  it('tells what was broken once, with the guest, and a guest that is dead among the guests alone', () => {
    const cards = all('.finding').map((each) => each.textContent ?? '');
    expect(cards.some((card) => card.includes('db 1 ·'))).toBe(true);
    expect(cards.filter((card) => card.includes('connection refused'))).toEqual([]);
  });

  it('has titles in their order, and none is skipped', () => {
    const levels = all('h1, h2, h3, h4').map((each) => Number(each.tagName.slice(1)));
    const leaps = levels.filter((level, index) => level > (levels[index - 1] ?? 0) + 1);
    expect(leaps).toEqual([]);
  });

  it('has in a table what changed, with the guest', async () => {
    const changed = {
      what: 'worse' as const,
      ...{ guest: 'web', check: 'locks', mode: 'auto', case: 'posix' },
      ...{ before: { kind: 'pass' as const }, after: { kind: 'unknown' as const } },
    };
    const baseline = { file: 'old.json', startedAt: '2025-01-02T03:04:05Z', versions: {}, unchanged: 7 };
    const compared = { ...report, baseline: { ...baseline, changes: [changed] } };
    expect(reportFaults(compared)).toEqual([]);
    const page = parseHTML(await formats.html(compared)).document;
    expect(page.querySelector('.changes tbody tr')?.textContent).toMatch(/worse.*web.*locks \/ posix/s);
    expect(page.querySelector('header')?.textContent).toContain('1 worse than before');
    expect(await formats.text(compared)).toMatch(/worse +web \/ locks \/ auto \/ posix +pass → unknown/);
  });

  it('stays one page of text with names that are markup', async () => {
    const hostile = hostileFleet();
    const html = await formats.html(hostile);
    const page = parseHTML(html).document;
    expect(all('img, script, [onload], [onerror]', page)).toEqual([]);
    expect(html).not.toMatch(/(?!\n)[\p{Cc}\u202e\ufffe]/u);
    expect(page.querySelector('#guests tbody th')?.textContent).toContain('<img src=x onerror=alert(1)>');
    expect(await formats.text(hostile)).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
  });
});

describe('JUnit XML about several guests', () => {
  it('has a suite for each, with its kernel, and the guest in the name of each case', async () => {
    const suites: Record<string, string>[] = [];
    const properties: string[] = [];
    const names: string[] = [];
    const parser = new SaxesParser();
    parser.on('opentag', ({ name, attributes }) => {
      if (name === 'testsuite') suites.push(attributes);
      if (name === 'property') properties.push(`${suites.at(-1)?.name}: ${attributes.name}`);
      if (name === 'testcase') names.push(`${attributes.classname} ${attributes.name}`);
    });
    parser.on('error', (error) => {
      throw error;
    });
    parser.write(await formats.junit(report)).close();
    expect(suites.map(({ name }) => name)).toEqual(['web', 'gone', 'db 1']);
    expect(Number(suites[1]?.errors)).toBe(Number(suites[1]?.tests));
    expect(Number(suites[2]?.failures)).toBeGreaterThan(0);
    expect(properties).toContain('db 1: guest-kernel');
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContainEqual(expect.stringMatching(/^vfs-verify\.holes db 1\/auto/));
  });
});
