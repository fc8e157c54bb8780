import cliProgress from 'cli-progress';
import type { Step } from '../model/check.ts';
import type { HashResult, Stat, WalkResult } from '../model/operation.ts';
import type { Outcome } from '../model/outcome.ts';
import { formatBytes, formatRate, formatSeconds } from '../report/quantities.ts';
import type { RunEvent } from '../run/interpreter.ts';

/** Shows how far both sides are. Nothing of it goes to standard output. */
export interface Progress {
  readonly onEvent: (event: RunEvent) => void;
  end(): void;
}

/** A line on something that is no terminal at most this often. */
const plainEveryMs = 5000;
/** A bar appears only for work that lasts. */
const barAfterMs = 400;

/** Bars on a terminal, plain lines elsewhere, nothing with `quiet` elsewhere than on a terminal, or without a stream. */
export function showProgress(stream: NodeJS.WriteStream | undefined, quiet: boolean): Progress {
  const board = new Board();
  const bars = stream?.isTTY === true ? new Bars(stream, board) : undefined;
  let saidAt = performance.now();
  return {
    onEvent(event) {
      board.note(event);
      if (bars !== undefined) return bars.draw();
      if (
        quiet ||
        stream === undefined ||
        event.kind !== 'progress' ||
        performance.now() - saidAt < plainEveryMs
      )
        return;
      saidAt = performance.now();
      stream.write(
        `${board
          .lanes()
          .map((lane) => lane.words)
          .join('   ')}\n`,
      );
    },
    end() {
      bars?.end();
    },
  };
}

interface Lane {
  readonly side: string;
  readonly done: number;
  readonly total: number | undefined;
  /** `guest 1.2 GiB of 4.0 GiB, 680.0 MiB/s, 4.1 s left` */
  readonly words: string;
}

/** What each actor's long step has done so far. */
class Board {
  readonly #lanes = new Map<
    string,
    { since: number; done: number; entries: number; total: number | undefined }
  >();
  readonly #sizes = new Map<string, number>();

  note(event: RunEvent): void {
    const { actor, op } = event.step;
    if (event.kind === 'step-ended') {
      if (op.do === 'stat' && event.outcome.kind === 'value')
        this.#sizes.set(actor, (event.outcome.value as Stat).size);
      this.#finish(actor, event.step, event.outcome);
      return;
    }
    if (op.do !== 'hash' && op.do !== 'walk') return;
    if (event.kind === 'step-began') {
      // Only the first pass has a known end; triage's re-reads are short.
      const total = op.do === 'hash' && op.range === undefined ? this.#sizes.get(actor) : undefined;
      this.#lanes.set(actor, { since: performance.now(), done: 0, entries: 0, total });
      return;
    }
    const lane = this.#lanes.get(actor);
    if (lane === undefined) return;
    lane.done = event.bytes ?? lane.done;
    lane.entries = event.entries ?? lane.entries;
  }

  /** The last progress may be a moment old when a step ends. */
  #finish(actor: string, { op }: Step, outcome: Outcome): void {
    const lane = this.#lanes.get(actor);
    if (lane === undefined || outcome.kind !== 'value' || (op.do !== 'hash' && op.do !== 'walk')) return;
    const result = outcome.value as HashResult | WalkResult;
    lane.done = result.bytes;
    if ('entries' in result) lane.entries = result.entries;
  }

  lanes(): Lane[] {
    return [...this.#lanes].map(([side, { since, done, entries, total }]) => {
      const seconds = (performance.now() - since) / 1000;
      const rate = formatRate(done, seconds);
      const left =
        total !== undefined && done > 0 && done < total ? (seconds * (total - done)) / done : undefined;
      const words = [
        `${side} ${formatBytes(done)}${total === undefined ? '' : ` of ${formatBytes(total)}`}`,
        ...(entries > 0 ? [`${entries.toLocaleString('en-US')} names`] : []),
        ...(rate === undefined ? [] : [rate]),
        ...(left === undefined ? [] : [`${formatSeconds(left)} left`]),
      ].join(', ');
      return { side, done, total, words };
    });
  }
}

/** One bar a side, on a terminal. */
class Bars {
  readonly #stream: NodeJS.WriteStream;
  readonly #board: Board;
  readonly #since = performance.now();
  readonly #bars = new Map<string, cliProgress.SingleBar>();
  #multi: cliProgress.MultiBar | undefined;
  #ended = false;

  constructor(stream: NodeJS.WriteStream, board: Board) {
    this.#stream = stream;
    this.#board = board;
  }

  draw(): void {
    if (this.#ended || performance.now() - this.#since < barAfterMs) return;
    this.#multi ??= new cliProgress.MultiBar(
      {
        stream: this.#stream,
        format: '{bar} {words}',
        barsize: 20,
        fps: 5,
        hideCursor: true,
        clearOnComplete: true,
        stopOnComplete: false,
        barCompleteChar: '█',
        barIncompleteChar: '░',
      },
      cliProgress.Presets.shades_classic,
    );
    for (const { side, done, total, words } of this.#board.lanes()) {
      const bar = this.#bars.get(side) ?? this.#multi.create(total ?? 1, 0, { words });
      this.#bars.set(side, bar);
      if (total !== undefined) bar.setTotal(Math.max(1, total));
      bar.update(total === undefined ? 0 : done, { words });
    }
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#multi?.stop();
  }
}
