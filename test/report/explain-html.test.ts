import { readFileSync } from 'node:fs';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { formats } from '../../src/report/formats.ts';
import {
  evidenceOf,
  explainReport,
  hostileExplainReport,
  latencyOf,
  timelineOfSeconds,
} from './explained.ts';

const fixture = (name: string) => readFileSync(new URL(`../workload/fixtures/true/${name}`, import.meta.url));
const latency = [...latencyOf(fixture('json-plus.json')), ...latencyOf(fixture('v339-direct-randread.txt'))];
const evidence = evidenceOf({ timeline: timelineOfSeconds(20), latency });

async function pageOf(report: Parameters<typeof formats.html>[0]) {
  return parseHTML(await formats.html(report)).document;
}

const page = await pageOf(explainReport(evidence));

describe('a page about a program', () => {
  it('has its command, where its bytes came from, and what to change', () => {
    const body = page.querySelector('.result-body')?.textContent ?? '';
    for (const part of ['fio job.fio', 'asked 256.0 KiB', 'fuse/host-cache', 'or else', '/mnt/auto/f'])
      expect(body).toContain(part);
    expect(page.querySelector('h1')?.textContent).toContain("came from the host's page cache");
  });

  it('draws it over time, on one axis, with words for those who see none of it', () => {
    const plots = [...page.querySelectorAll('.timeline svg.plot')];
    expect(plots.map((plot) => plot.getAttribute('role'))).toEqual(plots.map(() => 'img'));
    expect(plots.map((plot) => plot.getAttribute('aria-label')?.replace(/ over time\..*/, ''))).toEqual([
      'Read',
      'Written',
      'Requests',
      "The guest's page cache",
      "The host's page cache",
      'Dirty pages',
    ]);
    expect(plots[0]?.getAttribute('aria-label')).toMatch(/asked by the program: \S+ MiB\/s to 8\.0 MiB\/s/);
    // Only the last shows the axis that all have.
    const withAxis = plots.map((plot) =>
      (plot.textContent ?? '').includes("seconds since the program's start"),
    );
    expect(withAxis.lastIndexOf(true)).toBe(plots.length - 1);
    expect(withAxis.indexOf(true)).toBe(plots.length - 1);
    const lines = [...(plots[0]?.querySelectorAll('[stroke]') ?? [])].map((each) =>
      each.getAttribute('stroke'),
    );
    expect(lines).toEqual(expect.arrayContaining(['var(--guest-cache)', 'var(--host-cache)', 'var(--disk)']));
  });

  it('has every plot in numbers too', () => {
    const tables = [...page.querySelectorAll('details.in-numbers table.numbers')];
    expect(tables).toHaveLength(6);
    for (const table of tables) expect(table.querySelectorAll('tbody tr').length).toBeLessThanOrEqual(12);
    expect(tables[0]?.querySelector('tbody')?.textContent).toContain('8.0 MiB/s');
    // fio's two jobs, one with all requests and one with percentiles alone.
    const latencies = page.querySelector('.result-body')?.textContent ?? '';
    expect(latencies).toContain('rr: read');
    expect(latencies).toContain('46,531');
  });

  it('compares the states that it ran from in its headline', async () => {
    const rate = (iops: number) => ({ program: 'fio', read: { iops } });
    const compared = await pageOf(
      explainReport(
        evidenceOf({ state: 'cold', rate: rate(100) }),
        evidenceOf({ state: 'host-warm', rate: rate(1000) }),
      ),
    );
    expect(compared.querySelector('h1')?.textContent).toContain(
      '10 times as high from host-warm as from cold',
    );
    expect(compared.querySelector('.result-body')?.textContent).toContain('cold caches');
  });

  it('stays small however long the run was', async () => {
    const html = await formats.html(explainReport(evidenceOf({ timeline: timelineOfSeconds(3600) })));
    expect(html.length).toBeLessThan(400_000);
  });

  it('is not broken by hostile names', async () => {
    const html = await formats.html(hostileExplainReport(latency));
    const hostile = parseHTML(html).document;
    expect([...hostile.querySelectorAll('img, script, [onload], [onerror]')]).toEqual([]);
    expect([...hostile.querySelectorAll('style')]).toHaveLength(1);
    expect([...hostile.querySelectorAll('[style]')]).toEqual([]);
    expect(html).not.toMatch(/(?!\n)[\p{Cc}\u202e\ufffe]/u);
    expect(html).not.toContain('<svg onload');
  });
});
