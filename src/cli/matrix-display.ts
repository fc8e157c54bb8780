import { createLogUpdate } from 'log-update';
import type { Result } from '../model/report.ts';
import type { VerdictKind } from '../model/verdict.ts';
import { padTo } from '../report/layout.ts';
import { paintFor } from '../report/paint.ts';
import { printable } from '../report/printable.ts';
import { formatSeconds } from '../report/quantities.ts';
import type { MatrixEvent } from '../run/matrix.ts';
import { styleOf } from './print.ts';

/** Shows how far a matrix is. Nothing of it goes to standard output. */
export interface MatrixDisplay {
  beginRound(round: number): void;
  onEvent(at: CellName, event: Exclude<MatrixEvent, { readonly kind: 'cell-ended' }>): void;
  onCell(result: Result): void;
  /** Clears what it drew. */
  end(): void;
}

interface CellName {
  readonly check: string;
  readonly mode: string;
}

/** Where one cell is. */
export interface CellState {
  cases: number;
  begun: number;
  ended: number;
  verdict?: VerdictKind;
  /** A fail that is a known defect. */
  known?: boolean;
}

/** What the table shows. */
export interface MatrixState {
  readonly checks: readonly string[];
  readonly modes: readonly string[];
  /** By `CHECK/MODE`. */
  readonly cells: ReadonlyMap<string, CellState>;
  /** Since the round began. */
  readonly seconds: number;
  /** `round 2 of 20`, where there are several. */
  readonly round?: string;
}

const frameMs = 250;

/**
 * A table on a terminal, a line for each cell elsewhere, nothing with `quiet` elsewhere than on a terminal, or
 * without a stream.
 */
export function showMatrix(
  stream: NodeJS.WriteStream | undefined,
  options: {
    readonly checks: readonly string[];
    readonly modes: readonly string[];
    readonly rounds: number;
    readonly quiet: boolean;
    readonly signal: AbortSignal;
  },
): MatrixDisplay {
  const cells = new Map<string, CellState>();
  let since = performance.now();
  let round = 0;
  const live = stream?.isTTY === true && process.env.TERM !== 'dumb';
  // The cursor stays visible, so that a terminal is whole even after SIGKILL.
  const log = live ? createLogUpdate(stream, { showCursor: true }) : undefined;
  const draw = () => {
    if (stream === undefined) return;
    const { color } = styleOf(stream);
    const state: MatrixState = {
      ...options,
      cells,
      seconds: (performance.now() - since) / 1000,
      ...(options.rounds === 1 ? {} : { round: `round ${round + 1} of ${options.rounds}` }),
    };
    log?.(matrixFrame(state, { columns: stream.columns ?? 80, rows: stream.rows ?? 24, color }).join('\n'));
  };
  let timer: NodeJS.Timeout | undefined;
  const end = () => {
    if (timer === undefined) return;
    clearInterval(timer);
    timer = undefined;
    log?.clear();
    log?.done();
  };
  if (live) {
    timer = setInterval(draw, frameMs);
    timer.unref();
    options.signal.addEventListener('abort', end, { once: true });
  }
  const stateOf = ({ check, mode }: CellName): CellState => {
    const key = `${check}/${mode}`;
    const state = cells.get(key) ?? { cases: 0, begun: 0, ended: 0 };
    cells.set(key, state);
    return state;
  };
  return {
    beginRound(number) {
      round = number;
      since = performance.now();
      cells.clear();
    },
    onEvent(at, event) {
      const state = stateOf(at);
      if (event.kind === 'planned') state.cases = event.cases;
      else if (event.kind === 'case-began') state.begun += 1;
      else state.ended += 1;
    },
    onCell(result) {
      const state = stateOf(result);
      state.verdict = result.verdict.kind;
      state.cases = state.begun = state.ended = result.cases.length;
      state.known = result.cases.some(({ known }) => known !== undefined);
      if (live || options.quiet || stream === undefined) return;
      const code = result.verdict.kind === 'fail' ? ` (${result.verdict.code})` : '';
      const which = options.rounds === 1 ? '' : `round ${round + 1}: `;
      stream.write(
        `${which}${printable(`${result.check} / ${result.mode}: ${result.verdict.kind}${code}`)}\n`,
      );
    },
    end,
  };
}

/** The table as lines that fit the terminal: all checks where they fit, else those that are at work. */
export function matrixFrame(
  state: MatrixState,
  { columns, rows, color }: { readonly columns: number; readonly rows: number; readonly color: boolean },
): string[] {
  const paint = paintFor(color);
  const name = Math.max(...state.checks.map((each) => each.length), 5);
  const widest = Math.max(...state.modes.map((each) => each.length), 5);
  // A terminal breaks a line that fills it.
  const room = Math.floor((columns - 1 - name) / Math.max(1, state.modes.length)) - 2;
  const width = Math.max(5, Math.min(widest, room));
  const line = (head: string, marks: readonly string[]) =>
    [padTo(head, name), ...marks.map((mark) => padTo(mark, width))].join('  ').trimEnd();
  const cellOf = (check: string, mode: string) => state.cells.get(`${check}/${mode}`);
  const body = state.checks.map((check) => ({
    check,
    done: state.modes.every((mode) => cellOf(check, mode)?.verdict !== undefined),
    line: line(
      check,
      state.modes.map((mode) => {
        const cell = cellOf(check, mode);
        const text = padTo(markOf(cell), width);
        return cell?.verdict === undefined ? text : paint.verdict(cell.verdict, text);
      }),
    ),
  }));
  const space = Math.max(1, rows - 4);
  const shown = body.length <= space ? body : body.filter(({ done }) => !done).slice(0, space);
  const hidden = body.length - shown.length;
  const modes = state.modes.map((mode) => (mode.length <= width ? mode : `${mode.slice(0, width - 1)}…`));
  return [
    paint.faint(line('', modes)),
    ...shown.map((each) => each.line),
    ...(hidden === 0 ? [] : [paint.faint(`and ${hidden} more`)]),
    summary(state).slice(0, columns - 1),
  ];
}

function markOf(cell: CellState | undefined): string {
  if (cell?.verdict !== undefined)
    return cell.verdict === 'fail' ? (cell.known === true ? 'known' : 'FAIL') : words[cell.verdict];
  if (cell === undefined || cell.begun === 0) return '·';
  return `${cell.ended}/${cell.cases}`;
}

const words: Readonly<Record<Exclude<VerdictKind, 'fail'>, string>> = {
  pass: 'pass',
  unknown: '?',
  skip: 'skip',
};

function summary({ cells, checks, modes, seconds, round }: MatrixState): string {
  const all = [...cells.values()];
  const total = all.reduce((sum, { cases }) => sum + cases, 0);
  const done = all.reduce((sum, { ended }) => sum + ended, 0);
  const results = all.filter(({ verdict }) => verdict !== undefined).length;
  const left = done > 20 && total > done ? (seconds * (total - done)) / done : undefined;
  return [
    ...(round === undefined ? [] : [round]),
    `${results} of ${checks.length * modes.length} results`,
    `${done} of ${total} cases`,
    formatSeconds(seconds),
    ...(left === undefined ? [] : [`about ${formatSeconds(left)} left`]),
  ].join(', ');
}
