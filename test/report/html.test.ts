import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import type { Report, Result } from '../../src/model/report.ts';
import { formats } from '../../src/report/formats.ts';
import { hostile, hostileReport } from './hostile.ts';
import { pathResult, reportOf, staleVerdict } from './samples.ts';

/** What a run in a lab gave, its cases thinned out. */
const release = JSON.parse(readFileSync(new URL('./release.json', import.meta.url), 'utf8')) as Report;

const html = await formats.html(release);
const { document } = parseHTML(html);

type Page = ReturnType<typeof parseHTML>['document'];

function all(selector: string, within: Page = document) {
  return [...within.querySelectorAll(selector)];
}

describe('a report as a page', () => {
  it('says first what was broken, in how many cases, of which programs', () => {
    expect(document.querySelector('h1')?.textContent).toContain('3 promises broken');
    const masthead = document.querySelector('header')?.textContent ?? '';
    expect(masthead).toContain('holes in auto+writeback; access-paths in never, auto');
    expect(masthead).toContain('virtiofsd1.13.2');
    expect(masthead).toContain('seed27864efa');
    expect(masthead).toMatch(/4 broken|5 broken/);
    expect(document.title).toBe('3 promises broken · vfs-verify');
  });

  it('needs no other file and no network, runs no script, and forbids both', () => {
    expect(all('script, iframe, object, embed, base, form, img, link[rel=stylesheet]')).toEqual([]);
    const addresses = all('[src], [href]').flatMap(
      (each) => each.getAttribute('href') ?? each.getAttribute('src') ?? [],
    );
    expect(addresses.filter((address) => !/^(#|data:,$)/.test(address))).toEqual([]);
    expect(all('[style]')).toEqual([]);
    expect(html).not.toMatch(/\son[a-z]+=/i);
    const style = /<style>(.*)<\/style>/s.exec(html)?.[1] ?? '';
    expect(style).not.toMatch(/url\(|@import/);
    const policy = document
      .querySelector('meta[http-equiv=Content-Security-Policy]')
      ?.getAttribute('content');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`'sha256-${createHash('sha256').update(style).digest('base64')}'`);
  });

  it('leads from every cell to its evidence, which lies inside of what opens', () => {
    const cells = all('.matrix a.cell');
    expect(cells).toHaveLength(release.results.length);
    for (const cell of cells) {
      const target = document.getElementById((cell.getAttribute('href') ?? '').slice(1));
      expect(target?.parentElement?.localName, cell.textContent ?? '').toBe('details');
    }
    const ids = all('[id]').map((each) => each.id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('has evidence of a failed case: promise and source, what was seen, the command, the bundle, the time', () => {
    const failed = document.getElementById('holes.auto+writeback')?.textContent ?? '';
    for (const part of [
      'bytes that are',
      'man-pages lseek(2)',
      'SEEK_DATA from 0 finds nothing',
      'hole-over-data',
      'vfs-verify check holes/guest-sparse',
      'runs/holes.auto+writeback',
      ' s',
    ])
      expect(failed).toContain(part);
  });

  it('opens what needs attention and nothing else', () => {
    const open = all('details.result[open]').map((each) => each.querySelector('.result-body')?.id);
    expect(open.toSorted()).toEqual([
      'access-paths.auto',
      'access-paths.never',
      'holes.auto+writeback',
      'mode-in-force.never',
    ]);
  });

  it('has symbols and words beside every colour, and words for those who see neither', () => {
    for (const cell of all('.matrix a.cell')) {
      expect(cell.querySelector('svg use')?.getAttribute('href')).toMatch(/^#mark-/);
      expect(cell.textContent).toMatch(/(pass|FAIL|unknown|skip).* in mode /s);
    }
    for (const svg of all('svg')) expect(svg.getAttribute('aria-hidden')).toBe('true');
    expect(document.documentElement.getAttribute('lang')).toBe('en');
    expect(all('h1')).toHaveLength(1);
    expect(all('main, header, footer, nav')).toHaveLength(4);
  });

  it('draws where bytes came from and how long they took', () => {
    expect(all('.accounts .stack').length).toBeGreaterThanOrEqual(12);
    const cold = document.getElementById('read-path.auto');
    expect(cold?.querySelectorAll('figure svg.plot rect').length).toBeGreaterThan(4);
    expect(cold?.textContent).toContain('fuse/disk');
  });
});

describe('a page about a run that was interrupted and is compared', () => {
  const notRun = (check: string, mode: string): Result => ({
    check,
    mode,
    cases: [],
    durationMs: 0,
    verdict: {
      kind: 'unknown',
      code: 'not-run',
      reason: 'not run: the run was interrupted',
      next: 'vfs-verify check --continue runs',
    },
  });
  const modes = ['never', 'auto', 'always'];
  const results = [...modes.map((mode) => notRun('locks', mode)), notRun('links', 'auto')];
  const report: Report = {
    ...reportOf('check', results),
    baseline: {
      file: 'old.json',
      startedAt: '2025-01-02T03:04:05.678Z',
      versions: { virtiofsd: '1.12.0', qemu: '11.1.3' },
      unchanged: 2,
      changes: [
        {
          what: 'better',
          check: 'md5',
          mode: 'auto',
          case: 'a',
          before: { kind: 'fail', code: 'differs' },
          after: { kind: 'pass' },
        },
        {
          what: 'worse',
          check: 'md5',
          mode: 'auto',
          case: 'b',
          before: { kind: 'pass' },
          after: { kind: 'unknown' },
        },
        ...modes.map((mode) => ({
          what: 'gone' as const,
          check: 'locks',
          mode,
          case: 'x',
          before: { kind: 'fail' as const },
        })),
      ],
    },
  };

  it('tells what was not run once, and how to go on', async () => {
    const page = parseHTML(await formats.html(report)).document;
    const cards = all('.finding', page).map((each) => each.textContent ?? '');
    expect(cards).toHaveLength(1);
    expect(cards[0]).toContain('4 results');
    expect(cards[0]).toContain('locks in every mode; links in auto');
    expect(cards[0]).toContain('vfs-verify check --continue runs');
  });

  it('has what changed in a table, the worse first, and counts what only one run has', async () => {
    const page = parseHTML(await formats.html(report)).document;
    const changes = page.querySelector('#changes');
    const rows = [...(changes?.querySelectorAll('.changes tbody tr') ?? [])].map(
      (row) => row.textContent ?? '',
    );
    expect(rows).toHaveLength(2);
    expect(rows[0]).toMatch(/worse.*md5 \/ b.*pass.*unknown/s);
    expect(rows[1]).toMatch(/better.*FAIL \(differs\).*pass/s);
    expect(changes?.textContent).toContain('3 cases of locks, of which 3 failed');
    expect(changes?.textContent).toMatch(/virtiofsd1\.12\.01\.13\.2/);
  });
});

describe('a page about paths', () => {
  it('shows the comparison, open, and no matrix', async () => {
    const page = parseHTML(await formats.html(reportOf('md5', [pathResult(staleVerdict)]))).document;
    expect(page.querySelector('h1')?.textContent).toContain('DIFFERENT: /mnt/auto/disk.img');
    expect(page.querySelector('.matrix')).toBeNull();
    expect(page.querySelector('details.result')?.hasAttribute('open')).toBe(true);
    expect(page.querySelector('.result-body')?.textContent).toContain('0x0001c000–0x0001cfff');
    expect(page.querySelector('.votes')?.textContent).toContain('evicting the file mends it');
  });

  it('is a page even when there is nothing to tell', async () => {
    expect(await formats.html(reportOf('check', []))).toContain('Nothing that was asked for applies here');
    expect(await formats.html(reportOf('md5', []))).toContain('of 0 paths');
  });
});

describe('names that are markup, controls, or no text', () => {
  const report = hostileReport();

  it('stay text wherever they stand, plots included', async () => {
    const page = await formats.html(report);
    const parsed = parseHTML(page).document;
    expect(all('img, script, [onload], [onerror]', parsed)).toEqual([]);
    expect(all('style', parsed)).toHaveLength(1);
    expect(all('title', parsed)).toHaveLength(1);
    expect(page).not.toContain('<img');
    expect(page).not.toContain('<svg onload');
    expect(page).not.toMatch(/(?!\n)[\p{Cc}\u202e\ufffe]/u);
    expect(page.isWellFormed()).toBe(true);
    expect(parsed.querySelector('.matrix tbody th')?.textContent).toContain('<img src=x onerror=alert(1)>');
    // What is not text is seen.
    expect(parsed.querySelector('.matrix tbody th')?.textContent).toContain(
      '\\x1b[31m\\n\\x00\\xff\\u202e\\u2028',
    );
  });

  it('break neither XML nor the terminal', async () => {
    expect(await formats.text(report)).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
    expect(JSON.parse(await formats.json(report))).toMatchObject({ results: [{ path: hostile }, {}] });
  });

  it('and evidence without end is cut, and says so', async () => {
    const page = await formats.html(report);
    expect(page).toContain('… and 440 more, in the JSON.');
    expect(page.length).toBeLessThan(600_000);
  });
});
