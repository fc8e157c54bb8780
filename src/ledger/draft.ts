import type { Interval, Known, LedgerLine, Medium, Path, Source } from '../model/account.ts';

interface Line {
  bytes: number;
  low: number;
  high: number;
  inferred: boolean;
  readonly because: string[];
}

/**
 * The lines of a ledger in the making: estimates, each with the interval that the counts allow. Bytes only
 * ever move between lines, so that their sum stays what the program got.
 */
export class Draft {
  readonly #lines = new Map<Source, Line>();

  constructor(bytes: ReadonlyMap<Source, number>) {
    for (const [source, each] of bytes)
      this.#lines.set(source, { bytes: each, low: each, high: each, inferred: false, because: [] });
  }

  bytes(source: Source): number {
    return this.#lines.get(source)?.bytes ?? 0;
  }

  /** The sources of a path that have bytes, largest first. */
  of(path: Path): Source[] {
    return [...this.#lines]
      .filter(([source, { bytes }]) => pathOf(source) === path && bytes > 0)
      .sort(([, a], [, b]) => b.bytes - a.bytes)
      .map(([source]) => source);
  }

  /** Shifts an estimate. What either may be at most stays open, unless the shift is certain. */
  move(from: Source, to: Source, bytes: number, certain = false): void {
    const source = this.#at(from);
    const target = this.#at(to);
    source.bytes -= bytes;
    source.low = Math.min(source.low, source.bytes);
    target.bytes += bytes;
    target.high += bytes;
    if (!certain) return;
    source.high -= bytes;
    target.low += bytes;
  }

  /** Up to that many of a line's bytes may really be another's; the estimate stays. */
  doubt(from: Source, to: Source, bytes: number): void {
    const source = this.#at(from);
    const doubted = Math.min(bytes, source.bytes);
    source.low = Math.max(0, source.low - doubted);
    this.#at(to).high += doubted;
  }

  /** A line's bytes are proved to lie within bounds. */
  within(source: Source, low: number, high: number): void {
    const line = this.#at(source);
    line.low = Math.min(line.bytes, Math.max(line.low, low));
    line.high = Math.max(line.bytes, Math.min(line.high, high));
  }

  /** Another reading of the counters would give this line that many bytes. */
  reach(source: Source, bytes: number): void {
    const line = this.#at(source);
    line.low = Math.min(line.low, bytes);
    line.high = Math.max(line.high, bytes);
  }

  /** A line may be that many bytes more. */
  widen(source: Source, bytes: number): void {
    this.#at(source).high += bytes;
  }

  infer(source: Source): void {
    this.#at(source).inferred = true;
  }

  say(source: Source, because: string): void {
    const { because: said } = this.#at(source);
    if (!said.includes(because)) said.push(because);
  }

  /**
   * @param standing what a line stands on where nothing was said.
   * @param total bytes that the program got: no line is more.
   */
  lines(
    requests: ReadonlyMap<Source, number>,
    standing: (source: Source) => string,
    total: number,
  ): LedgerLine[] {
    return [...this.#lines]
      .filter(
        ([source, { bytes, high }]) =>
          bytes > 0 || high > 0 || requests.has(source) || source === 'unexplained',
      )
      .map(([source, line]) => finished(source, line, requests.get(source) ?? 0, standing, total))
      .sort(
        (a, b) =>
          Number(a.source === 'unexplained') - Number(b.source === 'unexplained') || b.bytes - a.bytes,
      );
  }

  #at(source: Source): Line {
    const line = this.#lines.get(source) ?? { bytes: 0, low: 0, high: 0, inferred: false, because: [] };
    this.#lines.set(source, line);
    return line;
  }
}

function finished(
  source: Source,
  { bytes, low, high, inferred, because }: Line,
  requests: number,
  standing: (source: Source) => string,
  total: number,
): LedgerLine {
  const interval: Interval = [Math.min(low, bytes), Math.min(total, Math.max(high, bytes))];
  const exact = interval[0] === interval[1];
  const medium = mediumOf(source);
  const unexplained = source === 'unexplained' || medium === 'unexplained';
  const known: Known = unexplained ? 'unexplained' : inferred ? 'inferred' : exact ? 'proved' : 'bounded';
  return {
    source,
    path: pathOf(source),
    ...(medium === undefined ? {} : { medium }),
    bytes,
    requests,
    known,
    ...(exact ? {} : { interval }),
    because: because.length > 0 ? because.join('; ') : standing(source),
  };
}

export function pathOf(source: Source): Path {
  return source.split('/')[0] as Path;
}

export function mediumOf(source: Source): Medium | undefined {
  return source.split('/')[1] as Medium | undefined;
}
