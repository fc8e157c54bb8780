import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readReportFiles } from '../../src/cli/report-files.ts';

const file = path.join(tmpdir(), 'report');

it('a report is written in the forms that its command has', async () => {
  expect(await readReportFiles([`junit=${file}`, `html=${file}`])).toEqual([
    { format: 'junit', file },
    { format: 'html', file },
  ]);
  expect(await readReportFiles([`csv=${file}`], ['html', 'csv'])).toEqual([{ format: 'csv', file }]);
});

it('another form is refused, with those that there are', async () => {
  await expect(readReportFiles([`csv=${file}`])).rejects.toMatchObject({
    code: 'bad-flag',
    cure: expect.stringContaining('text, json, junit, html.'),
  });
  await expect(readReportFiles([`junit=${file}`], ['html', 'csv'])).rejects.toMatchObject({
    code: 'bad-flag',
  });
});
