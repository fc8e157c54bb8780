import type { Report } from '../../model/report.ts';

/** A report as one self-contained HTML file: no scripts, nothing fetched. */
export async function renderHtml(report: Report): Promise<string> {
  const page = (
    <html lang="en">
      <title>{report.command}</title>
    </html>
  );
  return `<!doctype html>\n${page}\n`;
}
