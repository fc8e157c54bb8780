import type { Report } from '../model/report.ts';
import { renderJson } from './json.ts';
import { renderText } from './text.ts';

/**
 * The forms a report can be written in, as `--report FORMAT=FILE` names them. Each gives the whole file.
 * Markup, XML and plots have libraries that a run without them need not load.
 */
export const formats = {
  text: async (report) => renderText(report, { color: false, width: 100 }),
  json: async (report) => renderJson(report),
  junit: async (report) => (await import('./junit.ts')).renderJunit(report),
  /** Of programs that were explained: what went on over time. */
  csv: async (report) => (await import('./csv.ts')).renderCsv(report),
  html: async (report) => (await import('./html/page.tsx')).renderHtml(report),
} as const satisfies Readonly<Record<string, (report: Report) => Promise<string>>>;

export type Format = keyof typeof formats;

/** Whether a word names a format. */
export function isFormat(word: string): word is Format {
  return Object.hasOwn(formats, word);
}
