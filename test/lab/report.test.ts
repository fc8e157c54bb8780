import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { formats } from '../../src/report/formats.ts';
import {
  evidenceOf,
  explainReport,
  hostileExplainReport,
  latencyOf,
  timelineOfSeconds,
} from '../report/explained.ts';
import { fleetReport, hostileFleet } from '../report/fleets.ts';
import { hostileReport } from '../report/hostile.ts';
import { downLab, upLab, vfsVerify } from './cli.ts';

// What a run wrote, in a real browser. Chromium and pdftotext come with the other packages of the suite.

const lab = `report-${process.pid}`;
let directory = '';
let browser: Browser;
let status: number | undefined;
let report: Report;

const file = (name: string) => path.join(directory, name);

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'vfs-verify-test-'));
  await upLab(lab, '--modes', 'auto,auto+writeback');
  const files = ['html', 'junit', 'json'].flatMap((format) => [
    '--report',
    `${format}=${file(format)}.${format}`,
  ]);
  // Checks of the share, and those that are made to fail, to crash and to skip.
  const checks = ['md5', 'read-path/cold', 'attributes/host-by-path', 'fails/listed', 'crashes', 'skips'];
  const selftest = fileURLToPath(new URL('../selftest', import.meta.url));
  const ran = await vfsVerify(
    ['check', ...checks, '--checks', selftest, `--lab=${lab}`, '--bundle', file('runs'), ...files],
    { timeoutMs: 200_000 },
  );
  status = ran.status;
  if (status !== 1) throw new Error(`check ended with ${status}: ${ran.stderr}`);
  await downLab(lab);
  report = JSON.parse(await readFile(file('json.json'), 'utf8')) as Report;
  await writeFile(file('hostile.html'), await formats.html(hostileReport()));
  await writeFile(file('fleet.html'), await formats.html(fleetReport()));
  await writeFile(file('hostile-fleet.html'), await formats.html(hostileFleet()));
  const latency = latencyOf(
    await readFile(new URL('../workload/fixtures/true/json-plus.json', import.meta.url)),
  );
  const explained = explainReport(evidenceOf({ timeline: timelineOfSeconds(20), latency }));
  await writeFile(file('explain.html'), await formats.html(explained));
  await writeFile(file('hostile-explain.html'), await formats.html(hostileExplainReport(latency)));
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    // Chromium refuses to run as root inside its sandbox; the pages are our own files.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    // It leaves settings and caches where it thinks that its user lives.
    env: { PATH: process.env.PATH ?? '', HOME: directory, XDG_RUNTIME_DIR: directory, TMPDIR: directory },
  });
});
afterAll(async () => {
  await browser?.close();
  await downLab(lab);
  await rm(directory, { recursive: true, force: true });
});

/** Opens a page; whatever it says, asks for or tries to run is noted. */
async function withPage<T>(
  name: string,
  work: (page: Page, noted: string[]) => Promise<T>,
  options: BrowserContextOptions = {},
): Promise<T> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  try {
    const page = await context.newPage();
    const noted: string[] = [];
    const address = pathToFileURL(file(name)).href;
    page.on('console', (message) => noted.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => noted.push(`error: ${error.message}`));
    page.on('dialog', (dialog) => {
      noted.push(`dialog: ${dialog.message()}`);
      return dialog.dismiss();
    });
    page.on('request', (request) => {
      if (request.url() !== address && !request.url().startsWith('data:'))
        noted.push(`request: ${request.url()}`);
    });
    await page.goto(address);
    return await work(page, noted);
  } finally {
    await context.close();
  }
}

/** How far the page can be scrolled sideways, in pixels. */
async function sideways(page: Page): Promise<number> {
  const { width, inner } = await page.evaluate<{ width: number; inner: number }>(
    '({ width: document.documentElement.scrollWidth, inner: innerWidth })',
  );
  return width - inner;
}

describe('the report of a run', () => {
  it('is written in every form that was asked for, and all of them tell the same', async () => {
    expect(status).toBe(1);
    expect(report.verdict.kind).toBe('fail');
    const failed = report.results.filter(({ verdict }) => verdict.kind === 'fail');
    expect(failed.map(({ check, mode }) => `${check}/${mode}`)).toEqual([
      'fails/auto',
      'fails/auto+writeback',
    ]);
    expect(await readFile(file('junit.junit'), 'utf8')).toMatch(
      /<testsuites name="vfs-verify" tests="\d+" failures="2"/,
    );
    await withPage('html.html', async (page) => {
      expect(await page.locator('h1').textContent()).toContain('2 promises broken');
      expect(await page.locator('.matrix a.cell').count()).toBe(report.results.length);
    });
  });

  it('opens without a message, a request or an error', async () => {
    const noted = await withPage('html.html', async (_, all) => all);
    expect(noted).toEqual([]);
  });

  it('is used without a mouse: a cell of the matrix opens its evidence', async () => {
    await withPage(
      'html.html',
      async (page) => {
        await page.keyboard.press('Tab');
        expect(await focused(page)).toBe('Skip to the results');
        const cell = 'md5 in mode auto';
        for (let tabs = 0; tabs < 60 && !(await focused(page)).endsWith(`, ${cell}`); tabs += 1)
          await page.keyboard.press('Tab');
        const body = page.locator('[id="md5.auto"]');
        expect(await body.isVisible()).toBe(false);
        await page.keyboard.press('Enter');
        await body.waitFor({ state: 'visible', timeout: 5000 });
        // Its summary can be read, and the next Tab goes on from there.
        const summary = page.locator('details:has(> [id="md5.auto"]) > summary');
        await expect
          .poll(async () => (await summary.boundingBox())?.y ?? -1, { timeout: 5000 })
          .toBeGreaterThanOrEqual(0);
        expect((await summary.boundingBox())?.y).toBeLessThan(900);
        await page.keyboard.press('Tab');
        expect(await page.evaluate('document.activeElement.closest(".result-body").id')).toBe('md5.auto');
        // A case opens and closes by the keyboard too.
        const opened = () => page.evaluate('document.activeElement.parentElement.open');
        expect(await opened()).toBe(false);
        await page.keyboard.press('Space');
        expect(await opened()).toBe(true);
      },
      { javaScriptEnabled: true, reducedMotion: 'reduce' },
    );
  });

  it('fits a phone: nothing but the tables inside can be scrolled sideways', async () => {
    for (const name of ['html.html', 'hostile.html'])
      await withPage(
        name,
        async (page) => {
          expect(await sideways(page), name).toBe(0);
          expect(await page.locator('.matrix thead').isVisible()).toBe(false);
          expect(await page.locator('.matrix .cell-mode').first().isVisible()).toBe(true);
          await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true');
          expect(await sideways(page), `${name}, all open`).toBe(0);
        },
        { viewport: { width: 360, height: 740 } },
      );
  });

  it('prints what is closed on the screen, with its command', async () => {
    const text = await withPage('html.html', async (page) => {
      expect(await page.locator('[id="read-path.auto"]').isVisible()).toBe(false);
      await page.pdf({ path: file('report.pdf'), format: 'A4' });
      return (await execa('pdftotext', ['-layout', file('report.pdf'), '-'])).stdout.replaceAll(/\s+/g, ' ');
    });
    expect(text).toContain('vfs-verify check read-path/cold');
    expect(text).toContain('came from the disk');
    expect(text).toContain('vfs-verify check md5/');
    expect(text).toContain('seen stale for');
  });

  it('can be read by whoever sees little contrast: text stands off its ground in both dresses', async () => {
    for (const colorScheme of ['light', 'dark'] as const)
      for (const name of ['html.html', 'hostile.html', 'explain.html', 'fleet.html'])
        await withPage(
          name,
          async (page) => {
            expect(await faintTexts(page), `${name} ${colorScheme}`).toEqual([]);
            // The test itself sees a grey that is too faint.
            const grey = colorScheme === 'light' ? '#8a8f95' : '#666a70';
            await page.evaluate(`document.documentElement.style.setProperty("--muted", "${grey}")`);
            expect((await faintTexts(page)).length).toBeGreaterThan(5);
          },
          { colorScheme },
        );
  });
});

describe('the report of several guests', () => {
  it('opens without a message, and fits a phone with everything open', async () => {
    for (const name of ['fleet.html', 'hostile-fleet.html'])
      await withPage(
        name,
        async (page, noted) => {
          expect(await sideways(page), name).toBe(0);
          await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true');
          expect(await sideways(page), `${name}, all open`).toBe(0);
          expect(noted).toEqual([]);
        },
        { viewport: { width: 360, height: 740 } },
      );
  });

  it('leads from a row to the matrix of that guest, and from a cell of it to the evidence', async () => {
    await withPage(
      'fleet.html',
      async (page) => {
        const own = page.locator('[id="guest.db_1"]');
        expect(await own.isVisible()).toBe(false);
        await page.getByRole('link', { name: 'db 1', exact: true }).press('Enter');
        await own.waitFor({ state: 'visible', timeout: 5000 });
        const evidence = page.locator('[id="db_1.read-path.auto"]');
        expect(await evidence.isVisible()).toBe(false);
        await own.locator('.matrix a[href="#db_1.read-path.auto"]').press('Enter');
        await evidence.waitFor({ state: 'visible', timeout: 5000 });
        expect(await page.locator('[id="guest.web"]').isVisible()).toBe(false);
      },
      { reducedMotion: 'reduce' },
    );
  });
});

describe('the report of a program', () => {
  it('fits a phone, its plots whole, and asks for nothing', async () => {
    for (const name of ['explain.html', 'hostile-explain.html'])
      await withPage(
        name,
        async (page, noted) => {
          await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true');
          expect(await sideways(page), name).toBe(0);
          const widths = await page
            .locator('.timeline svg.plot')
            .evaluateAll((plots) => plots.map((plot) => plot.getBoundingClientRect().width));
          expect(Math.min(...widths), name).toBeGreaterThan(250);
          expect(noted).toEqual([]);
        },
        { viewport: { width: 360, height: 740 } },
      );
  });

  it('has its plots under their names for a screen reader, and prints them with their figures', async () => {
    const text = await withPage('explain.html', async (page) => {
      expect(await page.getByRole('img', { name: /^Read over time\. asked by the program: / }).count()).toBe(
        1,
      );
      await page.pdf({ path: file('explain.pdf'), format: 'A4' });
      return (await execa('pdftotext', ['-layout', file('explain.pdf'), '-'])).stdout.replaceAll(/\s+/g, ' ');
    });
    expect(text).toContain("seconds since the program's start");
    expect(text).toContain('8.0 MiB/s');
    expect(text).toContain('rr: read');
  });
});

describe('a report full of hostile names', () => {
  it('is text and nothing else', async () => {
    await withPage('hostile.html', async (page, noted) => {
      expect(await page.locator('img, script, [onload], [onerror], iframe').count()).toBe(0);
      expect(await page.locator('.matrix tbody th').first().textContent()).toContain(
        '<img src=x onerror=alert(1)>',
      );
      expect(await page.locator('figure svg.plot text').allTextContents()).toContainEqual(
        expect.stringContaining('<img src=x'),
      );
      expect(noted).toEqual([]);
    });
  });
});

async function focused(page: Page): Promise<string> {
  return page.evaluate<string>('(document.activeElement?.textContent ?? "").trim()');
}

/**
 * Texts whose contrast with the ground behind them is below that of WCAG 2, level AA (4.5), by the colours that
 * the browser computed. Runs in the page.
 */
async function faintTexts(page: Page): Promise<readonly string[]> {
  return page.evaluate<string[]>(`(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const rgba = (color) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = (color) => {
      const [r, g, b] = rgba(color).map((part) => part / 255).map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const groundOf = (element) => {
      for (let each = element; each !== null; each = each.parentElement) {
        const color = getComputedStyle(each).backgroundColor;
        if (rgba(color)[3] === 255) return color;
      }
      return 'white';
    };
    const faint = new Set();
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      if (texts.currentNode.data.trim() === '' || !element.checkVisibility()) continue;
      const style = getComputedStyle(element);
      const [a, b] = [light(element.closest('svg') ? style.fill : style.color), light(groundOf(element))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (ratio < 4.5) faint.add(ratio.toFixed(2) + ' ' + element.tagName + '.' + element.getAttribute('class') + ' ' + element.textContent.slice(0, 30));
    }
    return [...faint];
  })()`);
}
