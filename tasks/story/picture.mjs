// The rates of the story as one picture, in an SVG file that follows the reader's light or dark dress by itself.
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { steps } from './steps.mjs';
import { iopsWords, mediumWords } from './tell.mjs';

const width = 760;
const rowHeight = 34;

const style = `
text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: var(--ink); }
svg { --ink: #16191d; --muted: #56606b; --memory: #1f77b4; --disk: #c25f00; }
.title text { font-weight: 600; }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e7eaee; --muted: #a2abb5; --memory: #5ea9e8; --disk: #f0963c; }
}
`;

/**
 * A bar for each measurement, as long as fio's figure, in the colour of the medium that counters say it measured. The
 * words beside the bar say the same.
 * @param {readonly import('./run.mjs').Measured[]} measured
 * @param {{ title: string }} words
 * @returns {string} an SVG document
 */
export function picture(measured, { title }) {
  const rows = measured.map(({ name, iops, lines }) => {
    const source = lines[0]?.source ?? '';
    return {
      label: steps.find((step) => step.name === name)?.label ?? name,
      iops,
      color: source.endsWith('/disk') ? 'var(--disk)' : 'var(--memory)',
      words: `${iopsWords(iops)} · ${mediumWords(source)}`,
    };
  });
  const most = Math.max(...rows.map(({ iops }) => iops));
  const { document } = parseHTML('<html></html>');
  const svg = Plot.plot({
    document,
    className: 'plot',
    width,
    height: 44 + rowHeight * rows.length,
    marginLeft: 216,
    marginRight: 12,
    marginTop: 34,
    marginBottom: 10,
    // Room for the words behind the longest bar.
    x: { axis: null, domain: [0, most * 1.5] },
    y: { label: null, domain: rows.map(({ label }) => label), padding: 0.3 },
    marks: [
      Plot.barX(rows, { x: 'iops', y: 'label', fill: 'color', rx: 2 }),
      Plot.text(rows, {
        x: 'iops',
        y: 'label',
        text: 'words',
        textAnchor: 'start',
        dx: 7,
        fill: 'var(--ink)',
      }),
      Plot.axisY({ label: null, tickSize: 0, fill: 'var(--ink)' }),
      Plot.text([title], {
        frameAnchor: 'top-left',
        dx: -212,
        dy: -28,
        className: 'title',
        text: (/** @type {string} */ each) => each,
      }),
    ],
  });
  svg.querySelector('style')?.remove();
  svg.removeAttribute('style');
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('role', 'img');
  svg.setAttribute(
    'aria-label',
    `${title}: ${rows.map(({ label, words }) => `${label} ${words}`).join('; ')}`,
  );
  const own = document.createElement('style');
  own.textContent = style;
  svg.prepend(own);
  return `${svg.outerHTML}\n`;
}
