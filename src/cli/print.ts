import type { Report } from '../model/report.ts';
import { renderJson } from '../report/json.ts';
import { renderText, type Style } from '../report/text.ts';

/** Prints a report on standard output: as JSON, or as text fitted to the terminal (80 columns elsewhere). */
export function printReport(report: Report, json: boolean): void {
  process.stdout.write(json ? renderJson(report) : renderText(report, styleOf(process.stdout)));
}

/** NO_COLOR (no-color.org) and a dumb terminal are honoured. */
export function styleOf(stream: NodeJS.WriteStream): Style {
  const color = stream.isTTY === true && process.env.NO_COLOR === undefined && process.env.TERM !== 'dumb';
  const columns = stream.isTTY === true ? stream.columns : 80;
  return { color, width: Math.max(40, Math.min(columns ?? 80, 120)), ascii: !drawsBlocks(process.env) };
}

/** What the locale says of the character set; where it says nothing, it is UTF-8, as everywhere nowadays. */
export function drawsBlocks({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean {
  const locale = [LC_ALL, LC_CTYPE, LANG].find((each) => each !== undefined && each !== '');
  return locale === undefined || /utf-?8/i.test(locale);
}
