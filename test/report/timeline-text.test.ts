import { readFileSync } from 'node:fs';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { formats } from '../../src/report/formats.ts';
import { sparks } from '../../src/report/sparks.ts';
import { renderText } from '../../src/report/text.ts';
import { reportFaults } from '../../src/report/validate.ts';
import {
  evidenceOf,
  explainReport,
  hostileExplainReport,
  latencyOf,
  timelineOfSeconds,
} from './explained.ts';

const jsonPlus = readFileSync(new URL('../workload/fixtures/true/json-plus.json', import.meta.url));
const evidence = evidenceOf({ timeline: timelineOfSeconds(10), latency: latencyOf(jsonPlus) });
const report = explainReport(evidence);
const plain = { color: false, width: 80 };

describe('a run over time, in a terminal', () => {
  it('is a line of sparks for each quantity, within 80 columns', () => {
    const lines = renderText(report, plain).split('\n');
    expect(lines.filter((line) => stringWidth(line) > 80)).toEqual([]);
    const rowOf = (label: string) => lines.find((line) => line.includes(label)) ?? '';
    expect(rowOf('read, asked')).toMatch(/ [▁-█]█{15,}[▁-█]? +most 8\.0 MiB\/s$/);
    // A third of the run was the disk's, the first.
    expect(rowOf('read, disk')).toMatch(/[▁-█]█{4,}[▁-█]?▁{10,}/);
    expect(rowOf('dirty on the host')).toMatch(/ [▁-▃]+.*▅.*█ +0 B to 10\.1 MiB$/);
    expect(lines.join('\n')).toContain('fit together to 7 ms');
    expect(lines.join('\n')).toMatch(/over time, 0\.4 s a column/);
  });

  it('has no line of what was nothing all the time, nor of a cache that hardly changed', () => {
    const text = renderText(report, plain);
    expect(text).not.toContain('dirty in the guest');
    expect(text).not.toContain("host's page cache ");
    expect(text).toContain("guest's page cache");
  });

  it('is drawn with ASCII where the terminal has nothing else', () => {
    const text = renderText(report, { ...plain, ascii: true });
    expect(text).toMatch(/read, asked +[*+=]#{15,}/);
    expect(text).not.toMatch(/[▁-▏]/);
  });

  it('shows what nobody saw as a blank, and the least of something above nothing', () => {
    expect(sparks([null, 0, 0.001, 0.5, 1], {})).toBe(' ▁▂▅█');
    expect(sparks([null, 0, 0.001, 0.5, 1], { ascii: true })).toBe(' _.=#');
  });

  it('has the benchmark’s own latencies below it, drawn where it gave all of them', () => {
    const lines = renderText(report, plain).split('\n');
    const at = lines.findIndex((line) => line.startsWith("  µs, fio's own report"));
    expect(lines[at]).toMatch(/p50 +p99 +p99\.9 +max$/);
    expect(lines[at + 1]).toMatch(/^ {2}rr: read +\d+ +\d+ +\d+ +\d+ {2}[▁-█ ]+$/);
  });

  it('fits the published schema', () => {
    expect(reportFaults(report)).toEqual([]);
    const timeline = { ...timelineOfSeconds(1), series: { readBytes: [1, null] } };
    expect(reportFaults(explainReport(evidenceOf({ timeline: timeline as never })))).not.toEqual([]);
  });

  it('cannot be broken by names', async () => {
    const hostile = hostileExplainReport(latencyOf(jsonPlus));
    expect(await formats.text(hostile)).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
  });
});
