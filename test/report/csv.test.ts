import { describe, expect, it } from 'vitest';
import { formats } from '../../src/report/formats.ts';
import { mib } from '../ledger/program.ts';
import { evidenceOf, explainReport, timelineOfSeconds } from './explained.ts';
import { reportOf } from './samples.ts';

/** As RFC 4180 has it where no field is quoted. */
function rowsOf(csv: string): Record<string, string>[] {
  expect(csv).not.toContain('"');
  const [header = [], ...rows] = csv
    .split('\r\n')
    .slice(0, -1)
    .map((line) => line.split(','));
  expect(new Set(rows.map((row) => row.length))).toEqual(new Set(rows.length > 0 ? [header.length] : []));
  return rows.map((row) => Object.fromEntries(row.map((field, index) => [header[index] ?? '', field])));
}

describe('a run over time as CSV', () => {
  it('has a row for each interval, whose sums are those of the run', async () => {
    const rows = rowsOf(await formats.csv(explainReport(evidenceOf({ timeline: timelineOfSeconds(10) }))));
    expect(rows[0]).toMatchObject({ state: '', from_seconds: '-0.1', to_seconds: '0' });
    const total = (name: string) => rows.reduce((sum, row) => sum + Number(row[name]), 0);
    expect(total('asked_read_bytes')).toBe(80 * mib);
    expect(total('crossed_read_bytes')).toBe(80 * mib);
    expect(total('server_disk_read_bytes')).toBe(24 * mib);
    // Before it began, nobody looked at it: no number is no 0.
    expect(rows[0]?.asked_read_bytes).toBe('');
    expect(rows.at(-2)?.host_dirty_bytes).toMatch(/^\d+$/);
  });

  it('tells the runs from several states apart', async () => {
    const [cold, warm] = [timelineOfSeconds(2), timelineOfSeconds(1)];
    const report = explainReport(
      evidenceOf({ state: 'cold', timeline: cold }),
      evidenceOf({ state: 'host-warm', timeline: warm }),
      evidenceOf({ state: 'guest-warm' }),
    );
    const states = rowsOf(await formats.csv(report)).map(({ state }) => state);
    expect([...new Set(states)]).toEqual(['cold', 'host-warm']);
  });

  it('of a report without programs is a header', async () => {
    expect(await formats.csv(reportOf('check', []))).toBe('state,from_seconds,to_seconds\r\n');
  });
});
