import { failsAsKnown, type Report, type Result } from '../model/report.ts';
import { ends, padTo, type Style } from './layout.ts';
import { paintFor } from './paint.ts';
import { printable } from './printable.ts';
import { count, formatSeconds } from './quantities.ts';

/** One cell: never colour alone. */
function cellWord(result: Result): string {
  const { verdict } = result;
  if (failsAsKnown(result)) return 'FAIL·known';
  if (verdict.kind === 'pass') return verdict.stale === true ? 'pass·stale' : 'pass';
  return verdict.kind === 'fail' ? 'FAIL' : verdict.kind;
}

/** The table of checks and modes, with the modes across where they fit, else the checks. */
export function matrixLines({ results, environment }: Report, style: Style): string[] {
  const checks = [...new Set(results.map(({ check }) => check))];
  const modes = [...new Set(results.map(({ mode }) => mode))];
  const byCheck = (row: string, column: string) =>
    results.find(({ check, mode }) => check === row && mode === column);
  const byMode = (row: string, column: string) => byCheck(column, row);
  const modesAcross = widthOf(checks, modes) <= style.width || widthOf(modes, checks) > style.width;
  const table = modesAcross
    ? tableLines(checks, modes, byCheck, style)
    : tableLines(modes, checks, byMode, style);
  const cases = results.reduce((sum, each) => sum + each.cases.length, 0);
  const total = `${count(checks.length, 'check')}, ${count(modes.length, 'mode')}, ${count(cases, 'case')} in ${formatSeconds(environment.durationMs / 1000)}`;
  return [...table, ...ends('', total, style.width)];
}

const minCell = 'pass·stale'.length;

/** @returns columns of the widest row */
function widthOf(rows: readonly string[], columns: readonly string[]): number {
  return 2 + longest(rows) + columns.reduce((sum, column) => sum + 2 + cellWidth(column), 0);
}

function longest(names: readonly string[]): number {
  return Math.max(0, ...names.map((name) => printable(name).length));
}

function cellWidth(column: string): number {
  return Math.max(minCell, printable(column).length);
}

/** As many columns as fit at once, then the rest below with the rows repeated. */
function tableLines(
  rows: readonly string[],
  columns: readonly string[],
  cellOf: (row: string, column: string) => Result | undefined,
  style: Style,
): string[] {
  const paint = paintFor(style.color);
  const name = longest(rows);
  return chunksThatFit(columns, style.width - 2 - name).flatMap((chunk, index) => {
    const line = (head: string, cells: readonly string[]) =>
      `  ${padTo(head, name)}${cells.map((cell) => `  ${cell}`).join('')}`.trimEnd();
    const header = line(
      '',
      chunk.map((column) => padTo(printable(column), cellWidth(column))),
    );
    const body = rows.map((row) =>
      line(
        printable(row),
        chunk.map((column) => {
          const result = cellOf(row, column);
          const text = padTo(result === undefined ? '–' : cellWord(result), cellWidth(column));
          return result === undefined ? text : paint.verdict(result.verdict.kind, text);
        }),
      ),
    );
    return [...(index > 0 ? [''] : []), header, ...body];
  });
}

function chunksThatFit(columns: readonly string[], room: number): string[][] {
  const chunks: string[][] = [];
  let left = 0;
  for (const column of columns) {
    const needed = 2 + cellWidth(column);
    const last = chunks.at(-1);
    if (last === undefined || needed > left) {
      chunks.push([column]);
      left = room - needed;
    } else {
      last.push(column);
      left -= needed;
    }
  }
  return chunks;
}
