import { cellSize, isIntactCell, readCell } from '../../src/model/pattern.ts';

/** What one writer appends: `count` records of `size` bytes (whole cells), told apart by its number. */
export interface Appends {
  readonly writer: number;
  readonly size: number;
  readonly count: number;
}

/** What became of all records. */
export interface Census {
  /** `2:17`: writer and number. Not there, or not in one piece. */
  readonly missing: readonly string[];
  /** There more than once. */
  readonly twice: readonly string[];
  /** Only a part of it is there. */
  readonly torn: readonly string[];
  /** There before one that the same writer appended earlier. */
  readonly disordered: readonly string[];
  /** Offsets at which there is no cell of any writer. */
  readonly foreign: readonly number[];
}

/**
 * Counts the records in a file that several writers appended to.
 * @param bytes the whole file. @param seed of the run, @param fileId of the file: a cell of another is foreign.
 */
export function censusOf(
  bytes: Uint8Array,
  appends: readonly Appends[],
  { seed, fileId }: { readonly seed: number; readonly fileId: number },
): Census {
  const whole = new Map<string, number>();
  const partial = new Set<string>();
  const foreign: number[] = [];
  const disordered: string[] = [];
  const latest = new Map<number, number>();
  for (let at = 0; at < bytes.length; ) {
    const cell = at + cellSize <= bytes.length && isIntactCell(bytes, at) ? readCell(bytes, at) : undefined;
    const by = appends.find(({ writer }) => writer === cell?.key.writer);
    if (cell === undefined || by === undefined || cell.key.seed !== seed || cell.key.fileId !== fileId) {
      foreign.push(at);
      at += cellSize;
      continue;
    }
    const number = Math.floor(cell.offset / by.size);
    const name = `${by.writer}:${number}`;
    const length = lengthOfRun(bytes, at, cell.offset, number, by);
    if (cell.offset % by.size === 0 && length === by.size) {
      whole.set(name, (whole.get(name) ?? 0) + 1);
      if (number < (latest.get(by.writer) ?? -1)) disordered.push(name);
      latest.set(by.writer, number);
    } else partial.add(name);
    at += length;
  }
  const all = appends.flatMap(({ writer, count }) =>
    Array.from({ length: count }, (_, number) => `${writer}:${number}`),
  );
  return {
    missing: all.filter((name) => !whole.has(name)),
    twice: [...whole].filter(([, times]) => times > 1).map(([name]) => name),
    torn: [...partial].filter((name) => !whole.has(name)),
    disordered,
    foreign,
  };
}

/** How many bytes go on as the same record of the same writer. */
function lengthOfRun(bytes: Uint8Array, at: number, offset: number, number: number, by: Appends): number {
  let length = cellSize;
  while (length < by.size - (offset % by.size) && at + length + cellSize <= bytes.length) {
    const next = isIntactCell(bytes, at + length) ? readCell(bytes, at + length) : undefined;
    const goesOn =
      next?.key.writer === by.writer &&
      next.offset === offset + length &&
      Math.floor(next.offset / by.size) === number;
    if (!goesOn) break;
    length += cellSize;
  }
  return length;
}
